package instancegroup

import (
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// arrived is an instance that came after the first view, and its ID.
func arrived(t *testing.T, change func(*vmss.Instance)) (*fake, *Group, *clock, string) {
	t.Helper()
	f, g, clock := opened(t, 1)
	clock.pass(openingTime)
	f.foreign(2)
	f.vm(1, change)
	return f, g, clock, f.id(1)
}

func memberState(t *testing.T, g *Group, id string) State {
	t.Helper()
	m := refreshed(t, g).Find(id)
	require.NotNil(t, m)
	return m.State
}

// TestStuckCreation is F31: nobody else would ever remove it.
func TestStuckCreation(t *testing.T) {
	for name, look := range map[string]func(*vmss.Instance){
		"creating":           func(*vmss.Instance) {},
		"without an address": func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "running" },
		"starting":           func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "starting" },
	} {
		t.Run(name, func(t *testing.T) {
			f, g, clock, id := arrived(t, look)
			f.noNIC[f.vms[1].InstanceID] = true
			require.Equal(t, Creating, memberState(t, g, id))
			clock.pass(DefaultCreationLimit - time.Second)
			require.Equal(t, Creating, memberState(t, g, id))
			clock.pass(time.Second)
			require.Equal(t, Dead, memberState(t, g, id))
			require.NoError(t, g.Reap(t.Context(), g.last()))
			assert.Equal(t, []string{f.vms[1].VMID}, f.deleted)
		})
	}
}

// What has served is never stuck: Azure changes it under its job.
func TestWhatServedIsNotStuck(t *testing.T) {
	f, g, clock := opened(t, 1)
	id := f.id(0)
	for _, state := range []string{"Updating", "Failed", "Creating"} {
		f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = state })
		refreshed(t, g)
		clock.pass(2 * DefaultCreationLimit)
		require.NotEqual(t, Dead, memberState(t, g, id), state)
	}
	// Neither is an instance that ran before the plugin began and looks odd.
	f, _, _ = opened(t, 1)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Updating" })
	g, clock = f.open(t)
	refreshed(t, g)
	clock.pass(2 * DefaultCreationLimit)
	require.NotEqual(t, Dead, memberState(t, g, f.id(0)))
}

// TestFailedWithPower is F30: an instance that fails on its way up may recover.
func TestFailedWithPower(t *testing.T) {
	failed := func(i *vmss.Instance) {
		i.ProvisioningState, i.PowerState, i.Failure = "Failed", "running", "VMExtensionProvisioningError"
	}
	f, g, clock, id := arrived(t, failed)
	require.Equal(t, Creating, memberState(t, g, id))
	clock.pass(DefaultFailedGrace / 2)
	f.vm(1, func(i *vmss.Instance) { i.ProvisioningState = "Succeeded" })
	require.Equal(t, Running, memberState(t, g, id), "it has recovered")
	f.vm(1, failed)
	clock.pass(time.Hour)
	require.Equal(t, Running, memberState(t, g, id), "it has served: a job may run there")

	_, g, clock, id = arrived(t, failed)
	require.Equal(t, Creating, memberState(t, g, id))
	clock.pass(DefaultFailedGrace)
	require.Equal(t, Dead, memberState(t, g, id))
	assert.Contains(t, g.last().Find(id).Reason, "VMExtensionProvisioningError")
}

// TestInstanceWithoutVMID never becomes one (F27): it is removed in the end, but
// not if it has power or gets its vmId at the last moment.
func TestInstanceWithoutVMID(t *testing.T) {
	blank := func() (*fake, *Group, *clock) {
		f, g, clock, _ := arrived(t, func(*vmss.Instance) {})
		f.blank[f.vms[1].VMID] = true
		require.Len(t, refreshed(t, g).Members, 1)
		clock.pass(DefaultCreationLimit)
		return f, g, clock
	}
	f, g, clock := blank()
	v := refreshed(t, g)
	unidentified := f.vms[1].Name + "-without-vmid"
	require.NotNil(t, v.Find(unidentified))
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Equal(t, [][]string{{f.vms[1].InstanceID}}, f.sent)
	f.finish()
	clock.pass(2 * pollInterval)
	v, err := g.Observe(t.Context())
	require.NoError(t, err)
	assert.Contains(t, v.Gone, unidentified)

	f, g, _ = blank()
	f.vm(1, func(i *vmss.Instance) { i.PowerState = "running" })
	require.NoError(t, g.Reap(t.Context(), refreshed(t, g)))
	assert.Empty(t, f.sent)

	f, g, _ = blank()
	v = refreshed(t, g)
	f.enter = func(op string, _ int) {
		if op == opGet {
			f.change(func() { f.blank = map[string]bool{} })
		}
	}
	_ = g.Reap(t.Context(), v)
	assert.Empty(t, f.sent)
}

// TestFoundInstanceHasAnAddress: an instance that the list lacks when it comes up
// is not stuck for want of an address.
func TestFoundInstanceHasAnAddress(t *testing.T) {
	f, g, clock, id := arrived(t, func(*vmss.Instance) {})
	require.Equal(t, Creating, memberState(t, g, id))
	f.boot()
	f.change(func() { f.hidden[f.vms[1].VMID] = true })
	clock.pass(DefaultCreationLimit)
	require.Equal(t, Running, memberState(t, g, id))
	require.NoError(t, g.Reap(t.Context(), g.last()))
	assert.Empty(t, f.deleted)
}

// TestSlowImage (Case 04): an image may need longer than most, and what was given
// up says which limit it was.
func TestSlowImage(t *testing.T) {
	for _, limit := range []time.Duration{0, 45 * time.Minute} {
		f := newFake(0)
		c := &clock{at: start}
		g, err := Open(t.Context(), Options{Client: f, Logger: hclog.NewNullLogger(), Now: c.now, Timeouts: Timeouts{Creation: limit}})
		require.NoError(t, err)
		refreshed(t, g)
		f.foreign(1)
		refreshed(t, g)
		c.pass(40 * time.Minute)
		if limit == 0 {
			require.Equal(t, Dead, memberState(t, g, f.id(0)))
			assert.Equal(t, "it did not come up within creation_limit (25m0s); fix: raise it if the image needs longer", g.last().Members[0].Reason)
			continue
		}
		require.Equal(t, Creating, memberState(t, g, f.id(0)))
		f.boot()
		require.Equal(t, Running, memberState(t, g, f.id(0)))
	}
}
