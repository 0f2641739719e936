package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// opened is a group that has seen its instances run.
func opened(t *testing.T, instances int) (*fake, *Group, *clock) {
	t.Helper()
	f := newFake(instances)
	f.reuse = true
	g, clock := f.open(t)
	_, err := g.Refresh(t.Context())
	require.NoError(t, err)
	return f, g, clock
}

func TestDecrease(t *testing.T) {
	f, g, _ := opened(t, 4)
	a, b := f.id(0), f.id(2)
	done, err := g.Decrease(t.Context(), []string{a, b, a})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{a, b}, done)
	assert.Equal(t, [][]string{{"1", "3"}}, f.sent)
	assert.EqualValues(t, 2, f.set.Capacity)
	assert.Empty(t, f.writes, "the capacity is Azure's to lower")

	done, err = g.Decrease(t.Context(), []string{a})
	require.NoError(t, err)
	assert.Equal(t, []string{a}, done)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Succeeded" }) // a list that lags (F19)
	_, err = g.Decrease(t.Context(), []string{a})
	require.NoError(t, err)
	assert.Len(t, f.sent, 1, "what is being deleted is not sent again")
}

// TestDecreaseByIdentity is F17: the number is free again and another's.
func TestDecreaseByIdentity(t *testing.T) {
	f, g, _ := opened(t, 3)
	f.reuse = true
	old, number := f.id(1), f.vms[1].InstanceID
	f.evict(1)
	f.foreign(3)
	f.vm(2, func(i *vmss.Instance) {
		i.InstanceID, i.ID, i.Name = number, "/x/virtualMachines/"+number, "ci_"+number
	})
	f.boot()
	done, err := g.Decrease(t.Context(), []string{old})
	require.NoError(t, err)
	assert.Equal(t, []string{old}, done)
	assert.Empty(t, f.sent)
	assert.Empty(t, f.deleted)
	assert.Contains(t, refreshed(t, g).Gone, old)
}

// TestDecreaseWithoutVMID has the number of a known instance in the list and no
// vmId: it may be the instance, or one that came after it (F17, F27).
func TestDecreaseWithoutVMID(t *testing.T) {
	f, g, clock := opened(t, 2)
	a, b := f.id(0), f.id(1)
	f.blank[f.vms[0].VMID] = true
	done, err := g.Decrease(t.Context(), []string{a, b})
	require.ErrorContains(t, err, `delete instance "`+a+`" of scale set "ci": Azure's response holds no vmId`)
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, []string{b}, done)
	assert.Equal(t, [][]string{{f.vms[1].InstanceID}}, f.sent)

	clock.pass(time.Minute)
	f.failNext(opGet, fault{err: azure(armerr.Throttled, 429)})
	done, err = g.Decrease(t.Context(), []string{a})
	require.NoError(t, err, "the runner asks again")
	assert.Empty(t, done)
	clock.pass(time.Minute)

	f.vm(0, func(i *vmss.Instance) { i.VMID, i.ProvisioningState = "ffffffff-new", "Succeeded" })
	f.blank["ffffffff-new"] = true // the list has none yet, the instance itself does
	f.enter = func(op string, _ int) {
		f.change(func() { f.blank["ffffffff-new"] = op == opList })
	}
	done, err = g.Decrease(t.Context(), []string{a})
	require.NoError(t, err)
	assert.Equal(t, []string{a}, done)
	assert.Len(t, f.deleted, 1)
}

// TestDecreaseWithOneGone is F16: Azure refuses a batch for one unknown number.
func TestDecreaseWithOneGone(t *testing.T) {
	for _, stale := range []bool{false, true} {
		f, g, _ := opened(t, 3)
		ids := []string{f.id(0), f.id(1), f.id(2)}
		f.enter = func(op string, call int) {
			if op == opDelete && call == 1 {
				target := f.vms[1]
				f.evict(1)
				if stale { // the list shows it for a while
					f.extra = []vmss.Instance{target}
				}
			}
		}
		done, err := g.Decrease(t.Context(), ids)
		require.NoError(t, err)
		assert.ElementsMatch(t, ids, done)
		assert.Len(t, f.deleted, 2)
		assert.LessOrEqual(t, f.count(opDelete), deleteAttempts)
	}
}

func TestDecreaseRefusedEachTime(t *testing.T) {
	f, g, _ := opened(t, 2)
	gone := azure(armerr.InstanceGone, 400)
	f.failNext(opDelete, fault{err: gone}, fault{err: gone}, fault{err: gone}, fault{err: gone})
	done, err := g.Decrease(t.Context(), []string{f.id(0), "ci_9-00000000"})
	require.ErrorContains(t, err, `decrease scale set "ci" by 2: `)
	assert.Equal(t, []string{"ci_9-00000000"}, done, "what needs no deletion is done all the same")
	assert.Equal(t, deleteAttempts, f.count(opDelete))
	assert.Empty(t, f.deleted)
}

// TestDecreaseUnknown: the runner knows no instance but from views, which lose one only
// when it is gone.
func TestDecreaseUnknown(t *testing.T) {
	f, g, clock := opened(t, 1)
	f.failNext(opGet, fault{err: azure(armerr.Transient, 500)})
	done, err := g.Decrease(t.Context(), []string{"ci_9-00000000", f.id(0)})
	assert.Equal(t, armerr.Transient, armerr.KindOf(err))
	assert.Equal(t, []string{"ci_9-00000000"}, done)
	assert.Empty(t, f.sent)
	clock.pass(time.Minute)
	done, err = g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err)
	assert.Equal(t, []string{f.id(0)}, done)
	done, err = g.Decrease(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, done)
}

// TestDecreaseLosesTheResponse finds the deletions under way with the next attempt.
func TestDecreaseLosesTheResponse(t *testing.T) {
	f, g, clock := opened(t, 2)
	id := f.id(0)
	f.failNext(opDelete, fault{err: azure(armerr.Network, 0), took: true})
	done, err := g.Decrease(t.Context(), []string{id})
	require.Error(t, err)
	assert.Empty(t, done)
	clock.pass(time.Minute)
	done, err = g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	assert.Equal(t, []string{id}, done)
	assert.Len(t, f.sent, 1)
	assert.EqualValues(t, 1, f.set.Capacity)
}

// TestCheck reads the instance itself; Azure's trouble is not the instance's.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*vmss.Instance)
		err   error
		want  string
	}{
		{"sound", func(*vmss.Instance) {}, nil, ""},
		{"off", func(i *vmss.Instance) { i.PowerState = "stopped" }, nil, "its power state is stopped"},
		{"going", func(i *vmss.Instance) { i.ProvisioningState = "Deleting" }, nil, "it is being deleted"},
		{"another", func(i *vmss.Instance) { i.VMID = "ffffffff" }, nil, "it no longer exists, and its number belongs to another instance"},
		{"no vmId", func(i *vmss.Instance) { i.VMID = "" }, nil, ""},
		{"gone", func(*vmss.Instance) {}, azure(armerr.NotFound, 404), "it no longer exists"},
		{"throttled", func(*vmss.Instance) {}, azure(armerr.Throttled, 429), ""},
		{"group gone", func(*vmss.Instance) {}, azure(armerr.GroupNotFound, 404), ""},
		{"updating", func(i *vmss.Instance) { i.ProvisioningState = "Updating" }, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, g, _ := opened(t, 1)
			id := f.id(0)
			f.vm(0, c.spoil)
			f.failNext(opGet, fault{err: c.err})
			err := g.Check(t.Context(), id)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, `check instance "`+id+`": `+c.want)
		})
	}
	f := newFake(1)
	g, _ := f.open(t)
	f.failNext(opList, fault{err: azure(armerr.Throttled, 429)})
	require.NoError(t, g.Check(t.Context(), f.id(0)))
	require.NoError(t, g.Check(t.Context(), f.id(0)))
	require.ErrorContains(t, g.Check(t.Context(), "ci_9-00000000"), "it no longer exists")
}

// TestReap deletes what died, once, and again after a refusal or if it is
// still there when the memory of its deletion has faded.
func TestReap(t *testing.T) {
	f, g, clock := opened(t, 3)
	f.vm(1, func(i *vmss.Instance) { i.PowerState = "deallocated" })
	dead := f.vms[1].VMID
	reap := func() error {
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		return g.Reap(t.Context(), v)
	}
	f.failNext(opDelete, fault{err: azure(armerr.Forbidden, 403)})
	require.Error(t, reap())
	assert.Empty(t, f.deleted)
	clock.pass(time.Minute)
	require.NoError(t, reap())
	require.NoError(t, reap())
	assert.Equal(t, []string{dead}, f.deleted)
	assert.Equal(t, 2, f.count(opDelete))

	// Azure gave the deletion up, and somebody starts the instance: the runner
	// still believes it gone, so it has to go.
	f.vm(1, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "running" })
	clock.pass(deletionLag)
	require.NoError(t, reap())
	assert.Equal(t, []string{dead, dead}, f.deleted)
	f.finish()
	lists := f.count(opList)
	require.NoError(t, reap())
	assert.Equal(t, lists+1, f.count(opList), "nothing to reap, nothing read")
	clock.pass(time.Hour)
	require.NoError(t, reap())
	assert.Len(t, f.deleted, 2)
}
