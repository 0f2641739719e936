package testbed

import (
	"os"
	"os/exec"
	"syscall"
)

// setGroup keeps a terminal's Ctrl-C from the command, which is ended in order,
// and has it terminated when this process dies. That signal comes when the thread
// that forked ends (golang/go#27505): it must be locked until the command has
// ended.
func setGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// signalGroup signals the command. SIGKILL and SIGHUP go to what it has started,
// too; for other signals the runner ends its plugin itself.
func signalGroup(p *os.Process, sig syscall.Signal) {
	if sig != syscall.SIGKILL && sig != syscall.SIGHUP {
		_ = p.Signal(sig) // it may have ended
		return
	}
	_ = syscall.Kill(-p.Pid, sig)
}
