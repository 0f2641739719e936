package instancegroup

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

func TestIncrease(t *testing.T) {
	f := newFake(5)
	g, _ := f.open(t)
	for _, n := range []int{3, 1} {
		accepted, err := g.Increase(t.Context(), n)
		require.NoError(t, err)
		assert.Equal(t, n, accepted)
	}
	_, err := g.Refresh(t.Context())
	require.NoError(t, err)
	f.evict(0) // between two calls: the base is always a fresh read (F3)
	_, err = g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, []int64{8, 9, 9}, f.writes)
	for _, n := range []int{0, -3} {
		accepted, err := g.Increase(t.Context(), n)
		require.NoError(t, err)
		assert.Zero(t, accepted)
	}
	assert.Len(t, f.writes, 3)
	assert.False(t, f.lowered)
}

// TestIncreaseNeverGuesses is F1: 197 machines were once deleted because an
// unknown capacity was taken for a number.
func TestIncreaseNeverGuesses(t *testing.T) {
	for name, spoil := range map[string]func(*fake){
		"throttled":   func(f *fake) { f.failNext(opSet, fault{err: azure(armerr.Throttled, 429)}) },
		"broken":      func(f *fake) { f.failNext(opSet, fault{err: azure(armerr.Transient, 500)}) },
		"no capacity": func(f *fake) { f.set.HasCapacity, f.set.Capacity = false, 0 },
		"no ETag":     func(f *fake) { f.set.ETag = "" },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(200)
			g, _ := f.open(t)
			spoil(f)
			accepted, err := g.Increase(t.Context(), 3)
			assert.Equal(t, name == "throttled", err == nil, "waiting is no error")
			if err != nil {
				assert.NotContains(t, err.Error(), "\n")
				assert.Contains(t, err.Error(), `scale set "ci"`)
			}
			assert.Zero(t, accepted)
			assert.Zero(t, f.count(opWrite))
			assert.Len(t, f.vms, 200)
		})
	}
}

// raced lets somebody else increase the capacity before the first writes.
func raced(f *fake, times int) {
	f.enter = func(op string, call int) {
		if op == opWrite && call <= times {
			f.foreign(f.set.Capacity + 10)
		}
	}
}

// TestIncreaseLosesARace is F4.
func TestIncreaseLosesARace(t *testing.T) {
	f := newFake(5)
	g, _ := f.open(t)
	raced(f, 2)
	accepted, err := g.Increase(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, 2, accepted)
	assert.Equal(t, []int64{7, 17, 27}, f.writes)
	assert.EqualValues(t, 27, f.set.Capacity)

	f = newFake(5)
	g, _ = f.open(t)
	raced(f, 100)
	accepted, err = g.Increase(t.Context(), 2)
	assert.Zero(t, accepted)
	require.ErrorContains(t, err, `increase scale set "ci" by 2: somebody else changed it 4 times in between; nothing was changed; fix: let nothing else scale it`)
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, increaseAttempts, f.count(opWrite))
	assert.Zero(t, f.grown)
}

// TestIncreaseLosesTheResponse is F9: no PATCH is sent twice for one demand.
func TestIncreaseLosesTheResponse(t *testing.T) {
	lost := azure(armerr.Network, 0)
	for _, c := range []struct {
		name     string
		write    fault
		read     error // of the reading that settles it
		accepted int
		grown    int
	}{
		{"it took effect", fault{lost, true}, nil, 2, 2},
		{"it did not", fault{lost, false}, nil, 0, 0},
		{"status 500, it took effect", fault{azure(armerr.Transient, 500), true}, nil, 2, 2},
		{"doubtful counts as not", fault{lost, true}, azure(armerr.Network, 0), 0, 2},
		{"refused for a role", fault{azure(armerr.Forbidden, 403), false}, nil, 0, 0},
		{"throttled", fault{azure(armerr.Throttled, 429), false}, nil, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(5)
			g, _ := f.open(t)
			f.failNext(opWrite, c.write)
			f.failNext(opSet, fault{}, fault{err: c.read})
			accepted, err := g.Increase(t.Context(), 2)
			assert.Equal(t, c.accepted, accepted)
			assert.Equal(t, c.accepted == 0 && c.name != "throttled", err != nil, err)
			assert.Equal(t, c.grown, f.grown)
			assert.Equal(t, 1, f.count(opWrite))
		})
	}
}

// TestIncreaseCancelled gives up after the write was sent: its outcome is still
// read.
func TestIncreaseCancelled(t *testing.T) {
	f := newFake(5)
	g, _ := f.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.failNext(opWrite, fault{err: azure(armerr.Canceled, 0), took: true})
	f.leave = func(op string, _ int) {
		if op == opWrite {
			cancel()
		}
	}
	accepted, err := g.Increase(ctx, 2)
	require.NoError(t, err)
	assert.Equal(t, 2, accepted)
}

// TestLostResponseAndForeignWrite must not take somebody else's growth for ours.
func TestLostResponseAndForeignWrite(t *testing.T) {
	f := newFake(5)
	g, _ := f.open(t)
	f.failNext(opWrite, fault{err: azure(armerr.Network, 0)})
	f.enter = func(op string, _ int) {
		if op == opWrite {
			f.foreign(9)
		}
	}
	accepted, err := g.Increase(t.Context(), 2)
	require.Error(t, err)
	assert.Zero(t, accepted)
}

func TestIncreaseUpToTheLimit(t *testing.T) {
	f := newFake(97)
	f.set.Model.SingleGroup = true
	g, clock := f.open(t)
	accepted, err := g.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 3, accepted)
	for n, capacity := range []int64{100, 120} { // somebody may have raised the limit
		f.foreign(capacity)
		accepted, err = g.Increase(t.Context(), 5)
		assert.Zero(t, accepted)
		if n == 0 {
			require.ErrorContains(t, err, "fix: lower max_instances")
		}
		clock.pass(time.Hour)
	}
	assert.Len(t, f.writes, 1)
}

// TestLateWrite: a write whose response was lost takes effect after the read that
// checks it. It is not sent a second time for the same demand.
func TestLateWrite(t *testing.T) {
	f := newFake(3)
	g, clock := f.open(t)
	f.failNext(opWrite, fault{err: azure(armerr.Network, 0)})
	accepted, err := g.Increase(t.Context(), 3)
	require.Error(t, err)
	require.Zero(t, accepted)
	f.foreign(6) // it arrives
	clock.pass(time.Minute)
	accepted, err = g.Increase(t.Context(), 3)
	require.NoError(t, err)
	assert.Equal(t, 3, accepted)
	assert.EqualValues(t, 6, f.set.Capacity)
}
