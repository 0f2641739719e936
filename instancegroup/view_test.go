package instancegroup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func refreshed(t *testing.T, g *Group) *View {
	t.Helper()
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	return v
}

// TestRefreshFailsWhole is F25: unknown is not empty.
func TestRefreshFailsWhole(t *testing.T) {
	f, g, _ := opened(t, 20)
	before := g.last()
	f.change(func() { f.hidden[f.vms[3].VMID] = true })
	for _, op := range []string{opList, opGet} {
		f.failNext(op, fault{err: azure(armerr.Transient, 500)})
		_, err := g.Refresh(t.Context())
		assert.Equal(t, armerr.Transient, armerr.KindOf(err))
		assert.Equal(t, before.At, g.last().At)
		assert.Len(t, g.last().Members, 20)
		assert.Empty(t, g.last().Gone)
	}
}

// TestMissingFromTheList reads the instance itself (F25).
func TestMissingFromTheList(t *testing.T) {
	f, g, _ := opened(t, 3)
	id := f.id(1)
	f.change(func() { f.hidden[f.vms[1].VMID] = true })
	v := refreshed(t, g)
	assert.Len(t, v.Members, 3)
	assert.Empty(t, v.Gone)
	assert.Equal(t, Running, v.Find(id).State)
	f.change(func() { f.blank[f.vms[1].VMID] = true })
	assert.NotNil(t, refreshed(t, g).Find(id), "a response without a vmId is no proof of death")
	f.vm(1, func(i *vmss.Instance) { i.PowerState = "stopped" })
	assert.Equal(t, Dead, refreshed(t, g).Find(id).State, "what was found is judged anew")
	assert.NotNil(t, refreshed(t, g).Find(id), "a dead one is missed no less")
	f.evict(1)
	v = refreshed(t, g)
	assert.Nil(t, v.Find(id))
	assert.Equal(t, []string{id}, v.Gone)
}

// TestGoneIsReportedToAll has another reading find out first: the views that
// follow still report it, until nobody can have missed it.
func TestGoneIsReportedToAll(t *testing.T) {
	f, g, clock := opened(t, 2)
	id := f.id(0)
	f.evict(0)
	_, err := g.Locate(t.Context(), "ci_9-00000000")
	require.Error(t, err)
	assert.Equal(t, []string{id}, refreshed(t, g).Gone)
	clock.pass(goneMemory)
	assert.Empty(t, refreshed(t, g).Gone)
}

// TestAcceptedButListed is F19: after an accepted deletion the list may show
// the instance alive, not at all, and alive again.
func TestAcceptedButListed(t *testing.T) {
	f, g, clock := opened(t, 2)
	id, stale := f.id(0), f.vms[0]
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Succeeded" })
	assert.Equal(t, Deleting, refreshed(t, g).Find(id).State)
	f.evict(0)
	assert.Equal(t, Deleting, refreshed(t, g).Find(id).State, "a list may lack it")
	assert.Equal(t, 1, f.count(opGet), "its operation may tell")
	clock.pass(followedFirst)
	assert.Equal(t, []string{id}, refreshed(t, g).Gone)
	for _, state := range []string{"Succeeded", "Deleting"} {
		stale.ProvisioningState = state
		f.change(func() { f.extra = []vmss.Instance{stale} })
		v := refreshed(t, g)
		assert.Nil(t, v.Find(id), "to the runner it would be a new instance")
		assert.Equal(t, []string{id}, v.Gone)
	}
	clock.pass(goneMemory)
	stale.ProvisioningState = "Succeeded"
	f.change(func() { f.extra = []vmss.Instance{stale} })
	assert.NotNil(t, refreshed(t, g).Find(id), "it truly exists, and has to be deleted again")
}

func TestDeletionForgotten(t *testing.T) {
	f, g, clock := opened(t, 1)
	id := f.id(0)
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Succeeded" })
	clock.pass(deletionLag)
	v := refreshed(t, g)
	assert.Equal(t, Deleting, v.Find(id).State, "the runner was told that it is done")
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Len(t, f.sent, 2)
}

// TestOddEntries are passed over (F27), and none is shown twice (F26).
func TestOddEntries(t *testing.T) {
	f, g, _ := opened(t, 2)
	id := f.id(1)
	f.change(func() {
		f.extra = []vmss.Instance{{}, {ID: "/x/5", Name: "ci_5"}, {VMID: "12345678", Name: "ci_6"}, f.vms[0], f.vms[1]}
	})
	v := refreshed(t, g)
	assert.Len(t, v.Members, 2)
	f.vm(1, func(i *vmss.Instance) { i.ID = "/X/VirtualMachines/" + i.InstanceID; i.Name = "CI_" + i.InstanceID })
	f.blank[f.vms[1].VMID] = true
	v = refreshed(t, g)
	require.NotNil(t, v.Find(id))
	assert.NotEmpty(t, v.Find(id).VMID)
	assert.Empty(t, v.Gone)
}

// TestNewUnderAnOldNumber shows no vmId at first (F17).
func TestNewUnderAnOldNumber(t *testing.T) {
	f, g, _ := opened(t, 1)
	old := f.id(0)
	f.vm(0, func(i *vmss.Instance) { i.VMID, i.ProvisioningState, i.PowerState = "ffffffff-new", "Creating", "" })
	f.blank["ffffffff-new"] = true
	v := refreshed(t, g)
	assert.Empty(t, v.Members)
	assert.Equal(t, []string{old}, v.Gone)
	delete(f.blank, "ffffffff-new")
	assert.Len(t, refreshed(t, g).Members, 1)
}

// held delays the response to the first list: its content is of the time before.
func held(f *fake) (release chan struct{}) {
	release = make(chan struct{})
	first := f.calls[opList] + 1
	f.leave = func(op string, call int) {
		if op == opList && call == first {
			<-release
		}
	}
	return release
}

// TestOlderReadingComesLate must not bring back what a newer one knows gone.
func TestOlderReadingComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, _ := opened(t, 2)
		id := f.id(0)
		release := held(f)
		late := make(chan *View, 1)
		go func() {
			v, err := g.Refresh(t.Context())
			assert.NoError(t, err)
			late <- v
		}()
		synctest.Wait()
		f.evict(0)
		newer, err := g.forceRefresh(t.Context())
		require.NoError(t, err)
		require.Nil(t, newer.Find(id))
		close(release)
		assert.Same(t, newer, <-late, "the better view is at hand")
		assert.Same(t, newer, g.last())
	})
}

// TestOlderReadingComesFirst has an older reading come in while a newer one
// confirms what it misses: the members that the older one brings must not
// vanish unconfirmed.
func TestOlderReadingComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, _ := opened(t, 1)
		f.foreign(2)
		f.boot()
		id := f.id(1)
		late := held(f)
		ask := make(chan struct{})
		f.enter = func(op string, call int) {
			if op == opGet && call == 1 {
				<-ask
			}
		}
		go func() { _, err := g.Refresh(t.Context()); assert.NoError(t, err) }()
		synctest.Wait()
		f.change(func() { f.hidden[f.vms[0].VMID], f.hidden[f.vms[1].VMID] = true, true })
		result := make(chan *View, 1)
		go func() {
			v, err := g.forceRefresh(t.Context())
			assert.NoError(t, err)
			result <- v
		}()
		synctest.Wait()
		close(late)
		synctest.Wait()
		require.NotNil(t, g.last().Find(id))
		close(ask)
		assert.NotNil(t, (<-result).Find(id))
		assert.Empty(t, g.last().Gone)
		assert.Equal(t, 3, f.count(opGet))
	})
}

// TestCancelledCaller fails alone: the others share its reading, not its fate.
func TestCancelledCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, _ := opened(t, 1)
		release := held(f)
		ctx, cancel := context.WithCancelCause(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { _, err := g.Refresh(ctx); first <- err }()
		synctest.Wait()
		go func() { _, err := g.Refresh(t.Context()); second <- err }()
		synctest.Wait()
		cancel(context.Canceled)
		err := <-first
		require.ErrorIs(t, err, context.Canceled)
		assert.EqualError(t, err, `read scale set "ci": context canceled`)
		close(release)
		require.NoError(t, <-second)
	})
}

// TestRefreshIsBounded: fleeting gives no deadline, and stands still meanwhile. The
// reading goes on.
func TestRefreshIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, _ := opened(t, 1)
		before, begun := g.last(), time.Now()
		release := held(f)
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Same(t, before, v)
		assert.Equal(t, patience, time.Since(begun))
		close(release)
		synctest.Wait()
		assert.NotSame(t, before, g.last(), "it serves as soon as it is complete")

		g.admission.instances = slowLists{g.admission.instances}
		_, err = g.forceRefresh(t.Context())
		require.ErrorIs(t, err, errSlow)
		time.Sleep(refreshTimeout)
	})
}

// TestSilenceIsAnError: Azure that is slow shows pages meanwhile. One that does not respond
// at all must not look like one that is slow.
func TestSilenceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, clock := opened(t, 1)
		slow := patience + 5*time.Second
		f.enter = func(op string, _ int) {
			if op == opList {
				time.Sleep(slow)
				clock.pass(slow)
			}
		}
		f.failNext(opList, fault{err: azure(armerr.Network, 0)}, fault{err: azure(armerr.Network, 0)})
		before := g.last()
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Same(t, before, v, "it may be slow")
		time.Sleep(slow)
		_, err = g.Refresh(t.Context())
		assert.Equal(t, armerr.Network, armerr.KindOf(err))
		time.Sleep(slow)
		_, err = g.Refresh(t.Context())
		assert.Equal(t, armerr.Network, armerr.KindOf(err), "until a list is complete")
		time.Sleep(slow)
		_, err = g.Refresh(t.Context())
		require.NoError(t, err)
		time.Sleep(slow)
	})
}

// slowLists never responds to a list in time.
type slowLists struct{ vmss.Instances }

func (slowLists) List(ctx context.Context, _ vmss.ListOptions) ([]vmss.Instance, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}
