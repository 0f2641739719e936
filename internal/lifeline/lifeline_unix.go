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
		look := time.NewTicker(interval)
		defer look.Stop()
		for os.Getppid() == parent {
			select {
			case <-look.C:
			case <-ctx.Done():
				return
			}
		}
		close(ended)
	}()
	return ended
}

// surviveSignals keeps three signals from ending the process until release is
// called. SIGPIPE: writes to a broken standard output or error fail instead
// (package os/signal, "SIGPIPE"). SIGQUIT: the runner's sign to stop once its
// jobs are done, which systemd sends to the plugin as well if KillSignal says so
// (GitLab Runner's documentation on graceful shutdown); jobs need their
// instances until then, and the plugin ends with the runner. SIGHUP: the runner's
// sign to read its configuration again (reloadSignal in its commands/multi.go),
// which systemctl kill and dumb-init send to the plugin as well; it has nothing to
// read again, and a runner does not start a plugin a second time. All are received
// rather than ignored, as programs that this process starts, such as Azure's
// CLI, would inherit that.
func surviveSignals() (release func()) {
	received := make(chan os.Signal, 1) // nobody reads it
	signal.Notify(received, syscall.SIGPIPE, syscall.SIGQUIT, syscall.SIGHUP)
	return func() { signal.Stop(received) }
}
