package lifeline

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// noSuchProcess is ERROR_INVALID_PARAMETER, the error of OpenProcess if no process
// has the ID (os.FindProcess wraps it).
const noSuchProcess syscall.Errno = 87

// parentEnd returns a channel that is closed when the parent has ended. Waiting
// cannot be interrupted and continues after ctx, at the cost of a thread. A parent
// that cannot be opened, which one of the same user always can, is not watched.
func parentEnd(context.Context, time.Duration) <-chan struct{} {
	ended := make(chan struct{})
	parent, err := os.FindProcess(os.Getppid())
	switch {
	case errors.Is(err, noSuchProcess):
		close(ended)
	case err == nil:
		go func() {
			if _, err := parent.Wait(); err == nil {
				close(ended)
			}
		}()
	}
	return ended
}

// catchSignals does nothing: Windows has no such signals.
func catchSignals() (release func()) { return func() {} }
