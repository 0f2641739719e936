package instancegroup

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// graphed is many with Resource Graph, which shows what the test has kept.
func graphed(t *testing.T) (f *fake, g *Group, c *clock, log *bytes.Buffer) {
	t.Helper()
	f, log = newFake(200), &bytes.Buffer{}
	f.pageSize, f.perMinute, f.lists = 50, 10, 7
	g, c = f.openWith(t, Options{ResourceGraph: true, Logger: hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Warn})})
	refreshed(t, g)
	f.remember()
	return f, g, c, log
}

// dated gives the instances from a place on the time of their creation, which the fake
// leaves out.
func (f *fake) dated(from int, at time.Time) {
	f.change(func() {
		for n := from; n < len(f.vms); n++ {
			f.vms[n].Created = at
		}
	})
}

// increased has n new instances, which the plugin has asked for.
func increased(t *testing.T, f *fake, g *Group, c *clock, n int) {
	t.Helper()
	_, err := g.Increase(t.Context(), n)
	require.NoError(t, err)
	f.dated(200, c.now())
	f.remember()
}

// TestGraphTellsOfNewInstances, known or not, without any page of the provider's.
func TestGraphTellsOfNewInstances(t *testing.T) {
	f, g, c, _ := graphed(t)
	increased(t, f, g, c, 5)
	lists := f.count(opList)
	f.boot()
	c.pass(19 * time.Second)
	refreshed(t, g)
	assert.Equal(t, 1, f.count(opGraph))
	assert.Len(t, g.last().Members, 200, "it is behind")
	f.remember()
	c.pass(graphInterval - 1)
	refreshed(t, g)
	assert.Equal(t, 1, f.count(opGraph))
	c.pass(1)
	refreshed(t, g)
	for n := 200; n < 205; n++ {
		m := g.last().Find(f.id(n))
		require.NotNil(t, m)
		assert.Equal(t, Running, m.State)
		assert.True(t, m.Private.IsValid())
		assert.True(t, m.seen.IsZero())
	}
	assert.Equal(t, lists, f.count(opList))
	assert.Zero(t, f.count(opPage))
	assert.Empty(t, g.pace.boots.samples)
	assert.Equal(t, g.last().At, g.index.listed)
}

// TestGraphIsNotAsked while nothing is created, where lists are short, and by default.
func TestGraphIsNotAsked(t *testing.T) {
	f, g, c, _ := graphed(t)
	for range 60 {
		c.pass(5 * time.Second)
		refreshed(t, g)
	}
	assert.Zero(t, f.count(opGraph))

	f = newFake(80)
	g, c = f.openWith(t, Options{ResourceGraph: true})
	refreshed(t, g)
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	c.pass(time.Minute)
	refreshed(t, g)
	assert.Zero(t, f.count(opGraph))

	f, g, c = many(t, false)
	increased(t, f, g, c, 1)
	for range 60 {
		c.pass(5 * time.Second)
		refreshed(t, g)
	}
	assert.Zero(t, f.count(opGraph))
	assert.Positive(t, f.count(opPage))
}

// TestGraphIsAskedLessForLateOnes: what has not come up in ten minutes is not about to
// within seconds.
func TestGraphIsAskedLessForLateOnes(t *testing.T) {
	f, g, c, _ := graphed(t)
	f.endless = true
	increased(t, f, g, c, 1)
	for range 300 {
		c.pass(2 * time.Second)
		refreshed(t, g)
	}
	assert.Less(t, f.count(opGraph), 60)
	assert.Greater(t, f.count(opGraph), 20)
}

// TestOutdatedGraph changes nothing: an instance that is gone stays gone, one that is
// being deleted or dead stays so, and one that runs is not being created again.
func TestOutdatedGraph(t *testing.T) {
	f, g, c, _ := graphed(t)
	f.vm(3, func(i *vmss.Instance) { i.PowerState = "stopped" })
	gone, deleting, dead, running := f.id(0), f.id(1), f.id(3), f.id(4)
	done, err := g.Decrease(t.Context(), []string{gone, deleting})
	require.NoError(t, err)
	require.Len(t, done, 2)
	f.evict(0)
	var v *View
	for range 2 {
		c.pass(time.Hour)
		v = refreshed(t, g)
	}
	require.Contains(t, v.Gone, gone)
	require.Equal(t, []State{Deleting, Dead}, []State{v.Find(deleting).State, v.Find(dead).State})

	f.past[4].ProvisioningState, f.past[4].PowerState = "Creating", ""
	past := f.past
	increased(t, f, g, c, 1)
	f.past = past
	before := refreshed(t, g)
	c.pass(30 * time.Second)
	v = refreshed(t, g)
	require.Equal(t, 1, f.count(opGraph))
	assert.Nil(t, v.Find(gone))
	assert.Contains(t, v.Gone, gone)
	assert.Equal(t, []State{Deleting, Dead, Running}, []State{v.Find(deleting).State, v.Find(dead).State, v.Find(running).State})
	assert.Equal(t, before.Members, v.Members)
}

// TestGraphShowsAnEarlierInstance: the number has been given to another, which is being
// created. That does not run, and the earlier one is not taken for a new one.
func TestGraphShowsAnEarlierInstance(t *testing.T) {
	f, g, c, _ := graphed(t)
	increased(t, f, g, c, 1)
	f.boot()
	f.remember()
	earlier := f.id(200)
	f.vm(200, func(i *vmss.Instance) { i.VMID, i.ProvisioningState, i.PowerState = "ffffffff-aaaa", "Creating", "" })
	later := f.id(200)
	_, err := g.forceRefresh(t.Context())
	require.NoError(t, err)
	for _, blank := range []bool{false, true} {
		c.pass(30 * time.Second)
		if blank {
			f.past[200].VMID = ""
		}
		v := refreshed(t, g)
		assert.Nil(t, v.Find(earlier))
		assert.Equal(t, Creating, v.Find(later).State)
	}
	assert.Equal(t, 2, f.count(opGraph))
}

// TestGraphProvesNothing: an instance of which only Resource Graph has told is read before
// it is connected to, or deleted, and is gone where it turns out to be another.
func TestGraphProvesNothing(t *testing.T) {
	f, g, c, _ := graphed(t)
	increased(t, f, g, c, 1)
	f.boot()
	f.remember()
	c.pass(30 * time.Second)
	id := f.id(200)
	require.Equal(t, Running, refreshed(t, g).Find(id).State)
	_, err := g.Locate(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, 1, f.count(opGet))
	f.reads = 0
	_, err = g.Locate(t.Context(), id)
	require.NoError(t, err, "unless the limits leave no room")
	assert.Equal(t, 1, f.count(opGet))
	f.reads = plenty

	f.vm(200, func(i *vmss.Instance) { i.VMID = "ffffffff-aaaa" })
	_, err = g.Locate(t.Context(), id)
	require.ErrorContains(t, err, "belongs to another instance")
	for range 10 {
		_, err = g.Decrease(t.Context(), []string{id})
		require.NoError(t, err)
		c.pass(2 * time.Second)
	}
	assert.NotContains(t, f.deleted, "ffffffff-aaaa")
}

// TestGraphTellsNothingOld: an instance that the last list lacks, and that was created
// before it, is gone.
func TestGraphTellsNothingOld(t *testing.T) {
	f, g, c, _ := graphed(t)
	f.past = append(f.past, vmss.Instance{ID: "/X/virtualMachines/999", Name: "ci_999", InstanceID: "999", VMID: "eeeeeeee-aaaa", ProvisioningState: "Succeeded", PowerState: "running", HasView: true, Created: c.now().Add(-time.Hour)})
	past := f.past
	increased(t, f, g, c, 1)
	f.past = past
	c.pass(30 * time.Second)
	assert.Len(t, refreshed(t, g).Members, 200)
	assert.Equal(t, 1, f.count(opGraph))
}

// TestGraphFails: pages are read as without it, for ten minutes, and one warning tells.
func TestGraphFails(t *testing.T) {
	f, g, c, log := graphed(t)
	f.endless = true
	f.failNext(opGraph, fault{err: azure(armerr.Unknown, 422)}, fault{err: azure(armerr.Transient, 500)})
	increased(t, f, g, c, 1)
	began := c.now()
	for f.count(opGraph) < 2 && c.now().Sub(began) < time.Hour {
		c.pass(2 * time.Second)
		refreshed(t, g)
	}
	assert.InDelta(t, graphRest.Minutes(), c.now().Sub(began).Minutes(), 1)
	assert.Positive(t, f.count(opPage))
	assert.Equal(t, 1, strings.Count(log.String(), "could not be listed by Azure Resource Graph"))
	assert.Contains(t, log.String(), "422")
}

// TestProviderAnswers: the subscription has no Resource Graph. It is asked once an hour.
func TestProviderAnswers(t *testing.T) {
	f, g, c, log := graphed(t)
	f.endless = true
	f.failNext(opGraph, fault{err: vmss.ErrNotByGraph}, fault{err: vmss.ErrNotByGraph})
	for n := range 2 {
		increased(t, f, g, c, 1)
		for range 100 {
			c.pass(10 * time.Second)
			refreshed(t, g)
		}
		assert.Equal(t, n+1, f.count(opGraph))
		assert.Positive(t, f.count(opPage))
		f.boot()
		c.pass(graphAbsence)
		assert.Zero(t, g.ReconcilePending(t.Context(), refreshed(t, g), 1))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "the subscription has no Azure Resource Graph"))
	assert.Contains(t, log.String(), "use_resource_graph = false")
}

// TestThrottledGraph rests by the budget alone, and without a warning.
func TestThrottledGraph(t *testing.T) {
	f, g, c, log := graphed(t)
	f.failNext(opGraph, fault{err: azure(armerr.Throttled, 429)})
	increased(t, f, g, c, 1)
	c.pass(20 * time.Second)
	refreshed(t, g)
	c.pass(graphInterval)
	refreshed(t, g)
	assert.Equal(t, 2, f.count(opGraph))
	assert.Empty(t, log.String())
}

// TestGraphBesideAListThatWaits: a list whose first pages were read before an instance came
// up does not take it back.
func TestGraphBesideAListThatWaits(t *testing.T) {
	f, g, c, _ := graphed(t)
	increased(t, f, g, c, 1)
	_, err := g.forceRefresh(t.Context())
	require.NoError(t, err)
	old := f.shown()
	id := f.id(200)
	g.mu.Lock()
	list := &reading{Group: g, at: g.now(), number: g.inventory.beginReading(), resumes: c.now().Add(time.Minute)}
	g.current = list
	g.mu.Unlock()
	f.boot()
	f.remember()
	c.pass(30 * time.Second)
	require.Equal(t, Running, refreshed(t, g).Find(id).State)
	require.Equal(t, 1, f.count(opGraph))
	list.takePage(vmss.Page{Instances: old[200:]})
	assert.Equal(t, Running, g.last().Find(id).State)
	require.True(t, list.store(listing{at: list.at, number: list.number, seen: list.at, base: g.last(), instances: old}))
	assert.Equal(t, Running, g.last().Find(id).State)
	list.takePage(vmss.Page{Instances: f.shown()[200:]})
	assert.Equal(t, c.now(), g.last().Find(id).seen, "what Azure shows later counts")
}
