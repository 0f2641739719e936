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
	Interval time.Duration // between two looks at the parent; 0: a second
}

// Watch calls onEnd once, from a goroutine of its own, when the process that
// started this one has ended or SIGTERM came. It watches from when it returns
// until ctx ends. Meanwhile SIGTERM alone does not end the process, nor do SIGHUP
// and SIGQUIT, which are for the runner and reach its whole group, nor does
// writing to a standard output or error that nobody reads any more: what the
// parent read is closed when it dies, and what is under way would die of its
// next line in the log.
//
// Windows sends SIGTERM when the console closes, the user logs off or the
// system shuts down (package os/signal).
func Watch(ctx context.Context, o Options, onEnd func(reason string)) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	release := surviveSignals()
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	orphaned := parentEnd(ctx, o.Interval)
	go func() {
		defer release()
		defer signal.Stop(terminate)
		select {
		case <-orphaned:
			onEnd("the process that started it has ended")
		case <-terminate:
			onEnd("it was asked to by SIGTERM")
		case <-ctx.Done():
		}
	}()
}
