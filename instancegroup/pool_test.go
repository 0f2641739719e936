package instancegroup

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// keeper is a group with a warm pool, as the runner's updates drive it.
type keeper struct {
	*sleeper
	size int
	seen map[string]bool // by the runner
}

func newKeeper(t *testing.T, f *fake, size int) *keeper {
	t.Helper()
	f.set.Model.Fingerprint = "m1"
	k := &keeper{&sleeper{T: t, fake: f}, size, nil}
	k.restart()
	return k
}

func (k *keeper) restart() {
	k.seen = map[string]bool{}
	k.Group, k.clock = k.openWith(k, Options{WarmPool: k.size})
	k.update()
}

// update returns what the runner is told.
func (k *keeper) update() (told []string) {
	k.Helper()
	k.clock.pass(31 * time.Second)
	v, err := k.Observe(k.Context())
	require.NoError(k, err)
	discovered := 0
	for _, m := range v.Members {
		if !k.seen[m.MemberID] {
			discovered++
		}
		k.seen[m.MemberID] = true
	}
	k.ReconcilePending(k.Context(), v, discovered)
	require.NoError(k, k.Reap(k.Context(), v))
	k.KeepWarm(k.Context())
	for _, m := range v.Members {
		told = append(told, m.State.String())
	}
	slices.Sort(told)
	return told
}

// settle lets what is under way come to its end.
func (k *keeper) settle() {
	k.Helper()
	for range 8 {
		k.boot()
		k.settlePower()
		k.finish()
		k.update()
	}
}

func (k *keeper) powers() map[string]int {
	all := map[string]int{}
	for _, i := range k.vms {
		all[i.PowerState]++
	}
	return all
}

func TestWarmPool(t *testing.T) {
	k := newKeeper(t, newFake(1), 2)
	k.settle()
	assert.Equal(t, []string{"running"}, k.update(), "the runner sees its own alone")
	assert.Equal(t, map[string]int{"running": 1, "deallocated": 2}, k.powers())
	writes := k.count(opWrite)
	n, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, writes, k.count(opWrite), "it comes from the pool")
	assert.Equal(t, []string{"creating", "running"}, k.update())
	k.settle()
	assert.Equal(t, []string{"running", "running"}, k.update())
	assert.Equal(t, map[string]int{"running": 2, "deallocated": 2}, k.powers(), "and the pool is filled again")
	assert.Zero(t, k.ledger.pending()+k.ledger.taken+k.ledger.warming())

	n, err = k.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, n, "two from the pool, three are created")
	k.settle()
	assert.Len(t, k.update(), 7)
	assert.Equal(t, map[string]int{"running": 7, "deallocated": 2}, k.powers())
}

// TestWarmPoolOutlivesTheProcess at each point.
func TestWarmPoolOutlivesTheProcess(t *testing.T) {
	for _, bare := range []bool{false, true} {
		f := newFake(0)
		if f.bare = bare; bare {
			f.set.Mode = vmss.Flexible
		}
		k := newKeeper(t, f, 2)
		k.settle()
		require.Equal(t, map[string]int{"deallocated": 2}, k.powers())
		k.restart()
		k.settle()
		assert.Empty(t, k.update())
		assert.Equal(t, map[string]int{"deallocated": 2}, k.powers(), "they are its own")

		k.vm(0, func(i *vmss.Instance) { i.PowerState = "running" }) // marked, and not deallocated yet
		k.restart()
		assert.Empty(t, k.update())
		k.settle()
		assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())

		k.vm(0, func(i *vmss.Instance) { i.Mark = vmss.Unmarked }) // taken, and not started
		k.restart()
		k.settle()
		assert.Len(t, k.deleted, 1)
		assert.Equal(t, map[string]int{"deallocated": 2}, k.powers(), "it is replaced")
	}
}

// TestWarmPoolCrashBeforeTheMark: the runner gets what nobody has marked.
func TestWarmPoolCrashBeforeTheMark(t *testing.T) {
	k := newKeeper(t, newFake(0), 2)
	k.update()
	require.Len(t, k.vms, 2)
	k.restart()
	k.boot()
	assert.Equal(t, []string{"running", "running"}, k.update())
}

// TestWarmPoolTakesNoUsedOne: what the runner has had never returns.
func TestWarmPoolTakesNoUsedOne(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	first := k.vms[0].VMID
	_, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	k.settle()
	for _, i := range k.vms {
		if i.VMID == first {
			assert.Equal(t, "running", i.PowerState)
			assert.Equal(t, vmss.Unmarked, i.Mark)
		}
	}
	k.restart()
	k.settle()
	assert.Equal(t, []string{"running"}, k.update())
}

// TestWarmPoolWaitsForDemand: what the runner waits for goes first.
func TestWarmPoolWaitsForDemand(t *testing.T) {
	k := newKeeper(t, newFake(0), 3)
	require.Len(t, k.vms, 3, "that no list has shown yet")
	n, err := k.Increase(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	k.fake.hidden[k.vms[3].VMID], k.fake.hidden[k.vms[4].VMID] = true, true // they are late
	assert.Len(t, k.update(), 2, "the first two are the runner's, whatever they were made for")
	clear(k.fake.hidden)
	k.settle()
	assert.Equal(t, []string{"running", "running"}, k.update())
	assert.Equal(t, 3, k.powers()["deallocated"])

	f := newFake(0)
	f.remaining[vmss.WriteScaleSet] = 0
	k = newKeeper(t, f, 3)
	n, err = k.Increase(t.Context(), 2)
	require.NoError(t, err)
	require.Zero(t, n)
	delete(k.remaining, vmss.WriteScaleSet)
	k.update()
	assert.Empty(t, k.vms, "demand is unmet")
}

// TestWarmPoolWaitsForWhatIsPending: demand is met once the runner has its instances.
func TestWarmPoolWaitsForWhatIsPending(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	n, err := k.Increase(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	k.fake.hidden[k.vms[1].VMID], k.fake.hidden[k.vms[2].VMID] = true, true // they are late
	for range 3 {
		k.update()
		require.Len(t, k.vms, 3)
	}
	clear(k.fake.hidden)
	k.settle()
	assert.Equal(t, []string{"running", "running", "running"}, k.update())
	assert.Equal(t, 1, k.powers()["deallocated"])
}

// TestWarmPoolTakenWhileItIsRead: between its mark and its start it is off without a mark.
func TestWarmPoolTakenWhileItIsRead(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	k.restart() // which knows its mark alone
	k.enter = func(op string, _ int) {
		if op == opStart {
			_, err := k.forceRefresh(t.Context())
			assert.NoError(t, err)
		}
	}
	_, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, []string{"creating"}, k.update())
	k.settle()
	assert.Equal(t, []string{"running"}, k.update())
	assert.Empty(t, k.deleted)
}

// TestWarmPoolThatCannotStart is replaced, and the runner gets new ones.
func TestWarmPoolThatCannotStart(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.Allocation, armerr.Quota} {
		k := newKeeper(t, newFake(0), 1)
		k.settle()
		k.refuse, k.refusal = k.vms[0].InstanceID, kind
		n, err := k.Increase(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, 1, n, "one is created")
		k.refuse = ""
		k.settle()
		assert.Equal(t, []string{"running"}, k.update())
		assert.Equal(t, map[string]int{"running": 1, "deallocated": 1}, k.powers())
		assert.Len(t, k.deleted, map[armerr.Kind]int{armerr.Allocation: 1}[kind], kind.String())
		k.clock.pass(time.Hour)
		starts := k.count(opStart)
		_, err = k.Increase(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, starts+1, k.count(opStart), "it is tried again")
	}
}

// TestWarmPoolStartMeetsAMark: Azure starts none whose tags are being written. That is waited
// for once.
func TestWarmPoolStartMeetsAMark(t *testing.T) {
	for _, conflicts := range []int{1, 2} {
		k := newKeeper(t, newFake(0), 2)
		k.settle()
		k.marking = "mark"
		writes, polls := k.count(opWrite), k.count(opProgress)
		for range conflicts {
			k.failNext(opStart, fault{err: azure(armerr.Conflict, 409)})
		}
		n, err := k.Increase(t.Context(), 2)
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		assert.Positive(t, k.count(opProgress)-polls)
		assert.Equal(t, conflicts == 1, writes == k.count(opWrite), "they come from the pool")
		assert.Equal(t, 2, k.count(opStart))
	}
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	k.failNext(opStart, fault{err: azure(armerr.Conflict, 409)})
	_, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, k.count(opStart), "nothing is being written")
}

// TestWarmPoolStartsFailLater: the runner is told, and gets another.
func TestWarmPoolStartsFailLater(t *testing.T) {
	k := newKeeper(t, newFake(0), 1)
	k.settle()
	id := k.id(0)
	_, err := k.Increase(t.Context(), 1)
	require.NoError(t, err)
	k.failures[k.operationOf(id)] = azure(armerr.Allocation, 0)
	k.vm(0, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "deallocated" })
	assert.Equal(t, []string{"creating"}, k.update())
	assert.Contains(t, [][]string{k.update(), k.update()}, []string{"dead"})
	assert.Zero(t, k.ledger.taken)
}

func (k *keeper) operationOf(id string) vmss.Operation { return k.suspensions.of(id).by.id }

// TestWarmPoolAfterAChangeOfTheModel: no instance of the old one is given out.
func TestWarmPoolAfterAChangeOfTheModel(t *testing.T) {
	k := newKeeper(t, newFake(0), 2)
	k.settle()
	old := []string{k.vms[0].VMID, k.vms[1].VMID}
	k.change(func() { k.set.Model.Fingerprint = "m2" })
	_, err := k.readScaleSet(t.Context())
	require.NoError(t, err)
	assert.Empty(t, k.readyInPool(2))
	k.settle()
	assert.ElementsMatch(t, old, k.deleted)
	assert.Equal(t, map[string]int{"deallocated": 2}, k.powers())
	assert.Len(t, k.readyInPool(2), 2)
}

// TestSmallerWarmPool: what is too much goes, also when there is none any longer.
func TestSmallerWarmPool(t *testing.T) {
	k := newKeeper(t, newFake(1), 3)
	k.settle()
	require.Len(t, k.vms, 4)
	for _, k.size = range []int{1, 0} {
		k.restart()
		k.settle()
		assert.Len(t, k.vms, 1+k.size)
		assert.Equal(t, []string{"running"}, k.update())
	}
}

// TestWarmPoolBehindABlindIdentity: an empty list is no proof that the pool's instances
// were never made, whether their operation failed or not.
func TestWarmPoolBehindABlindIdentity(t *testing.T) {
	for _, fails := range []bool{false, true} {
		for _, may := range []bool{false, true} {
			k := newKeeper(t, newFake(0), 2)
			require.Len(t, k.vms, 2)
			if fails {
				k.failures["1"] = azure(armerr.Allocation, 0)
			}
			if may { // somebody has deleted them
				k.change(func() { k.vms = nil; k.set.Capacity = 0 })
			} else {
				k.fake.hidden[k.vms[0].VMID], k.fake.hidden[k.vms[1].VMID] = true, true
				k.refuseReads = true
			}
			k.finish()
			for range 300 { // more than two hours
				k.clock.pass(31 * time.Second)
				if v, err := k.Observe(t.Context()); err == nil {
					k.ReconcilePending(t.Context(), v, 0)
				}
				k.KeepWarm(t.Context())
			}
			if may {
				k.settle()
				assert.Equal(t, map[string]int{"deallocated": 2}, k.powers(), "fails: %t", fails)
				continue
			}
			assert.Len(t, k.vms, 2, "fails: %t", fails)
		}
	}
}

// TestWarmPoolTakesNoOlderOne: the first list of a process may lack what the one before it
// has told the runner of.
func TestWarmPoolTakesNoOlderOne(t *testing.T) {
	f := newFake(3)
	now := time.Unix(1e9, 0)
	for n := range f.vms {
		f.vms[n].Created = now.Add(-time.Second)
	}
	f.set.ReadAt, f.set.Mode = now, vmss.Flexible
	f.hidden[f.vms[1].VMID], f.hidden[f.vms[2].VMID] = true, true
	k := newKeeper(t, f, 2)
	require.Len(t, k.vms, 5)
	k.vm(3, func(i *vmss.Instance) { i.Created = now })
	k.vm(4, func(i *vmss.Instance) { i.Created = now.Add(time.Second) })
	k.fake.hidden[k.vms[4].VMID] = true
	delete(k.fake.hidden, k.vms[1].VMID)
	delete(k.fake.hidden, k.vms[2].VMID)
	assert.Len(t, k.update(), 3)
	clear(k.fake.hidden)
	k.settle()
	assert.Len(t, k.update(), 3)
	assert.Equal(t, map[string]int{"running": 3, "deallocated": 2}, k.powers())
}
