package instancegroup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestClassify distinguishes provisioning and power state (F29, F30, F32, F33).
func TestClassify(t *testing.T) {
	creating, running, deleting := &Member{State: Creating}, &Member{State: Running}, &Member{State: Deleting}
	dead, dying := &Member{State: Dead, Reason: "old"}, &Member{State: Deleting, Reason: "old"}
	for _, c := range []struct {
		provisioning, power string
		noView, noAddress   bool
		before              *Member
		want                State
		reason              string
	}{
		{provisioning: "Succeeded", power: "running", want: Running},
		{provisioning: "Succeeded", power: "running", noAddress: true, want: Creating},
		{provisioning: "Succeeded", power: "running", before: creating, want: Running},
		{provisioning: "Failed", power: "running", want: Running},
		{provisioning: "Canceled", power: "running", want: Running},
		{provisioning: "", power: "running", want: Running},
		{provisioning: "", power: "", want: Creating},
		{provisioning: "Odd", power: "odd", before: running, want: Running},

		{provisioning: "Creating", power: "running", want: Creating},
		{provisioning: "Creating", power: "running", before: running, want: Creating},
		{provisioning: "Creating", power: "", want: Creating},
		{provisioning: "Deleting", power: "running", before: running, want: Deleting},
		{provisioning: "Deleting", power: "stopped", want: Deleting},

		{provisioning: "Updating", power: "running", before: running, want: Running},
		{provisioning: "Updating", power: "running", noAddress: true, before: running, want: Running},
		{provisioning: "Updating", power: "running", before: creating, want: Creating},
		{provisioning: "Updating", power: "running", want: Creating},
		{provisioning: "Updating", power: "deallocating", before: running, want: Dead, reason: "its power state is deallocating, and not by the plugin"},
		{provisioning: "Updating", power: "stopped", before: creating, want: Creating},
		{provisioning: "Updating", power: "starting", before: running, want: Running},
		{provisioning: "Updating", before: running, want: Running},
		{provisioning: "Migrating", power: "", before: running, want: Running},
		{provisioning: "Updating", power: "deallocated", before: dead, want: Dead, reason: "old"},

		{provisioning: "Succeeded", noView: true, want: Creating},
		{provisioning: "Succeeded", noView: true, before: running, want: Running},
		{provisioning: "Failed", noView: true, before: running, want: Running},
		{provisioning: "Succeeded", power: "", before: running, want: Running},
		{provisioning: "Succeeded", power: "starting", want: Creating},
		{provisioning: "Succeeded", power: "unknown", before: running, want: Running},
		{provisioning: "Failed", power: "unknown", before: running, want: Running},
		{provisioning: "Failed", power: "starting", want: Creating},

		{provisioning: "Succeeded", power: "stopped", before: running, want: Dead, reason: "its power state is stopped, and not by the plugin"},
		{provisioning: "Succeeded", power: "stopping", want: Dead, reason: "its power state is stopping, and not by the plugin"},
		{provisioning: "Succeeded", power: "deallocating", want: Dead, reason: "its power state is deallocating, and not by the plugin"},
		{provisioning: "Succeeded", power: "deallocated", before: creating, want: Dead, reason: "its power state is deallocated, and not by the plugin"},
		{provisioning: "Failed", power: "", want: Dead, reason: "provisioning failed"},
		{provisioning: "Failed", power: "", before: running, want: Running}, // a gap in the response must not cost a job

		// Dead is final, even if somebody starts it or its deletion fails.
		{provisioning: "Succeeded", power: "running", before: dead, want: Dead, reason: "old"},
		{provisioning: "Succeeded", power: "starting", before: dead, want: Dead, reason: "old"},
		{provisioning: "Creating", power: "", before: dead, want: Dead, reason: "old"},
		{provisioning: "Succeeded", power: "stopped", before: dead, want: Dead, reason: "old"},
		{provisioning: "Deleting", power: "", before: dead, want: Deleting, reason: "old"},
		{provisioning: "Deleting", power: "", before: dying, want: Deleting, reason: "old"},
		{provisioning: "Succeeded", power: "running", before: dying, want: Dead, reason: "old"},
		{provisioning: "Succeeded", power: "running", before: deleting, want: Running},
		{provisioning: "Succeeded", power: "", before: deleting, want: Deleting},
	} {
		for _, recase := range []func(string) string{strings.Clone, strings.ToUpper, strings.ToLower} {
			i := vmss.Instance{ProvisioningState: recase(c.provisioning), PowerState: recase(c.power), HasView: !c.noView}
			state, reason := classify(i, c.before, false, !c.noAddress)
			assert.Equal(t, c.want, state, "%+v", c)
			assert.Equal(t, c.reason, reason, "%+v", c)
		}
	}
	failed := vmss.Instance{ProvisioningState: "Failed", HasView: true, Failure: "AllocationFailed: none left"}
	for _, power := range []string{"", "stopped"} {
		failed.PowerState = power
		state, reason := classify(failed, nil, false, false)
		assert.Equal(t, Dead, state)
		assert.Equal(t, "provisioning failed: AllocationFailed: none left", reason)
	}
}

func TestStateString(t *testing.T) {
	assert.Equal(t, "creating running deleting dead suspending suspended resuming",
		strings.Join([]string{Creating.String(), Running.String(), Deleting.String(), Dead.String(), Suspending.String(), Suspended.String(), Resuming.String()}, " "))
}

func TestIdentify(t *testing.T) {
	for _, c := range []struct{ name, number, vmID, want string }{
		{"ci_3", "3", "0A1B2C3D-aaaa-bbbb", "ci_3-0a1b2c3d"},
		{"CI_3", "3", "0a1b2c3d", "ci_3-0a1b2c3d"},
		{"ci_3", "3", "0a1b2c3", ""},
		{"ci_3", "3", "", ""},
		{"ci_3", "", "0a1b2c3d", ""},
	} {
		assert.Equal(t, c.want, identify(vmss.Instance{Name: c.name, InstanceID: c.number, VMID: c.vmID}))
	}
}

// TestMatchPrevious is about responses without a vmId (F17, F18, F27).
func TestMatchPrevious(t *testing.T) {
	view := func(s State) *View {
		return &View{Members: []Member{{MemberID: "ci_3-0a1b2c3d", State: s, Instance: vmss.Instance{ID: "/A/virtualMachines/3", VMID: "0a1b2c3d"}}}}
	}
	for _, c := range []struct {
		i      vmss.Instance
		before State
		want   string
		found  bool
	}{
		{vmss.Instance{Name: "ci_3", InstanceID: "3", VMID: "0a1b2c3d"}, Running, "ci_3-0a1b2c3d", true},
		{vmss.Instance{Name: "CI_3", InstanceID: "3", VMID: "0A1B2C3D"}, Running, "ci_3-0a1b2c3d", true},
		{vmss.Instance{Name: "ci_3", InstanceID: "3", VMID: "ffffffff", ID: "/A/virtualMachines/3"}, Running, "ci_3-ffffffff", false},
		{vmss.Instance{ID: "/a/VIRTUALMACHINES/3", ProvisioningState: "Deleting"}, Running, "ci_3-0a1b2c3d", true},
		{vmss.Instance{ID: "/a/virtualMachines/3", ProvisioningState: "creating"}, Creating, "ci_3-0a1b2c3d", true},
		{vmss.Instance{ID: "/a/virtualMachines/3", ProvisioningState: "creating"}, Running, "", false},
		{vmss.Instance{ID: "/a/virtualMachines/3", ProvisioningState: "creating"}, Deleting, "", false},
		{vmss.Instance{ID: "/a/virtualMachines/4"}, Running, "", false},
	} {
		id, before := matchPrevious(c.i, view(c.before))
		assert.Equal(t, c.want, id, "%+v", c)
		assert.Equal(t, c.found, before != nil, "%+v", c)
	}
}
