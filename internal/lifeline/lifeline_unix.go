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

// surviveBrokenPipes makes writes to a broken standard output or error fail
// rather than end the process (package os/signal, "SIGPIPE"), until release is
// called. The signal is received rather than ignored, as programs that this
// process starts, such as Azure's CLI, would inherit that.
func surviveBrokenPipes() (release func()) {
	broken := make(chan os.Signal, 1) // nobody reads it
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}
