//go:build !unix

package machine

import (
	"os"
	"os/exec"
	"syscall"
)

var signals = map[string]syscall.Signal{"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM}

func setGroup(*exec.Cmd) {}

func signalGroup(leader *os.Process, _ syscall.Signal) error { return leader.Kill() }
