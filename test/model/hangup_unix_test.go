//go:build unix

package model_test

import (
	"os"
	"syscall"
)

// hangUp sends SIGHUP to this process, which is the plugin's here: its runner reads
// its configuration again, and goes on.
func hangUp() error { return syscall.Kill(os.Getpid(), syscall.SIGHUP) }
