package lifeline

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// noSuchProcess is ERROR_INVALID_PARAMETER, OpenProcess's answer where no
// process has the ID (os.FindProcess wraps it).
const noSuchProcess syscall.Errno = 87

// parentEnd returns a channel that is closed when the parent has ended. Waiting
// cannot be interrupted and goes on after ctx; it holds nothing but a thread.
// A parent that may not be opened, which a process of the same user always may,
// is not watched.
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

// surviveSignals has nothing to do: Windows has none of these signals.
func surviveSignals() (release func()) { return func() {} }
