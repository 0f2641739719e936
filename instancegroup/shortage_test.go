package instancegroup

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// TestShortage: what Azure refuses for good, or refuses to create, speaks for another
// scale set; what passes by itself does not.
func TestShortage(t *testing.T) {
	for name, c := range map[string]struct {
		fault    error
		attempts int
		shortage bool
	}{
		"quota":             {azure(armerr.Quota, 409), 1, true},
		"no machines":       {azure(armerr.Allocation, 409), 1, true},
		"may not":           {azure(armerr.Forbidden, 403), 1, true},
		"gone":              {azure(armerr.NotFound, 404), 1, true},
		"conflict":          {azure(armerr.Conflict, 409), 1, false},
		"throttled":         {azure(armerr.Throttled, 429), 1, false},
		"broken once":       {azure(armerr.Transient, 500), 1, false},
		"broken repeatedly": {azure(armerr.Transient, 500), persistentFailures, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(1)
			g, clock := f.open(t)
			require.NoError(t, g.Shortage())
			for range c.attempts {
				f.failNext(opSet, fault{err: c.fault})
				_, _ = g.Increase(t.Context(), 1)
				if g.Shortage() == nil {
					clock.pass(time.Minute)
				}
			}
			if c.shortage {
				require.ErrorIs(t, g.Shortage(), c.fault)
				clock.pass(10 * time.Minute)
			}
			require.NoError(t, g.Shortage(), "it is tried again")
			_, err := g.Increase(t.Context(), 1)
			require.NoError(t, err)
			require.NoError(t, g.Shortage())
		})
	}
}

// TestShortageOfWhatIsLeft: a quota that leaves room for some is one for the rest.
func TestShortageOfWhatIsLeft(t *testing.T) {
	f := newFake(0)
	f.most, f.mostKind = 3, armerr.Quota
	g, _ := f.open(t)
	accepted, err := g.Increase(t.Context(), 10)
	require.NoError(t, err)
	assert.Positive(t, accepted)
	assert.True(t, armerr.Is(g.Shortage(), armerr.Quota), "%v", g.Shortage())
}

// TestUncertainWriteIsWaitedFor: what it made would come in addition.
func TestUncertainWriteIsWaitedFor(t *testing.T) {
	f := newFake(1)
	g, clock := f.open(t)
	f.failNext(opWrite, fault{err: azure(armerr.Network, 0), took: true})
	f.enter = func(op string, call int) {
		if op == opSet && call > 1 { // the next one, after those of Open and of the write
			f.failNext(opSet, fault{err: azure(armerr.Transient, 500)})
		}
	}
	for begun := clock.now(); ; clock.pass(time.Second) {
		accepted, _ := g.Increase(t.Context(), 2)
		require.Zero(t, accepted)
		if g.Shortage() != nil {
			assert.GreaterOrEqual(t, clock.now().Sub(begun), uncertainTime)
			return
		}
		require.Less(t, clock.now().Sub(begun), time.Hour)
	}
}

// TestShortageOfStarts: one instance that is not made is enough to try another scale set,
// and few among many that are do not stop increases.
func TestShortageOfStarts(t *testing.T) {
	s, now := newShortage(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cause := errors.New("no machines")
	s.recordStarts(now, 20, 0, nil)
	require.NoError(t, s.err(now))
	s.recordStarts(now, 0, 1, cause)
	assert.Equal(t, cause, s.err(now))
	s.recordStarts(now.Add(14*time.Second), 3, 1, cause)
	require.NoError(t, s.err(now.Add(15*time.Second)), "what comes to light during the pause is of before")
	now = now.Add(15 * time.Second)
	s.recordStarts(now, 0, 1, cause)
	require.Error(t, s.err(now.Add(29*time.Second)), "twice as long")
	now = now.Add(30 * time.Second)
	require.NoError(t, s.err(now))
	s.recordStarts(now, 1, 0, nil)
	s.recordStarts(now, 0, 1, cause)
	require.NoError(t, s.err(now.Add(30*time.Second)), "a start that succeeds halves it")
}

func TestShortageOfEvictions(t *testing.T) {
	s, now := newShortage(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.recordEvictions(now, 0)
	s.recordEvictions(now, 1)
	require.NoError(t, s.err(now), "one may happen to any")
	s.recordEvictions(now.Add(evictionWindow), 1)
	require.NoError(t, s.err(now.Add(evictionWindow)), "they are too far apart")
	now = now.Add(evictionWindow + time.Minute)
	s.recordEvictions(now, 1)
	require.ErrorIs(t, s.err(now), errEvicted)
	now = now.Add(2 * time.Minute)
	require.NoError(t, s.err(now))
	s.recordEvictions(now, 1)
	require.Error(t, s.err(now.Add(3*time.Minute)), "again, and for longer")
	now = now.Add(evictionMemory)
	s.recordEvictions(now, 2)
	require.NoError(t, s.err(now.Add(2*time.Minute)), "that was long ago")
}

// TestEarlyEvictions: what Azure takes back soon counts, whatever the eviction policy; what
// the runner deletes does not, nor what has served for long.
func TestEarlyEvictions(t *testing.T) {
	for name, vanish := range map[string]func(*fake, int){
		"deallocated": func(f *fake, n int) { f.vms[n].PowerState = "deallocated" },
		"deleted":     func(f *fake, _ int) { f.evict(0) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, early := range []bool{true, false} {
				f := newFake(0)
				f.set.Model.Spot.Priority = "Spot"
				g, clock := f.open(t)
				_, err := g.Refresh(t.Context())
				require.NoError(t, err)
				_, err = g.Increase(t.Context(), 4)
				require.NoError(t, err)
				f.boot()
				v, err := g.forceRefresh(t.Context())
				require.NoError(t, err)
				require.Len(t, v.Members, 4)
				if !early {
					clock.pass(earlyEviction)
				}
				vanish(f, 0)
				vanish(f, 1)
				_, err = g.forceRefresh(t.Context())
				require.NoError(t, err)
				assert.Equal(t, early, g.Shortage() != nil)
			}
		})
	}
}

func TestDeletionIsNoEviction(t *testing.T) {
	f := newFake(4)
	f.set.Model.Spot.Priority = "Spot"
	g, _ := f.open(t)
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	_, err = g.Decrease(t.Context(), []string{v.Members[0].MemberID, v.Members[1].MemberID, v.Members[2].MemberID})
	require.NoError(t, err)
	_, err = g.forceRefresh(t.Context())
	require.NoError(t, err)
	require.NoError(t, g.Shortage())
}
