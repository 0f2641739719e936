package instancegroup

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const closedText = "the plugin is shutting down; nothing was changed"

// hold stops the first call of an operation until release is called; entered
// is closed once the call is there.
func (f *fake) hold(op string) (entered <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	f.enter = func(o string, call int) {
		if o == op && call == 1 {
			close(in)
			<-out
		}
	}
	return in, func() { close(out) }
}

func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestCloseLetsAWriteFinish is the death of the runner: gRPC ends the contexts
// of all calls, and the write under way is finished all the same.
func TestCloseLetsAWriteFinish(t *testing.T) {
	f := newFake(5)
	g, _ := f.open(t)
	entered, release := f.hold(opWrite)
	call, hangUp := context.WithCancel(t.Context())
	type result struct {
		accepted int
		err      error
	}
	first, second := make(chan result, 1), make(chan error, 1)
	go func() {
		n, err := g.Increase(call, 2)
		first <- result{n, err}
	}()
	<-entered
	go func() {
		_, err := g.Decrease(t.Context(), []string{f.id(0)})
		second <- err
	}()
	hangUp()
	require.EqualError(t, g.Close(done()), `close scale set "ci": a change is still under way: context canceled`)
	require.ErrorContains(t, <-second, closedText, "who waits for a turn is sent away at once")
	_, err := g.Increase(t.Context(), 1)
	require.ErrorContains(t, err, closedText)

	go release()
	require.NoError(t, g.Close(t.Context()))
	f.change(func() { assert.Equal(t, []int64{7}, f.writes, "Close returns after the write") })
	assert.Equal(t, result{accepted: 2}, <-first)
	assert.Empty(t, f.deleted)
}

func TestClosedGroupWritesNothing(t *testing.T) {
	f := newFake(3)
	g, _ := f.open(t)
	require.NoError(t, g.Close(t.Context()))
	require.NoError(t, g.Close(t.Context()))

	accepted, err := g.Increase(t.Context(), 1)
	require.ErrorContains(t, err, closedText)
	assert.Zero(t, accepted)
	gone, err := g.Decrease(t.Context(), []string{f.id(0), "ci_99-01234567"})
	require.ErrorContains(t, err, closedText)
	assert.Empty(t, gone)
	f.vm(1, func(i *vmss.Instance) { i.PowerState = "deallocated" })
	v, err := g.Refresh(t.Context())
	require.NoError(t, err, "reading goes on")
	require.Equal(t, Dead, v.Members[1].State)
	require.ErrorContains(t, g.Bury(t.Context(), v), closedText)
	assert.Zero(t, f.count(opWrite)+f.count(opDelete)+f.count(opDeleteOne))
}

// TestCancelledCallWritesNothing is a caller that has gone before its turn: a
// write is finished once it began, and must not begin then.
func TestCancelledCallWritesNothing(t *testing.T) {
	f := newFake(3)
	g, _ := f.open(t)
	for range 50 { // select takes either case
		_, err := g.Increase(done(), 1)
		require.EqualError(t, err, `increase scale set "ci" by 1: context canceled`)
	}
	assert.Zero(t, f.count(opWrite))
}
