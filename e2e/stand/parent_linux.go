package stand

import "syscall"

// endWithParent has a command told to end when this process dies. The signal
// comes when the thread that forked ends (golang/go#27505): it must be locked
// until the command has ended.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGTERM }
