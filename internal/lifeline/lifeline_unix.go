//go:build unix

package lifeline

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// parentEnd returns a channel that is closed when the parent has ended.
func parentEnd(ctx context.Context, interval time.Duration) <-chan struct{} {
	ended := make(chan struct{})
	parent := os.Getppid()
	go func() {
		poll := time.NewTicker(interval)
		defer poll.Stop()
		for os.Getppid() == parent {
			select {
			case <-poll.C:
			case <-ctx.Done():
				return
			}
		}
		close(ended)
	}()
	return ended
}

// catchSignals keeps three signals from ending the process until release is called.
// SIGPIPE: writes to a broken standard output or error fail instead (package
// os/signal, "SIGPIPE"). SIGQUIT: the runner's signal to stop once its jobs are
// done, which systemd also sends to the plugin if KillSignal is set to it (GitLab
// Runner's documentation on graceful shutdown); jobs need their instances until
// then, and the plugin ends with the runner. SIGHUP: the runner's signal to read its
// configuration again (reloadSignal in its commands/multi.go), which systemctl kill
// and dumb-init send to the plugin as well; it has nothing to read again, and a
// runner does not start a plugin a second time. All are received rather than ignored,
// because programs that this process starts, such as Azure's CLI, would inherit
// ignored signals.
func catchSignals() (release func()) {
	received := make(chan os.Signal, 1) // never read
	signal.Notify(received, syscall.SIGPIPE, syscall.SIGQUIT, syscall.SIGHUP)
	return func() { signal.Stop(received) }
}
