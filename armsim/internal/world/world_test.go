package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faults gives each change of an instance its outcome.
type faults map[string]Outcome

func (f faults) ForInstance(change string, _ *Instance) Outcome { return f[change] }

const (
	boot    = 9 * time.Second
	removal = 6 * time.Second
	settled = time.Minute
)

// newSet makes a world with one scale set, whose instances run.
func newSet(t *testing.T, mode string, capacity int, change func(*Config)) (*World, *ScaleSet) {
	t.Helper()
	c := Config{
		SubscriptionID: "s", Location: "l", Seed: 1, Clock: NewClock(true, 1), Polite: true, Faults: faults{},
		Boot: Duration{Median: boot}, Delete: Duration{Median: removal}, Power: Duration{Median: time.Second},
	}
	if change != nil {
		change(&c)
	}
	w, err := New(c)
	require.NoError(t, err)
	model := object{
		"sku":        object{"name": "Standard_D2s_v5"},
		"properties": object{"orchestrationMode": mode, "virtualMachineProfile": object{"priority": "Spot"}},
	}
	set, o, f := w.AddGroup("g", "l").CreateScaleSet("ci", model, "", capacity)
	require.Nil(t, f)
	w.Clock.Advance(settled)
	require.False(t, o.Running())
	return w, set
}

func TestCapacityFollowsAnUpdate(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			w, set := newSet(t, mode, 2, nil)
			o := set.Update(set.Model, "", 3)
			assert.Equal(t, StateUpdating, set.State)
			assert.Equal(t, "InProgress", o.Status())
			w.Clock.Advance(boot)
			assert.Equal(t, StateSucceeded, o.Status())
			assert.Equal(t, Counts{Instances: 3, Running: 3, Capacity: 3, Created: 3, Addresses: 3}, withoutTime(w.Counts()))
		})
	}
}

func withoutTime(c Counts) Counts {
	c.InstanceSeconds, c.AllocatedSeconds = 0, 0
	return c
}

func TestANewerCapacityPreempts(t *testing.T) {
	w, set := newSet(t, "Uniform", 1, nil)
	older, newer := set.Update(set.Model, "", 4), set.Update(set.Model, "", 2)
	w.Clock.Advance(settled)
	assert.Equal(t, codePreempted, older.Failure.Code)
	assert.Equal(t, StateSucceeded, newer.Status())
	assert.Equal(t, 2, len(set.Instances))
	assert.Equal(t, StateSucceeded, set.State)
}

func TestDeletionLowersTheCapacityAtAcceptance(t *testing.T) {
	w, set := newSet(t, "Uniform", 3, nil)
	o := set.DeleteInstances(set.Instances[:1:1], true)
	assert.Equal(t, []any{2, 3, StateDeleting}, []any{set.Capacity, len(set.Instances), set.Instances[0].State})
	w.Clock.Advance(removal)
	assert.Equal(t, []any{2, 2, StateSucceeded}, []any{set.Capacity, len(set.Instances), o.Status()})
	assert.Equal(t, 2, w.Counts().Addresses)
}

func TestAFailedDeletionRestores(t *testing.T) {
	w, set := newSet(t, "Uniform", 1, func(c *Config) { c.Faults = faults{ChangeDelete: {Fail: &Failure{Code: "X"}}} })
	o := set.DeleteInstances(set.Live(), true)
	w.Clock.Advance(removal)
	i := set.Instances[0]
	assert.Equal(t, []any{StateFailed, 1, StateSucceeded, PowerStopped}, []any{o.Status(), set.Capacity, i.State, i.Power})
}

func TestAStuckDeletionResumes(t *testing.T) {
	w, set := newSet(t, "Uniform", 1, func(c *Config) { c.Faults = faults{ChangeDelete: {Stuck: true}} })
	o := set.DeleteInstances(set.Live(), true)
	w.Clock.Advance(settled)
	require.True(t, o.Running())
	w.ResumeStuck()
	w.Clock.Advance(removal)
	assert.Equal(t, StateSucceeded, o.Status())
}

func TestForcedFailureIsOfOneOperation(t *testing.T) {
	w, set := newSet(t, "Uniform", 1, nil)
	w.Operations.FailNext(&Failure{Code: "X"})
	forced, free := set.Update(set.Model, "", 1), set.Update(set.Model, "", 1)
	w.Clock.Advance(settled)
	assert.Equal(t, []string{StateFailed, StateSucceeded}, []string{forced.Status(), free.Status()})
	assert.Same(t, forced, w.Operations.Find(forced.ID))
	assert.Nil(t, w.Operations.Find("other"))
}

func TestEvictionByPolicy(t *testing.T) {
	w, set := newSet(t, "Uniform", 1, nil)
	require.NoError(t, w.External.Evict(set.Instances[0].VMID))
	w.Clock.Advance(settled)
	assert.Equal(t, PowerDeallocated, set.Instances[0].Power)
	assert.ErrorContains(t, w.External.Evict(set.Instances[0].Name), "deallocated")
	assert.Equal(t, 1, w.Counts().Evicted)
}

func TestAGroupIsGoneWithAllInIt(t *testing.T) {
	w, set := newSet(t, "Flexible", 2, nil)
	o := set.Group.Delete()
	assert.Same(t, o, set.Group.Delete())
	w.Clock.Advance(settled)
	assert.Equal(t, StateSucceeded, o.Status())
	assert.Nil(t, w.Group("G"))
	assert.Zero(t, w.Counts().Addresses)
}

func TestClockRunsEventsInOrder(t *testing.T) {
	c := NewClock(true, 1)
	start := c.Now()
	var ran []string
	note := func(name string) func() {
		return func() { ran = append(ran, name+" "+c.Now().Sub(start).String()) }
	}
	c.After(2*time.Second, note("b"))
	c.After(time.Second, func() { note("a")(); c.After(time.Second, note("d")) })
	c.After(2*time.Second, note("c"))
	c.After(time.Minute, note("later"))
	c.Advance(3 * time.Second)
	assert.Equal(t, []string{"a 1s", "b 2s", "c 2s", "d 2s"}, ran)
	assert.Equal(t, 3*time.Second, c.Now().Sub(start))
}

func TestAnUnknownParallelWriteIsRefused(t *testing.T) {
	_, err := New(Config{ParallelWrites: "maybe"})
	assert.ErrorContains(t, err, `"maybe"`)
}
