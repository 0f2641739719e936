package instancegroup

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// vm is a running instance with that number and a vmId of its own.
func vm(number int, change func(*vmss.Instance)) vmss.Instance {
	i := vmss.Instance{
		ID: fmt.Sprint("/x/virtualMachines/", number), Name: fmt.Sprint("ci_", number), InstanceID: fmt.Sprint(number),
		VMID: fmt.Sprintf("%08x-aaaa", number), ProvisioningState: "Succeeded", PowerState: "running", HasView: true,
	}
	if change != nil {
		change(&i)
	}
	return i
}

func idOf(number int) string { return identify(vm(number, nil)) }

func none(string) bool { return false }

// filled is an inventory with addresses for all and one view of these instances.
func filled(t *testing.T, instances ...vmss.Instance) *inventory {
	t.Helper()
	inv := newInventory(Timeouts{})
	for n := range 20 {
		inv.setAddress(idOf(n), addresses{private: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})})
	}
	v, _ := inv.applied(inv.listing(instances), none, start)
	require.Len(t, v.Members, len(instances))
	return &inv
}

// listing is one that begins now and is compared with the last view.
func (inv *inventory) listing(instances []vmss.Instance, gone ...string) listing {
	return listing{at: start, number: inv.beginReading(), seen: start, base: inv.last(), instances: instances, confirmed: confirmation{gone: gone}}
}

// applied is the latest view after a listing, nil where it must be confirmed anew.
func (inv *inventory) applied(l listing, isDeleted func(string) bool, now time.Time) (*View, changes) {
	c, ok := inv.apply(l, isDeleted, now)
	if !ok {
		return nil, c
	}
	return inv.last(), c
}

func TestInventoryKeepsTheNewestReading(t *testing.T) {
	inv := filled(t, vm(1, nil))
	older, newer := inv.listing([]vmss.Instance{vm(2, nil)}), inv.listing([]vmss.Instance{vm(1, nil), vm(3, nil)})
	v, _ := inv.applied(newer, none, start)
	late, c := inv.applied(older, none, start)
	assert.Same(t, v, late)
	assert.Zero(t, c)

	inv = filled(t, vm(1, nil))
	older, newer = inv.listing([]vmss.Instance{vm(1, nil), vm(2, nil)}), inv.listing([]vmss.Instance{vm(1, nil)})
	_, _ = inv.applied(older, none, start)
	v, _ = inv.applied(newer, none, start)
	assert.Nil(t, v, "what the older one added must be confirmed first")
}

func TestInventoryRemembersWhatIsGone(t *testing.T) {
	inv := filled(t, vm(1, nil), vm(2, nil))
	all := []vmss.Instance{vm(1, nil), vm(2, nil)}
	v, c := inv.applied(inv.listing(all[1:], idOf(1)), none, start)
	assert.Equal(t, []string{idOf(1)}, v.Gone)
	assert.Equal(t, []string{idOf(1)}, c.gone)
	assert.Equal(t, 1, c.departed)
	assert.NotContains(t, inv.addresses, idOf(1))

	v, _ = inv.applied(inv.listing(all), none, start.Add(goneMemory-1))
	assert.Nil(t, v.Find(idOf(1)), "an outdated list shows it")
	inv.setAddress(idOf(1), addresses{})
	assert.NotContains(t, inv.addresses, idOf(1), "and so may outdated interfaces")
	inv.observe(&View{Members: []Member{{MemberID: idOf(1)}}})
	v, _ = inv.applied(inv.listing(all), none, start.Add(goneMemory))
	assert.Nil(t, v.Find(idOf(1)), "the runner has not been told yet")
	inv.observe(v)
	v, _ = inv.applied(inv.listing(all), none, start.Add(goneMemory))
	assert.NotNil(t, v.Find(idOf(1)), "it truly exists")
}

func TestChanges(t *testing.T) {
	creating := func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Creating", "" }
	stopped := func(i *vmss.Instance) { i.PowerState = "stopped" }
	failed := func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Failed", "" }
	deleting := func(i *vmss.Instance) { i.ProvisioningState = "Deleting" }
	for _, c := range []struct {
		name                     string
		before, after            func(*vmss.Instance)
		gone, deleted            bool
		departed, served, failed int
	}{
		{name: "nothing"},
		{name: "it comes up", before: creating, served: 1},
		{name: "it fails on its way up", before: creating, after: failed, failed: 1},
		{name: "it stops after it served", after: stopped},
		{name: "somebody deletes it", after: deleting, departed: 1},
		{name: "somebody's deletion ends", before: deleting, gone: true},
		{name: "it vanishes", gone: true, departed: 1},
		{name: "the plugin's deletion, counted at acceptance, begins", after: deleting, deleted: true},
		{name: "the plugin's deletion ends", gone: true, deleted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := filled(t, vm(1, c.before))
			l := inv.listing([]vmss.Instance{vm(1, c.after)})
			if c.gone {
				l.instances, l.confirmed.gone = nil, []string{idOf(1)}
			}
			_, changes := inv.applied(l, func(string) bool { return c.deleted }, start.Add(openingTime))
			assert.Equal(t, []int{c.departed, c.served, c.failed}, []int{changes.departed, changes.served, changes.failed})
			assert.Equal(t, c.failed > 0, changes.reason != "")
		})
	}
}

// The first view shows no changes: nothing is known of what was before.
func TestFirstViewHasNoChanges(t *testing.T) {
	inv := newInventory(Timeouts{})
	failed := vm(2, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Failed", "" })
	v, c := inv.applied(inv.listing([]vmss.Instance{vm(1, nil), failed}), none, start)
	assert.Equal(t, Dead, v.Find(idOf(2)).State)
	assert.Equal(t, changes{}, c)
}

func TestUnidentifiedInstances(t *testing.T) {
	inv := filled(t)
	blank := vm(1, func(i *vmss.Instance) { i.VMID, i.PowerState, i.ProvisioningState = "", "", "Creating" })
	v, _ := inv.applied(inv.listing([]vmss.Instance{blank}), none, start)
	assert.Empty(t, v.Members)
	assert.Equal(t, []int{1, 1, 1}, []int{v.unidentified, v.identifying, v.Occupied()})
	v, _ = inv.applied(inv.listing([]vmss.Instance{blank}), none, start.Add(DefaultCreationLimit))
	require.Len(t, v.Members, 1)
	assert.Equal(t, Dead, v.Members[0].State)
	assert.Zero(t, v.identifying)
	blank.PowerState = "running"
	inv = filled(t)
	for _, at := range []time.Duration{0, DefaultCreationLimit} {
		v, _ = inv.applied(inv.listing([]vmss.Instance{blank}), none, start.Add(at))
		assert.Empty(t, v.Members, "one that is powered on may have a job")
	}
}

func TestUnaddressed(t *testing.T) {
	inv := newInventory(Timeouts{})
	creating := vm(2, func(i *vmss.Instance) { i.ProvisioningState = "Creating" })
	all := []vmss.Instance{vm(1, nil), creating}
	assert.Equal(t, map[string]string{"/x/virtualmachines/1": idOf(1), "/x/virtualmachines/2": idOf(2)}, inv.unaddressed(all, start))
	inv.setAddress(idOf(1), addresses{})
	assert.Empty(t, inv.unaddressed(all, start), "the other is not up yet")
}

// Whatever the lists show, members are in order and unique, none of them is
// gone, and none vanishes without being gone.
func TestInventoryProperties(t *testing.T) {
	states := []string{"Creating", "Succeeded", "Failed", "Updating", "Deleting"}
	powers := []string{"", "running", "stopped", "deallocated", "starting"}
	draw := rapid.Custom(func(t *rapid.T) vmss.Instance {
		return vm(rapid.IntRange(0, 5).Draw(t, "number"), func(i *vmss.Instance) {
			i.ProvisioningState, i.PowerState = rapid.SampledFrom(states).Draw(t, "state"), rapid.SampledFrom(powers).Draw(t, "power")
			if rapid.Bool().Draw(t, "blank") {
				i.VMID = ""
			}
		})
	})
	rapid.Check(t, func(t *rapid.T) {
		inv, now := newInventory(Timeouts{}), start
		for range rapid.IntRange(1, 8).Draw(t, "lists") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			instances := rapid.SliceOfN(draw, 0, 6).Draw(t, "list")
			var gone []string
			for _, m := range missing(instances, inv.last()) {
				gone = append(gone, m.MemberID)
			}
			before := inv.last()
			l := inv.listing(instances, gone...)
			v, _ := inv.applied(l, none, now)
			require.True(t, slices.IsSortedFunc(v.Members, byID))
			for n, m := range v.Members {
				require.NotContains(t, v.Gone, m.MemberID)
				require.True(t, n == 0 || v.Members[n-1].MemberID != m.MemberID)
			}
			for _, m := range before.Members {
				require.True(t, v.Find(m.MemberID) != nil || slices.Contains(v.Gone, m.MemberID), "%s vanished", m.MemberID)
			}
		}
	})
}

// TestAbandonOfAnotherMode: Azure refuses to be asked for an ID of the other mode's
// form, so its instances count as gone; what the new scale set has does not.
func TestAbandonOfAnotherMode(t *testing.T) {
	named := vm(2, func(i *vmss.Instance) { i.InstanceID = "ci_2" })
	for mode, gone := range map[vmss.OrchestrationMode]string{vmss.Uniform: idOf(2), vmss.Flexible: idOf(1)} {
		inv := filled(t, vm(1, nil), named)
		inv.abandon(mode, start)
		assert.Len(t, inv.gone, 1)
		assert.True(t, inv.isGone(gone), mode)
	}
}
