package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// writeTimeout bounds a whole write with its reads and retries: fleeting's loop
// has no deadline of its own, and blocks meanwhile.
const writeTimeout = time.Minute

var errClosed = errors.New("the plugin is shutting down; nothing was changed")

// writeGate admits one write at a time, as Azure responds 409 to parallel ones,
// and none once it is closed. It is safe for concurrent use.
type writeGate struct {
	turn    chan struct{} // holds a token while a write is under way
	closed  chan struct{}
	closing sync.Once
}

func newWriteGate() *writeGate {
	return &writeGate{turn: make(chan struct{}, 1), closed: make(chan struct{})}
}

// enter waits for its turn to write. The context that it returns has the
// deadline of the whole write; leave ends the turn; what begins an error. That
// context does not end with ctx: when the runner dies, gRPC ends the contexts of
// all calls at once, and the outcome of a write cut off there is unknown.
func (w *writeGate) enter(ctx context.Context, what string) (_ context.Context, leave func(), err error) {
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	select {
	case w.turn <- struct{}{}:
		if err = w.admits(ctx); err == nil {
			return whole, func() { <-w.turn; cancel() }, nil
		}
		<-w.turn
	case <-w.closed:
		err = errClosed
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-whole.Done():
		err = fmt.Errorf("an earlier change takes too long: %w", context.Cause(whole))
	}
	cancel()
	return nil, nil, fmt.Errorf("%s: %w", what, err)
}

// admits decides at the beginning of a turn: select takes any of the cases that
// are ready, and close waits for those who have a turn.
func (w *writeGate) admits(ctx context.Context) error {
	select {
	case <-w.closed:
		return errClosed
	default:
		return context.Cause(ctx)
	}
}

// close ends writing: no write begins any more, and the one under way may
// finish until ctx ends, which is the error. It may be called again.
func (w *writeGate) close(ctx context.Context) error {
	w.closing.Do(func() { close(w.closed) })
	select {
	case w.turn <- struct{}{}:
		<-w.turn
		return nil
	default:
	}
	select {
	case w.turn <- struct{}{}:
		<-w.turn
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
