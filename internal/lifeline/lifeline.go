package lifeline

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Options are for tests; the zero value is for production.
type Options struct {
	Interval time.Duration // of polling for the parent; 0: a second
}

// Watch calls onEnd once, from its own goroutine, when the parent process has ended
// or SIGTERM was received. It watches from when it returns until ctx ends. Until
// then neither SIGTERM by itself ends the process, nor SIGHUP and SIGQUIT, which are
// for the runner and reach its whole group, nor a write to a standard output or
// error that is no longer read: the pipes to the parent break when it ends, and the
// next line of the log would kill the process amid a write to Azure.
//
// Windows sends SIGTERM when the console closes, the user logs off or the
// system shuts down (package os/signal).
func Watch(ctx context.Context, o Options, onEnd func(reason string)) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	release := catchSignals()
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	orphaned := parentEnd(ctx, o.Interval)
	go func() {
		defer release()
		defer signal.Stop(terminate)
		select {
		case <-orphaned:
			onEnd("the parent process has ended")
		case <-terminate:
			onEnd("SIGTERM received")
		case <-ctx.Done():
		}
	}()
}
