//go:build unix && !linux

package stand

import "syscall"

func endWithParent(*syscall.SysProcAttr) {}
