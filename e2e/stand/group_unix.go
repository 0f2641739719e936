//go:build unix

package stand

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from the command: it is ended in order.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(command.SysProcAttr)
}

// signalGroup reaches the command and what it has started. A kill must; a runner
// that is asked tells its plugin itself.
func signalGroup(p *os.Process, sig syscall.Signal) {
	if sig != syscall.SIGKILL {
		_ = p.Signal(sig) // it may have ended
		return
	}
	_ = syscall.Kill(-p.Pid, sig)
}
