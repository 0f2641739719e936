package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestDemandStaysWithTheRunner while Azure's limit on writes is used up: no
// error, nothing sent, and the sum goes out at once afterwards.
func TestDemandStaysWithTheRunner(t *testing.T) {
	f, g, _ := opened(t, 3)
	f.remaining[vmss.WriteScaleSet], f.remaining[vmss.DeleteInstances] = 0, 0
	for range 5 {
		accepted, err := g.Increase(t.Context(), 2)
		require.NoError(t, err)
		assert.Zero(t, accepted)
		done, err := g.Decrease(t.Context(), []string{f.id(0), f.id(1)})
		require.NoError(t, err)
		assert.Empty(t, done)
	}
	assert.Empty(t, f.writes)
	assert.Empty(t, f.sent)
	delete(f.remaining, vmss.WriteScaleSet)
	delete(f.remaining, vmss.DeleteInstances)
	accepted, err := g.Increase(t.Context(), 10)
	require.NoError(t, err)
	assert.Equal(t, 10, accepted)
	done, err := g.Decrease(t.Context(), []string{f.id(0), f.id(1)})
	require.NoError(t, err)
	assert.Len(t, done, 2)
	assert.Len(t, f.sent, 1)
	assert.Len(t, f.writes, 1)
}

// TestRefreshIsPaced: with little left of the limit on lists the last view
// serves, and deletions have what is left.
func TestRefreshIsPaced(t *testing.T) {
	f, g, clock := opened(t, 2)
	before := g.last()
	f.lists = 1
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Same(t, before, v)
	clock.pass(oldShortView)
	v, err = g.Refresh(t.Context())
	require.NoError(t, err)
	assert.NotSame(t, before, v, "too old to serve")
	before = v
	f.lists = 0
	clock.pass(time.Hour)
	v, err = g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Same(t, before, v)
	f.lists = 1
	done, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err)
	assert.Len(t, done, 1, "a deletion is never held up by updates")
}

// TestThrottledListsServeTheLastView is promise 9.
func TestThrottledListsServeTheLastView(t *testing.T) {
	f, g, _ := opened(t, 2)
	before := g.last()
	f.failNext(opList, fault{err: azure(armerr.Throttled, 429)})
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Same(t, before, v)

	f = newFake(2)
	g, _ = f.open(t)
	f.failNext(opList, fault{err: azure(armerr.Throttled, 429)})
	_, err = g.Refresh(t.Context())
	require.Error(t, err, "there is no view to serve yet")
}

// TestRefusalsAreReportedOnce in an episode, and tried at growing intervals (F10).
func TestRefusalsAreReportedOnce(t *testing.T) {
	f, g, clock := opened(t, 1)
	for range 99 {
		f.failNext(opWrite, fault{err: azure(armerr.Forbidden, 403)})
	}
	told := 0
	for range 300 { // ten minutes
		accepted, err := g.Increase(t.Context(), 5)
		assert.Zero(t, accepted)
		if err != nil {
			told++
		}
		clock.pass(2 * time.Second)
	}
	assert.Equal(t, 1, told)
	assert.LessOrEqual(t, f.count(opWrite), 6)
	f.change(func() { f.faults = map[string][]fault{} })
	clock.pass(10 * time.Minute)
	accepted, err := g.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, accepted)
}

// TestQuotaLeavesRoom: what still fits is taken at once (F10).
func TestQuotaLeavesRoom(t *testing.T) {
	f, g, clock := opened(t, 1)
	refused := &armerr.Error{
		Op: "set capacity", Object: `scale set "ci"`, Kind: armerr.Quota, Status: 409, Code: "OperationNotAllowed",
		Message: "Current Limit: 12, Current Usage: 2, Additional Required: 100, (Minimum) New Limit Required: 102.",
	}
	f.failNext(opWrite, fault{err: refused})
	accepted, err := g.Increase(t.Context(), 50)
	require.NoError(t, err)
	assert.Equal(t, 5, accepted)
	_, err = g.Increase(t.Context(), 45)
	require.ErrorContains(t, err, "Current Limit: 12", "the runner's log names the reason")
	clock.pass(time.Minute)
	accepted, err = g.Increase(t.Context(), 45)
	require.NoError(t, err)
	assert.Equal(t, 45, accepted)
}

// TestOutdatedCapacityIsNotWritten: a read that shows less than what was accepted just now is
// no base for a write, whatever its ETag (F2).
func TestOutdatedCapacityIsNotWritten(t *testing.T) {
	f, g, clock := opened(t, 5)
	_, err := g.Increase(t.Context(), 3)
	require.NoError(t, err)
	f.change(func() { f.set.Capacity = 5 }) // a lag
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Zero(t, accepted)
	assert.Equal(t, []int64{8}, f.writes)
	f.change(func() { f.set.Capacity = 8 })
	clock.pass(2 * time.Second)
	accepted, err = g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)
	assert.Equal(t, []int64{8, 9}, f.writes)
}

// TestSecondManager: the one that came later has the scale set (F40).
func TestSecondManager(t *testing.T) {
	f := newFake(1)
	open := func(owner string) (*Group, *clock) {
		g, clock := f.open(t)
		g.lease.owner = owner
		for range 2 { // the first belongs to the start, which changes nothing
			_, err := g.Observe(t.Context())
			require.NoError(t, err)
		}
		return g, clock
	}
	f.set.Tags = map[string]string{"team": "ci"}
	first, clock := open("first")
	accepted, err := first.Increase(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, accepted)

	second, _ := open("second")
	assert.Equal(t, map[string]string{"team": "ci", leaseTag: "second"}, f.set.Tags)
	_, err = first.Increase(t.Context(), 1)
	require.ErrorContains(t, err, `change scale set "ci": another manager has taken it over: its tag fleeting-plugin-azure says "second", and this one is "first"; nothing was changed; fix: give each runner a scale set of its own, end the process that is not wanted, and restart`)
	accepted, err = second.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)

	f.change(func() { f.set.Tags = nil }) // as a tool does that keeps a model
	clock.pass(time.Hour)
	accepted, err = first.Increase(t.Context(), 1)
	require.NoError(t, err, "a tag that is gone proves nothing")
	assert.Equal(t, 1, accepted)
}

// TestTagIsNotNeeded: where it cannot be written, work goes on.
func TestTagIsNotNeeded(t *testing.T) {
	f := newFake(1)
	f.failNext(opTag, fault{err: azure(armerr.Forbidden, 403)}, fault{err: azure(armerr.Precondition, 412)})
	g, clock := f.open(t)
	g.lease.owner = "me"
	for range 4 {
		_, err := g.Observe(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 1, f.count(opTag))
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)
	for range 3 {
		clock.pass(time.Hour)
		_, err := g.Observe(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 3, f.count(opTag))
	assert.Equal(t, "me", f.set.Tags[leaseTag])
}

// TestLoserHandsOutNothingNew: what the new manager makes is not the old one's to
// give to a job (issue "two jobs on one VM").
func TestLoserHandsOutNothingNew(t *testing.T) {
	f := newFake(1)
	first, clock := f.open(t)
	first.lease.owner = "first since 2026-01-01T00:00:00Z"
	for range 2 {
		_, err := first.Observe(t.Context())
		require.NoError(t, err)
	}
	second, _ := f.open(t)
	second.lease.owner = "second since 2026-01-02T00:00:00Z"
	for range 2 {
		_, err := second.Observe(t.Context())
		require.NoError(t, err)
	}
	_, err := second.Increase(t.Context(), 2)
	require.NoError(t, err)
	f.boot()
	clock.pass(2 * time.Second)
	v, err := first.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, v.Members, 1, "found out by the instances that it did not ask for")
	_, err = first.Locate(t.Context(), f.id(0))
	require.ErrorContains(t, err, "another manager has taken it over")
	v, err = second.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, v.Members, 3)
	_, err = second.Locate(t.Context(), f.id(2))
	require.NoError(t, err)

	f.change(func() { f.set.Tags = map[string]string{leaseTag: "first since 2026-01-01T00:00:00Z"} })
	_, err = second.Increase(t.Context(), 1)
	require.NoError(t, err, "an older manager's tag is no new manager")
	clock.pass(time.Minute)
	_, err = second.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "second since 2026-01-02T00:00:00Z", f.set.Tags[leaseTag])
}
