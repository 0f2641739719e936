package instancegroup

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// heard are the calls of an observer, but for Viewed. A group calls with its lock held.
type heard struct {
	calls []string
	views []time.Duration
}

func (h *heard) add(format string, args ...any) {
	h.calls = append(h.calls, fmt.Sprintf(format, args...))
}

func (h *heard) Warmed(n int)                  { h.add("warmed %d", n) }
func (h *heard) WarmStarted(d time.Duration)   { h.add("warm after %s", d) }
func (h *heard) Increased(n int)               { h.add("increased %d", n) }
func (h *heard) IncreaseRefused()              { h.add("refused") }
func (h *heard) Created(after time.Duration)   { h.add("created %s", after) }
func (h *heard) Deleted(after time.Duration)   { h.add("deleted %s", after) }
func (h *heard) Detected(within time.Duration) { h.add("detected %s", within) }
func (h *heard) Removed(reason Removal)        { h.add("removed %s", reason) }
func (h *heard) Lost(n int)                    { h.add("lost %d", n) }
func (h *heard) Viewed(took time.Duration)     { h.views = append(h.views, took) }

func (h *heard) flush() []string {
	calls := h.calls
	h.calls = nil
	return calls
}

func heardOf(t *testing.T, instances int) (*fake, *Group, *clock, *heard) {
	f, g, clock := opened(t, instances)
	h := &heard{}
	g.watch.observer = h
	return f, g, clock, h
}

func TestObserverFollowsAnInstance(t *testing.T) {
	f, g, clock, h := heardOf(t, 1)
	_, err := g.Increase(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, []string{"increased 2"}, h.flush())

	clock.pass(10 * time.Second)
	observed(t, g, 2)
	assert.Empty(t, h.flush(), "they are being created")
	clock.pass(20 * time.Second)
	f.boot()
	observed(t, g, 0)
	assert.Equal(t, []string{"detected 20s", "created 30s", "detected 20s", "created 30s"}, h.flush())
	observed(t, g, 0)
	assert.Empty(t, h.flush())

	id := f.id(1)
	_, err = g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	assert.Equal(t, []string{"removed requested"}, h.flush())
	clock.pass(time.Minute)
	observed(t, g, 0)
	assert.Empty(t, h.flush(), "it is being deleted")
	f.finish()
	clock.pass(5 * time.Second)
	observed(t, g, 0)
	assert.Equal(t, []string{"deleted 1m5s"}, h.flush())
	assert.NotEmpty(t, h.views)
	assert.Empty(t, g.watch.accepted)
}

func TestObserverOfDeaths(t *testing.T) {
	f, g, clock, h := heardOf(t, 3)
	f.vm(0, func(i *vmss.Instance) { i.PowerState = "stopped" })
	f.evict(1)
	clock.pass(10 * time.Second)
	v := refreshed(t, g)
	assert.Equal(t, []string{"removed vanished"}, h.flush())
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Equal(t, []string{"removed powered_off"}, h.flush())
}

// What fails to come up must not leave its acceptance to the next increase.
func TestObserverAssignsAcceptances(t *testing.T) {
	f, g, clock, h := heardOf(t, 1)
	_, err := g.Increase(t.Context(), 3)
	require.NoError(t, err)
	observed(t, g, 3)
	clock.pass(time.Hour)
	f.vm(1, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Failed", "stopped" })
	f.evict(3)
	_, err = g.Decrease(t.Context(), []string{f.id(2)})
	require.NoError(t, err)
	observed(t, g, 0)
	assert.Equal(t, []string{"increased 3", "removed requested", "removed vanished"}, h.flush())
	assert.Empty(t, g.watch.accepted)

	f.foreign(f.set.Capacity + 1) // somebody else's instance has no acceptance
	clock.pass(10 * time.Minute)
	f.boot()
	observed(t, g, 1)
	assert.Equal(t, []string{"detected 10m0s"}, h.flush())
}

func TestObserverOfRefusals(t *testing.T) {
	f, g, clock, h := heardOf(t, 1)
	f.failNext(opWrite, fault{err: azure(armerr.Forbidden, 403)})
	_, err := g.Increase(t.Context(), 2)
	require.Error(t, err)
	assert.Equal(t, []string{"refused"}, h.flush())
	assert.Equal(t, 15*time.Second, SnapshotOf(g).PauseRefused)
	n, err := g.Increase(t.Context(), 2)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Empty(t, h.flush(), "nothing was tried")

	clock.pass(time.Minute)
	raisedBy(t, f, g, 2, 0)
	f.failures["1"] = azure(armerr.Allocation, 0)
	clock.pass(5 * time.Minute)
	f.foreign(1)
	lost := 0
	for range 3 {
		lost += observed(t, g, 0)
		clock.pass(2 * time.Minute)
	}
	assert.Equal(t, 2, lost)
	assert.Equal(t, []string{"increased 2", "lost 2"}, h.flush())
	assert.Positive(t, g.backoffs.start.failures)
}

// Without an observer nothing is kept.
func TestNoObserver(t *testing.T) {
	var w watch
	w.increased(3, errors.New("x"), start)
	w.reconciled(&View{}, 1, 1)
	w.removed(nil)
	w.viewed(start, start)
	w.changed(listing{base: &View{}}, changes{settled: []settlement{{state: Running}}, gone: []string{"x"}}, &deletions{}, start)
	assert.Zero(t, w)
}

func TestRemovals(t *testing.T) {
	for reason, want := range map[string]Removal{
		"":                            Requested,
		"provisioning failed":         ProvisioningFailed,
		"provisioning failed: quota":  ProvisioningFailed,
		"its power state is stopping": PoweredOff,
		"odd":                         OtherRemoval,
	} {
		assert.Equal(t, want, removalOf(reason), reason)
		assert.Contains(t, Removals(), want)
	}
}

// TestRemovalsOfRealReasons takes the texts from where they are made.
func TestRemovalsOfRealReasons(t *testing.T) {
	of := func(change func(*Member), spot bool) Removal {
		m := member("a", Running, change)
		m.HasView = true
		m.State, m.Reason = stateOf(m.Instance, nil, spot, true)
		m.applyTimeouts(Timeouts{Creation: time.Minute, FailedGrace: -1}, start.Add(time.Hour))
		require.Equal(t, Dead, m.State)
		return removalOf(m.Reason)
	}
	assert.Equal(t, PoweredOff, of(func(m *Member) { m.PowerState = "stopped" }, false))
	assert.Equal(t, Evicted, of(func(m *Member) { m.PowerState = "deallocated" }, true))
	assert.Equal(t, ProvisioningFailed, of(func(m *Member) { m.ProvisioningState, m.PowerState, m.Failure = "Failed", "stopped", "odd" }, false))
	assert.Equal(t, ProvisioningFailed, of(func(m *Member) { m.ProvisioningState, m.PowerState = "Failed", "" }, false))
	assert.Equal(t, ProvisioningFailed, of(func(m *Member) { m.ProvisioningState, m.failed = "Failed", start }, false))
	assert.Equal(t, CreationLimit, of(func(m *Member) { m.ProvisioningState, m.first = "Creating", start }, false))
	assert.Equal(t, CreationLimit, of(func(m *Member) { m.VMID, m.PowerState = "", "starting" }, false))
}

func TestSnapshot(t *testing.T) {
	f, g, clock := opened(t, 3)
	f.foreign(5)
	f.vm(0, func(i *vmss.Instance) { i.PowerState = "stopped" })
	clock.pass(time.Second)
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	v := refreshed(t, g)
	s := SnapshotOf(g)
	assert.Equal(t, map[State]int{Creating: 3, Running: 2, Suspending: 0, Suspended: 0, Resuming: 0, Deleting: 0, Dead: 1}, s.Instances)
	assert.Equal(t, v.At, s.Viewed)
	assert.EqualValues(t, 5, s.Capacity, "as it was read")
	assert.Equal(t, 1, s.Pending)
	assert.False(t, s.LeaseHeld || s.LeaseLost)

	g.lease.acquired = true
	assert.True(t, SnapshotOf(g).LeaseHeld)
	g.lease.lost = &leaseLostError{"x"}
	s = SnapshotOf(g)
	assert.True(t, s.LeaseLost && !s.LeaseHeld)
	g.recordStartsLocked(0, 20, "x", errors.New("x"))
	assert.Equal(t, 15*time.Second, SnapshotOf(g).PauseFailedStarts)
}
