package instancegroup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// quotaUsedUp refuses further instances.
func (k *keeper) quotaUsedUp() { k.most, k.mostKind = k.set.Capacity, armerr.Quota }

// TestWarmPoolHasTheOwnKey: the model gets it before the first instance is made for the
// pool, and one that comes up afterwards is of the model that it was made from.
func TestWarmPoolHasTheOwnKey(t *testing.T) {
	f := newFake(0)
	f.set.Model.Fingerprint = "m1"
	k := &keeper{sleeper: &sleeper{T: t, fake: f}, size: 2, seen: map[string]bool{}}
	k.Group, k.clock = k.openWith(k, Options{WarmPool: 2, SSHKeys: addOwnKey})
	k.update()
	assert.Equal(t, 1, f.count(opKeys))
	assert.Empty(t, f.writes)
	k.update()
	assert.Equal(t, 1, f.count(opKeys))
	assert.Equal(t, []int64{2}, f.writes)
}

// TestWarmPoolOfTheModelItWasMadeFrom: the model changes while they are being made.
func TestWarmPoolOfTheModelItWasMadeFrom(t *testing.T) {
	f := newFake(0)
	f.set.Model.Fingerprint = "m1"
	k := newKeeper(t, f, 2)
	first := []string{k.vms[0].VMID, k.vms[1].VMID}
	k.set.Model.Fingerprint = "m2"
	require.NoError(t, k.refreshModel())
	for range 3 {
		k.settle()
	}
	assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())
	for _, i := range k.vms {
		assert.NotContains(t, first, i.VMID)
		assert.Equal(t, vmss.Warm("m2"), i.Mark)
	}
}

// TestWarmPoolOfProtectedInstances: somebody protects each new one from scale-in, which by
// policy is how a suspended one is marked.
func TestWarmPoolOfProtectedInstances(t *testing.T) {
	k := newKeeper(t, newFake(0), 2)
	for n := range k.vms {
		k.vm(n, func(i *vmss.Instance) { i.Mark, i.ByPolicy = vmss.Suspended, true })
	}
	k.settle()
	assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())
}

// refreshModel has the group read the scale set.
func (k *keeper) refreshModel() error {
	_, err := k.readScaleSet(k.Context())
	return err
}

// TestWarmPoolOfUnknownAge: without a time of creation, only what no earlier process can
// have known is taken. The first list lacks two, and the capacity counts them.
func TestWarmPoolOfUnknownAge(t *testing.T) {
	f := newFake(2)
	f.set.Mode = vmss.Flexible
	for _, i := range f.vms {
		f.hidden[i.VMID] = true
	}
	k := newKeeper(t, f, 2)
	require.Len(t, k.vms, 4)
	clear(k.fake.hidden)
	k.settle()
	assert.Equal(t, map[string]int{"running": 4}, k.powers())
}

// TestWarmPoolThatFailsLater: Azure accepts and then makes nothing. It is asked at growing
// intervals.
func TestWarmPoolThatFailsLater(t *testing.T) {
	f := newFake(0)
	f.set.Mode, f.set.Model.Fingerprint = vmss.Flexible, "m1"
	k := newKeeper(t, f, 2)
	for range 120 { // an hour
		for n := range k.begun {
			k.failures[vmss.Operation(fmt.Sprint(n+1))] = azure(armerr.Allocation, 409)
		}
		k.vms = nil
		k.update()
	}
	assert.Less(t, len(k.writes), 15)
	assert.ErrorContains(t, k.Shortage(), "warm pool")
}

// TestWarmPoolThatNeverShows: Azure makes nothing, and does not say so. Each wait is twice
// as long as the one before.
func TestWarmPoolThatNeverShows(t *testing.T) {
	f := newFake(1)
	f.set.Mode = vmss.Flexible
	k := newKeeper(t, f, 2)
	for range 720 { // six hours
		k.vms = k.vms[:1]
		k.finish()
		k.update()
	}
	assert.Less(t, len(k.writes), 8)
	assert.Greater(t, len(k.writes), 3)
}

// TestMarksAreWrittenWhileTheQuotaIsUsedUp, and what is booted is put to sleep.
func TestMarksAreWrittenWhileTheQuotaIsUsedUp(t *testing.T) {
	k := newKeeper(t, newFake(0), 2)
	k.size = 4
	k.Group.pool.size = 4
	k.quotaUsedUp()
	k.finish()
	for range 8 {
		k.Group.pool.backoff.fail(k.clock.now(), azure(armerr.Quota, 409))
	}
	k.boot()
	for range 4 {
		k.settlePower()
		k.update()
	}
	require.True(t, k.Group.pool.backoff.active(k.clock.now()))
	assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())
}

// TestWarmPoolWithoutMarks: what cannot be marked is not kept, and what is refused besides
// does not count.
func TestWarmPoolWithoutMarks(t *testing.T) {
	k := newKeeper(t, newFake(0), 2)
	for range 40 { // a pool that is refused for its size
		k.failNext(opMark, fault{err: azure(armerr.Conflict, 409)})
		k.boot()
		k.update()
	}
	assert.Zero(t, k.Group.pool.size)
	assert.Empty(t, k.living())
}

// living are the VMs that nobody has asked Azure to delete.
func (k *keeper) living() (ids []string) {
	for _, i := range k.vms {
		if !slices.Contains(k.deleted, i.VMID) {
			ids = append(ids, i.VMID)
		}
	}
	return ids
}

// TestWarmPoolWriteWithoutAResponse is settled by the pool itself.
func TestWarmPoolWriteWithoutAResponse(t *testing.T) {
	for _, late := range []bool{false, true} {
		warmPoolWriteWithoutAResponse(t, late)
	}
}

func warmPoolWriteWithoutAResponse(t *testing.T, late bool) {
	t.Helper()
	f := newFake(0)
	f.set.Model.Fingerprint = "m1"
	k := &keeper{sleeper: &sleeper{T: t, fake: f}, size: 2, seen: map[string]bool{}}
	f.failNext(opWrite, fault{err: azure(armerr.Transient, 503), took: true})
	f.failNext(opSet, fault{}, fault{}, fault{err: azure(armerr.Transient, 503)}) // of the open, of the write, and after it
	k.Group, k.clock = k.openWith(k, Options{WarmPool: 2})
	k.update()
	require.NotNil(t, k.ledger.uncertain)
	if late { // the lists lack them at first
		k.fake.hidden[k.vms[0].VMID], k.fake.hidden[k.vms[1].VMID] = true, true
		k.update()
		clear(k.fake.hidden)
	}
	assert.Empty(t, k.update(), "they are the pool's")
	k.settle()
	assert.Empty(t, k.update())
	assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())
	assert.Equal(t, []int64{2}, k.writes)
}

// TestWarmPoolWriteWithoutEffect: it is sent again.
func TestWarmPoolWriteWithoutEffect(t *testing.T) {
	f := newFake(0)
	f.failNext(opWrite, fault{err: azure(armerr.Transient, 500)})
	k := newKeeper(t, f, 2)
	require.Empty(t, k.writes)
	k.clock.pass(time.Minute)
	k.update()
	assert.Equal(t, []int64{2}, k.writes)
}

// TestWarmPoolIsNotFilledWhileAWriteIsUncertain that the runner waits for.
func TestWarmPoolIsNotFilledWhileAWriteIsUncertain(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	k.failNext(opWrite, fault{err: azure(armerr.Transient, 503)})
	k.failNext(opSet, fault{}, fault{err: azure(armerr.Transient, 503)})
	_, _ = k.Increase(t.Context(), 2)
	require.NotNil(t, k.ledger.uncertain)
	writes, reads := len(k.writes), k.count(opSet)
	k.Group.pool.unmet = time.Time{}
	k.update()
	assert.Len(t, k.writes, writes)
	assert.Equal(t, reads, k.count(opSet))
	require.NotNil(t, k.ledger.uncertain, "the runner asks for it again")
}

// TestRefusedScaleSetIsNotFilled: its upgrade policy is another one now.
func TestRefusedScaleSetIsNotFilled(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	k.set.Model.Upgrade.Mode = "Automatic"
	k.touch()
	n, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	k.Group.pool.unmet = time.Time{}
	for range 5 {
		k.boot()
		k.settlePower()
		k.finish()
		k.update()
	}
	assert.Len(t, k.vms, 1)
}

// TestPoolMarkOfAnOldView: the runner has one that a list, behind another, shows as the
// pool's.
func TestPoolMarkOfAnOldView(t *testing.T) {
	k := newKeeper(t, newFake(1), 0)
	require.Equal(t, []string{"running"}, k.update())
	k.vm(0, func(i *vmss.Instance) { i.Mark, i.PowerState = vmss.Warm("m1"), "deallocated" })
	assert.Len(t, k.update(), 1, "what the runner was told of stays its own")
}

// TestPoolMarkOfTheFirstView: an earlier process has just given it to the runner.
func TestPoolMarkOfTheFirstView(t *testing.T) {
	f := newFake(1)
	f.vm(0, func(i *vmss.Instance) { i.Mark, i.PowerState = vmss.Warm("m1"), "deallocated" })
	k := newKeeper(t, f, 1)
	n, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Zero(t, f.count(opStart), "the list may be two minutes old")
	k.vm(0, func(i *vmss.Instance) { i.Mark, i.PowerState = vmss.Unmarked, "running" })
	assert.Contains(t, k.update(), "running")
}

// TestGoneFromThePool: the runner hears nothing of it.
func TestGoneFromThePool(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	gone := k.last().Members[0].MemberID
	k.vms = nil
	k.update()
	v, err := k.Observe(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, v.Gone, gone)
	assert.Contains(t, k.last().Gone, gone)
}

// TestFirstBootIsDone before an instance is put to sleep.
func TestFirstBootIsDone(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.boot()
	k.update()
	began := k.clock.now()
	for len(k.powered) == 0 && k.clock.now().Sub(began) < time.Hour {
		k.update()
	}
	assert.GreaterOrEqual(t, k.clock.now().Sub(began), warmSettle)
}
