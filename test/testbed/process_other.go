//go:build !linux

package testbed

import (
	"os"
	"os/exec"
	"syscall"
)

// Instances listen on addresses that only Linux has, so no runner gets this far.

func setGroup(*exec.Cmd) {}

func signalGroup(p *os.Process, _ syscall.Signal) { _ = p.Kill() }
