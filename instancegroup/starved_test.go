package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestUndeletableStarvesNobody: a dead instance that Azure refuses to delete,
// whatever it says, must not delay the deletions that the runner asks for.
func TestUndeletableStarvesNobody(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.InstanceGone, armerr.Forbidden, armerr.Invalid} {
		t.Run(kind.String(), func(t *testing.T) {
			f, g, clock := opened(t, 32)
			f.vm(0, func(i *vmss.Instance) { i.PowerState = "stopped" })
			f.refuse, f.refusal = f.vms[0].InstanceID, kind
			var waited, longest time.Duration
			for n := 1; n < 31; n++ {
				id, asked := f.id(n), clock.now()
				for deleted := false; !deleted; {
					v, err := g.Refresh(t.Context())
					require.NoError(t, err)
					done, _ := g.Decrease(t.Context(), []string{id})
					deleted = len(done) > 0
					_ = g.Reap(t.Context(), v)
					clock.pass(6 * time.Second)
				}
				wait := clock.now().Sub(asked)
				waited += wait
				longest = max(longest, wait)
			}
			assert.LessOrEqual(t, waited, 4*time.Minute, "30 deletions, each at the first update after a wait of at most one backoff")
			assert.LessOrEqual(t, longest, 30*time.Second)
			assert.Less(t, f.count(opDelete), 60)
		})
	}
}

// TestDeletionsNeedNoLists: a neighbour may use up the limit on lists for a long
// time.
func TestDeletionsNeedNoLists(t *testing.T) {
	f, g, clock := opened(t, 40)
	clock.pass(proofAge + 1)
	f.lists = 0
	var ids, done []string
	for n := range 40 {
		ids = append(ids, f.id(n))
	}
	for range 3 {
		more, err := g.Decrease(t.Context(), ids)
		require.NoError(t, err)
		done = append(done, more...)
		clock.pass(10 * time.Second)
	}
	assert.Subset(t, done, ids)
	assert.Len(t, f.deleted, 40)
	assert.Equal(t, 3, f.count(opDelete))
}

// TestLockIsNotSplit: a lock on the scale set meets every instance.
func TestLockIsNotSplit(t *testing.T) {
	f, g, clock := opened(t, 8)
	var ids []string
	for n := range 8 {
		ids = append(ids, f.id(n))
	}
	for range 10 {
		f.failNext(opDelete, fault{err: &armerr.Error{Kind: armerr.Forbidden, Status: 409, Code: "ScopeLocked", Message: "The scope '/subscriptions/x/resourceGroups/ci/providers/Microsoft.Compute/virtualMachineScaleSets/ci' cannot perform delete operation because following scope(s) are locked"}})
		_, _ = g.Decrease(t.Context(), ids)
		clock.pass(5 * time.Minute)
	}
	assert.Equal(t, 10, f.count(opDelete))
}

// TestReapVerifies: the number of a dead instance may belong to another one by
// the time it is deleted (F17), however fresh the view is.
func TestReapVerifies(t *testing.T) {
	for _, dead := range []int{1, 20} {
		f, g, _ := opened(t, 30)
		for n := range dead {
			f.vm(n, func(i *vmss.Instance) { i.PowerState = "stopped" })
		}
		v := refreshed(t, g)
		f.vm(0, func(i *vmss.Instance) { i.VMID, i.PowerState = "ffffffff-new", "running" })
		require.NoError(t, g.Reap(t.Context(), v))
		assert.Len(t, f.deleted, dead-1)
		assert.NotContains(t, f.deleted, "ffffffff-new")
	}
}

// TestRefusedForSize: what fits is taken, whatever the refusal's words (Case 08).
func TestRefusedForSize(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.Quota, armerr.Allocation, armerr.Invalid, armerr.Unknown} {
		for _, c := range []struct{ wanted, fits, accepted int }{{10, 5, 5}, {9, 4, 4}, {16, 1, 1}, {5, 0, 0}, {1, 0, 0}, {100, 30, 25}} {
			f, g, _ := opened(t, 1)
			f.most, f.mostKind = 1+int64(c.fits), kind
			accepted, err := g.Increase(t.Context(), c.wanted)
			assert.Equal(t, c.accepted, accepted, "%s: %+v", kind, c)
			assert.Equal(t, accepted == 0, err != nil)
			_, err = g.Increase(t.Context(), c.wanted)
			assert.Equal(t, accepted > 0, err != nil, "what was left out is told with the next call")
			assert.LessOrEqual(t, f.count(opWrite), 7)
		}
	}
}

// While nothing is accepted, each further attempt is one write, and once something
// is, all is asked for again.
func TestRefusedForSizeCostsLittle(t *testing.T) {
	f, g, clock := opened(t, 1)
	f.most, f.mostKind = 1, armerr.Allocation
	for range 40 {
		_, _ = g.Increase(t.Context(), 20)
		clock.pass(15 * time.Second)
	}
	assert.LessOrEqual(t, f.count(opWrite), 5+6)
	f.change(func() { f.most = 100 })
	clock.pass(10 * time.Minute)
	for _, want := range []int{1, 19} {
		accepted, err := g.Increase(t.Context(), want)
		require.NoError(t, err)
		assert.Equal(t, want, accepted)
	}
}

// TestRestartBesideAnUpdate: Azure may be changing an instance, with its job, when
// the plugin begins: told as being created, the runner would drop its job's state.
func TestRestartBesideAnUpdate(t *testing.T) {
	f := newFake(2)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Updating" })
	f.vm(1, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Updating", "" })
	g, clock := f.open(t)
	v := refreshed(t, g)
	assert.Equal(t, Running, v.Find(f.id(0)).State)
	assert.True(t, v.Find(f.id(0)).Private.IsValid())
	assert.Equal(t, Creating, v.Find(f.id(1)).State)
	clock.pass(openingTime)
	f.foreign(3)
	f.vm(2, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Updating", "running" })
	assert.Equal(t, Creating, refreshed(t, g).Find(f.id(2)).State, "a new one has not served yet")
}

// TestCapacityThatFallsLate: the capacity may count instances that are being
// deleted until they are gone: they leave nothing to fill.
func TestCapacityThatFallsLate(t *testing.T) {
	f, g, _ := opened(t, 5)
	f.late = true
	var ids []string
	for n := range 4 {
		ids = append(ids, f.id(n))
	}
	_, err := g.Decrease(t.Context(), ids)
	require.NoError(t, err)
	refreshed(t, g)
	accepted, err := g.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, accepted)
	assert.Equal(t, []int64{10}, f.writes)
}

// TestReadThatSaysInvalid: a GET might say InvalidParameter for an instance that
// does not exist, as a deletion does.
func TestReadThatSaysInvalid(t *testing.T) {
	f, g, _ := opened(t, 2)
	id := f.id(0)
	f.evict(0)
	f.failNext(opGet, fault{err: azure(armerr.InstanceGone, 400)})
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{id}, v.Gone)
}

// TestDeletionsLowerTheTarget: what has been deleted explains a capacity below
// that of the last increase.
func TestDeletionsLowerTheTarget(t *testing.T) {
	f, g, _ := opened(t, 5)
	_, err := g.Increase(t.Context(), 2)
	require.NoError(t, err)
	_, err = g.Decrease(t.Context(), []string{f.id(0), f.id(1), f.id(2)})
	require.NoError(t, err)
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted, "the capacity is not taken for outdated")
}

// TestNothingIsKeptOfTheGone: an instance leaves nothing behind in memory.
func TestNothingIsKeptOfTheGone(t *testing.T) {
	f, g, clock := opened(t, 3)
	_, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err)
	require.NotEmpty(t, g.deletions.accepted)
	f.finish()
	clock.pass(2 * pollInterval)
	_, err = g.Observe(t.Context())
	require.NoError(t, err)
	assert.Empty(t, g.deletions.accepted)
	assert.Empty(t, g.deletions.batches)
	assert.Len(t, g.inventory.addresses, 2)
	clock.pass(goneMemory)
	refreshed(t, g)
	assert.Empty(t, g.inventory.gone)
}
