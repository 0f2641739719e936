package armapi

import (
	"context"
	"net/netip"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	setID = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/ci"

	machineBody = `{"id":"/S/RG/virtualMachines/ci_1a2b3c4d","name":"ci_1a2b3c4d","properties":{"vmId":"v",
"virtualMachineScaleSet":{"id":"/SUBSCRIPTIONS/sub/resourcegroups/RG/providers/microsoft.compute/virtualMachineScaleSets/CI"},
"provisioningState":"Failed","instanceView":{"statuses":[null,{"code":"PowerState/Running"},
{"code":"ProvisioningState/failed/AllocationFailed","message":"No room."}]}}}`
	viewBody = `{"id":"/S/RG/virtualMachines/CI_2","properties":{"instanceView":{"statuses":[
{"code":"powerstate/stopped"},{"code":"PROVISIONINGSTATE/Updating/x"}]}}}`
	otherBody = `{"id":"/S/RG/virtualMachines/x","name":"x","properties":{"virtualMachineScaleSet":{"id":"` + setID + `2"}}}`
)

func TestMachineOf(t *testing.T) {
	assert.Equal(t, vmss.Instance{
		ID: "/S/RG/virtualMachines/ci_1a2b3c4d", Name: "ci_1a2b3c4d", InstanceID: "ci_1a2b3c4d", VMID: "v", ProvisioningState: "Failed",
		HasView: true, PowerState: "running", Failure: "AllocationFailed: No room",
	}, flexibleInstanceOf(decode[machine](t, machineBody)))
	assert.Equal(t, vmss.Instance{
		ID: "/S/RG/virtualMachines/CI_2", Name: "CI_2", InstanceID: "CI_2", ProvisioningState: "Updating",
		HasView: true, PowerState: "stopped",
	}, flexibleInstanceOf(decode[machine](t, viewBody)))
	assert.Equal(t, vmss.Instance{}, flexibleInstanceOf(machine{}))
}

func TestOnlyTheScaleSetsMachinesAreListed(t *testing.T) {
	page := reply{status: 200, body: `{"value":[` + machineBody + `,` + viewBody + `,` + otherBody + `]}`}
	for _, one := range []struct {
		list   func(flexible, context.Context) ([]vmss.Instance, error)
		expand []string
		names  []string
	}{
		{func(f flexible, ctx context.Context) ([]vmss.Instance, error) {
			return f.listWithViews(ctx, pages[vmss.Instance]{})
		}, []string{"instanceView"}, []string{"ci_1a2b3c4d", "CI_2"}},
		{flexible.listModels, nil, []string{"ci_1a2b3c4d"}},
	} {
		c, s := newClient(t, page)
		all, err := one.list(flexible{c}, t.Context())
		require.NoError(t, err)
		names := []string{}
		for _, i := range all {
			names = append(names, i.Name)
		}
		assert.Equal(t, one.names, names)
		query := s.requests[0].URL.Query()
		assert.Equal(t, []string{"'virtualMachineScaleSet/id' eq '" + setID + "'"}, query["$filter"])
		assert.Equal(t, one.expand, query["$expand"])
	}
}

func TestVirtualMachine(t *testing.T) {
	for body, text := range map[string]string{
		`{}`:      `response has no "id"`,
		otherBody: "does not belong to the scale set",
		`{"id":"x","properties":{"vmId":"alone"}}`: "does not belong to the scale set",
	} {
		c, _ := newClient(t, reply{status: 200, body: body})
		_, err := flexible{c}.Get(t.Context(), "x")
		require.ErrorContains(t, err, `read virtual machine "x" of scale set "ci"`)
		require.ErrorContains(t, err, text)
		assert.Equal(t, body != `{}`, armerr.Is(err, armerr.NotFound), "it has left the scale set")
	}
	c, _ := newClient(t, reply{status: 404, body: `{"error":{"code":"ResourceNotFound","message":"Gone."}}`})
	_, err := flexible{c}.Get(t.Context(), "x")
	assert.True(t, armerr.Is(err, armerr.NotFound), err)
	c, _ = newClient(t, reply{status: 200, body: machineBody})
	i, err := flexible{c}.Get(t.Context(), "x")
	require.NoError(t, err)
	assert.Equal(t, "v", i.VMID)
}

func TestDeleteVirtualMachine(t *testing.T) {
	for _, accepted := range []int{200, 202, 204} {
		c, s := newClient(t, reply{status: 500}, reply{status: accepted})
		require.NoError(t, flexible{c}.deleteVM(t.Context(), "ci_1"))
		require.Len(t, s.requests, 2)
		assert.Empty(t, s.bodies[1])
	}
	c, s := newClient(t, reply{status: 202})
	for _, name := range []string{"", ".", "..", "*", "a/b", `a\b`, "a%2fb"} {
		require.ErrorContains(t, flexible{c}.deleteVM(t.Context(), name), "not a valid name of a virtual machine")
		_, err := flexible{c}.Get(t.Context(), name)
		require.Error(t, err)
	}
	assert.Empty(t, s.requests)
	c, _ = newClient(t, reply{status: 409, body: `{"error":{"code":"OperationNotAllowed","message":"No."}}`})
	require.ErrorContains(t, flexible{c}.deleteVM(t.Context(), "ci_1"), `delete virtual machine "ci_1" of scale set "ci"`)
}

func TestGroupInterfaces(t *testing.T) {
	c, _ := newClient(t, reply{status: 200, body: `{"value":[{"id":"without-vm","properties":{}},` + nicBody + `,{}]}`})
	all, err := flexible{c}.Interfaces(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "/s/ci/virtualmachines/3", all[0].VMID)
}

func TestGroupPublicAddresses(t *testing.T) {
	c, _ := newClient(t, reply{status: 200, body: `{"value":[` + addressBody + `,{"id":"/S/Six","properties":{"ipAddress":"2001:db8::1"}},
{"id":"/s/none","properties":{}}]}`})
	all, err := flexible{c}.PublicAddresses(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]netip.Addr{"/s/pip": netip.MustParseAddr("20.1.2.3"), "/s/six": netip.MustParseAddr("2001:db8::1")}, all)
}

func TestAllConfigsAreKeptInOrder(t *testing.T) {
	i, _ := interfaceOf(decode[networkInterface](t, `{"properties":{"ipConfigurations":[
{"properties":{"privateIPAddress":"fd00::4","privateIPAddressVersion":"IPv6","publicIPAddress":{"id":"/S/Six"}}},
{"properties":{"privateIPAddressVersion":"IPv6"}},
{"properties":{"primary":true,"privateIPAddress":"10.0.0.4"}},{"properties":{"privateIPAddress":"10.0.0.5"}}]}}`))
	assert.Equal(t, []vmss.IPConfig{
		{Private: netip.MustParseAddr("fd00::4"), PublicID: "/s/six"},
		{},
		{Primary: true, Private: netip.MustParseAddr("10.0.0.4")},
		{Private: netip.MustParseAddr("10.0.0.5")},
	}, i.Configs)
}

func TestOSType(t *testing.T) {
	for body, want := range map[string]string{
		`{"storageProfile":{"osDisk":{"osType":"Windows"}}}`: "Windows",
		`{"osProfile":{"windowsConfiguration":{}}}`:          "Windows",
		`{"osProfile":{"linuxConfiguration":{}}}`:            "Linux",
		`{}`: "",
	} {
		assert.Equal(t, want, osType(decode[armcompute.VirtualMachineScaleSetVMProfile](t, body)), body)
	}
}

// Where Azure ignores the filter, VMs outside of the scale set must not become ours.
func TestVirtualMachinesOutsideOfTheScaleSet(t *testing.T) {
	c, _ := newClient(t, reply{status: 200, body: `{"value":[{"id":"/x/db","name":"db","properties":{"vmId":"alone"}}]}`})
	all, err := flexible{c}.listWithViews(t.Context(), pages[vmss.Instance]{})
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Empty(t, all[0].VMID, "its identity comes from the list of models")
}

// Where the list with instance views holds no models, a second list is read, and
// only if there is a VM whose vmId is not known.
func TestListWithoutModels(t *testing.T) {
	views := reply{status: 200, body: `{"value":[{"id":"/S/VM/A","name":"a","properties":{"instanceView":{"statuses":[{"code":"PowerState/running"}]}}},
{"id":"/S/VM/B","name":"b","properties":{"vmId":"of a VM that names no scale set","instanceView":{}}}]}`}
	models := reply{status: 200, body: `{"value":[
{"id":"/s/vm/a","name":"a","properties":{"vmId":"1","virtualMachineScaleSet":{"id":"` + setID + `"}}},
{"id":"/s/vm/b","name":"b","properties":{"vmId":"2","virtualMachineScaleSet":{"id":"` + setID + `"}}}]}`}
	known := map[string]string{}
	vmID := func(id string) string { return known[id] }

	c, s := newClient(t, views, models, views, views, reply{status: 400, body: `{"error":{"code":"InvalidParameter"}}`})
	all, err := flexible{c}.List(t.Context(), vmss.ListOptions{VMID: vmID})
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, []string{"1", "2"}, []string{all[0].VMID, all[1].VMID})
	assert.Equal(t, "running", all[0].PowerState, "the models hold no power state")
	require.Len(t, s.requests, 2)

	known["/S/VM/A"], known["/S/VM/B"] = "1", "2"
	all, err = flexible{c}.List(t.Context(), vmss.ListOptions{VMID: vmID})
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, []string{all[0].VMID, all[1].VMID})
	require.Len(t, s.requests, 3)

	delete(known, "/S/VM/B")
	_, err = flexible{c}.List(t.Context(), vmss.ListOptions{VMID: vmID})
	require.ErrorContains(t, err, "list the models of the virtual machines", "an incomplete list is an error")
	require.Len(t, s.requests, 5)
}

// No list of models is read where the first one holds them, whatever is known.
func TestListWithModels(t *testing.T) {
	c, s := newClient(t, reply{status: 200, body: `{"value":[` + machineBody + `]}`})
	all, err := flexible{c}.List(t.Context(), vmss.ListOptions{VMID: func(string) string { return "of another time" }})
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "v", all[0].VMID)
	assert.Len(t, s.requests, 1)
}

// TestCase06StandbyPool: the machines of a standby pool name the scale set, and are
// the pool's, running or not, until the scale set has taken them.
func TestCase06StandbyPool(t *testing.T) {
	machine := func(name, pool, power string) string {
		return `{"id":"/S/RG/virtualMachines/` + name + `","name":"` + name + `","properties":{"vmId":"v-` + name + `","virtualMachineScaleSet":{"id":"` + setID + `"},
"provisioningState":"Succeeded","instanceView":{` + pool + `"statuses":[{"code":"PowerState/` + power + `"}]}}}`
	}
	deallocated, running := machine("pool_1", `"isVMInStandbyPool":true,`, "deallocated"), machine("pool_2", `"isVMInStandbyPool":true,`, "running")
	taken, own := machine("taken", `"isVMInStandbyPool":false,`, "running"), machine("own", "", "running")
	c, _ := newClient(t, reply{status: 200, body: `{"value":[` + deallocated + `,` + taken + `,` + running + `,` + own + `]}`})
	all, err := flexible{c}.List(t.Context(), vmss.ListOptions{VMID: func(string) string { return "" }})
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, []string{"taken", "own"}, []string{all[0].Name, all[1].Name})
	for body, found := range map[string]bool{deallocated: false, running: false, taken: true, own: true} {
		c, _ := newClient(t, reply{status: 200, body: body})
		_, err := flexible{c}.Get(t.Context(), "x")
		assert.Equal(t, found, err == nil, body)
		assert.Equal(t, !found, armerr.Is(err, armerr.NotFound), body)
	}
}
