package armsim_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func flexible(capacity int) armsim.ScaleSetSpec {
	return armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: "Flexible", Capacity: capacity, PublicAddress: true}
}

func (s *sim) machinesPath() string {
	return s.ResourcePath("/providers/Microsoft.Compute/virtualMachines")
}
func (s *sim) networkPath(kind string) string {
	return s.ResourcePath("/providers/Microsoft.Network/"+kind) + "?api-version=2025-05-01"
}

// machines lists the virtual machines of a scale set.
func (s *sim) machines(t tb, set string, more ...string) []any {
	t.Helper()
	filter := "'virtualMachineScaleSet/id' eq '" + strings.ToUpper(set) + "'"
	return s.list(t, s.machinesPath()+"?api-version="+version+"&$filter="+url.QueryEscape(filter)+strings.Join(more, ""))
}

func (s *sim) machineNames(t tb, set string) []string {
	t.Helper()
	names := []string{}
	for _, m := range s.machines(t, set) {
		names = append(names, get(m, "name").(string))
	}
	return names
}

func TestFlexibleLife(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(0))
	accepted := s.setCapacity(t, set, 4)
	require.Equal(t, http.StatusOK, accepted.status, accepted.raw)
	names := s.machineNames(t, set)
	require.Len(t, names, 4)
	for _, m := range s.machines(t, set) {
		assert.Equal(t, "Creating", get(m, "properties.provisioningState"))
		assert.Equal(t, `"1"`, get(m, "etag"))
	}
	assert.Empty(t, s.list(t, s.networkPath("networkInterfaces")))
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, accepted))
	assert.Equal(t, names, s.machineNames(t, set), "names stay")
	for _, m := range s.machines(t, set, "&$expand=instanceView") {
		s.checkMachine(t, set, m)
	}
	assert.Len(t, s.list(t, s.networkPath("networkInterfaces")), 4)
	assert.Len(t, s.list(t, s.networkPath("publicIPAddresses")), 4)

	s.deleteInstances(t, set, names[0], strings.ToUpper(names[1]))
	s.Advance(settled)
	assert.Equal(t, names[2:], s.machineNames(t, set))
	assert.Len(t, s.list(t, s.networkPath("networkInterfaces")), 2)
	assert.Len(t, s.list(t, s.networkPath("publicIPAddresses")), 2)
	assert.Equal(t, 2, s.capacity(t, set))

	require.Equal(t, http.StatusAccepted, s.send(t, "DELETE", set, nil).status)
	s.Advance(settled)
	assert.Empty(t, s.list(t, s.machinesPath()))
	assert.Zero(t, s.Stats().Addresses)
}

var flexibleName = regexp.MustCompile(`^ci_[0-9a-f]{8}$`)

// checkMachine follows a virtual machine to its addresses, as a client does.
func (s *sim) checkMachine(t *testing.T, set string, m any) {
	t.Helper()
	assert.Regexp(t, flexibleName, get(m, "name"))
	assert.True(t, strings.EqualFold(set, get(m, "properties.virtualMachineScaleSet.id").(string)))
	assert.True(t, strings.EqualFold(s.machinesPath()+"/"+get(m, "name").(string), get(m, "id").(string)))
	computer := get(m, "properties.osProfile.computerName").(string)
	assert.Regexp(t, `^ci[0-9A-Z]{6}$`, computer)
	assert.Equal(t, computer, get(m, "properties.instanceView.computerName"))
	assert.Nil(t, get(m, "properties.latestModelApplied"))
	nic := s.get(t, get(m, "properties.networkProfile.networkInterfaces.0.id").(string)+"?api-version=2025-05-01")
	require.Equal(t, http.StatusOK, nic.status, nic.raw)
	assert.True(t, strings.EqualFold(get(m, "id").(string), nic.text("properties.virtualMachine.id")))
	public := s.get(t, nic.text("properties.ipConfigurations.0.properties.publicIPAddress.id")+"?api-version=2025-05-01")
	require.Equal(t, http.StatusOK, public.status, public.raw)
	infos := s.Instances()
	at := slices.IndexFunc(infos, func(i armsim.InstanceInfo) bool { return i.Name == get(m, "name") })
	require.GreaterOrEqual(t, at, 0)
	assert.Equal(t, infos[at].PrivateAddress, nic.text("properties.ipConfigurations.0.properties.privateIPAddress"))
	assert.Equal(t, infos[at].PublicAddress, public.text("properties.ipAddress"))
	assert.Equal(t, "Flexible", infos[at].Mode)
}

func TestMachineLists(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, flexible(4))
	other := flexible(1)
	other.Name = "other"
	s.scaleSet(t, other)
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "uniform", Capacity: 1})
	all := s.list(t, s.machinesPath())
	require.Len(t, all, 5, "of Flexible sets only")
	assert.Nil(t, get(all[0], "properties.instanceView"))
	assert.Nil(t, get(s.list(t, s.machinesPath()+"?api-version="+version+"&$expand=instanceView")[0], "properties.instanceView"))
	expanded := s.machines(t, set, "&$expand=instanceView")
	require.Len(t, expanded, 4)
	for _, m := range expanded {
		assert.NotNil(t, get(m, "properties.instanceView.statuses"))
		assert.NotNil(t, get(m, "properties.vmId"))
	}
	assert.Nil(t, get(s.machines(t, set)[0], "properties.instanceView"))
	assert.Empty(t, s.machines(t, "nothing"))
	r := s.get(t, s.machinesPath()+"?api-version="+version+"&$filter=name%20eq%20'x'")
	assert.Equal(t, http.StatusNotImplemented, r.status)
	path := s.machinesPath() + "/" + strings.ToUpper(get(all[0], "name").(string))
	assert.NotNil(t, get(s.get(t, path+"?api-version="+version+"&$expand=instanceView").body, "properties.instanceView"))
	assert.NotNil(t, s.get(t, path+"/instanceView").body["statuses"])
}

func TestExpandedListMayLackTheModel(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Unknowns: armsim.Unknowns{ExpandedListWithoutModel: true}})
	set := s.scaleSet(t, flexible(1))
	m := s.machines(t, set, "&$expand=instanceView")[0].(object)
	assert.Equal(t, "ci_", m["name"].(string)[:3])
	assert.Equal(t, []string{"id", "location", "name", "properties", "properties.instanceView"}, slices.DeleteFunc(paths(m, ""), func(path string) bool {
		return path == "type" || strings.HasPrefix(path, "properties.instanceView.")
	}))
	assert.NotNil(t, get(s.machines(t, set)[0], "properties.vmId"))
}

// TestUniformCallsOnAFlexibleSet: what works, and how the rest is refused.
func TestUniformCallsOnAFlexibleSet(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, flexible(4))
	name := s.machineNames(t, set)[0]
	members := s.list(t, set+"/virtualMachines")
	require.Len(t, members, 4)
	assert.Equal(t, object{
		"name": name, "id": set + "/virtualMachines/" + name, "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
		"location": "westeurope", "instanceId": name, "zones": []any{nil}}, members[0], "as in recording 21")
	one := s.get(t, set+"/virtualMachines/"+name)
	require.Equal(t, http.StatusOK, one.status, one.raw)
	assert.Equal(t, name, one.text("instanceId"))
	assert.NotEmpty(t, one.text("properties.vmId"))
	assert.Contains(t, one.raw, `"networkProfile":null`)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", set + "/instanceView", 400, "BadRequest"},
		{"GET", set + "/virtualMachines/" + name + "/instanceView", 400, "BadRequest"},
		{"GET", set + "/virtualMachines/ci_0", 404, "NotFound"},
		{"DELETE", set + "/virtualMachines/" + name, 400, "BadRequest"},
		{"POST", set + "/manualupgrade", 400, "BadRequest"},
		{"GET", set + "/networkInterfaces", 404, "NotFound"},
		{"GET", set + "/publicIPAddresses", 404, "NotFound"},
		{"GET", set + "/virtualMachines/" + name + "/networkInterfaces", 404, "NotFound"},
	} {
		r := s.send(t, c.method, c.path, nil)
		assert.Equal(t, c.status, r.status, c.path)
		assert.Equal(t, c.code, r.code(), c.path)
	}
}

func TestMachinePower(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(1))
	path := s.paths(set)[0]
	for _, c := range []struct{ action, power string }{
		{"powerOff", "stopped"}, {"start", "running"}, {"deallocate", "deallocated"}, {"start", "running"}, {"restart", "running"},
	} {
		r := s.send(t, "POST", path+"/"+c.action, nil)
		require.Equal(t, http.StatusAccepted, r.status, r.raw)
		assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"), "the set is none the wiser")
		s.Advance(settled)
		assert.Equal(t, "Succeeded", s.status(t, r))
		state, power := s.lives(t, path)
		assert.Equal(t, []string{"Succeeded", c.power}, []string{state, power})
	}
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", path, nil).status)
	assert.Equal(t, http.StatusConflict, s.send(t, "DELETE", path, nil).status)
	assert.Equal(t, http.StatusConflict, s.send(t, "POST", path+"/start", nil).status)
	s.Advance(settled)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", path, nil).status)
	assert.Equal(t, "ResourceNotFound", s.send(t, "POST", path+"/start", nil).code())
}

func TestFlexibleBatchPower(t *testing.T) {
	t.Parallel()
	for refused, want := range map[bool]int{false: http.StatusAccepted, true: http.StatusBadRequest} {
		s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{FlexibleBatchPowerRefused: refused}})
		set := s.scaleSet(t, flexible(2))
		uniform := s.scaleSet(t, armsim.ScaleSetSpec{Name: "uniform", Capacity: 1})
		assert.Equal(t, want, s.send(t, "POST", set+"/deallocate", object{"instanceIds": s.machineNames(t, set)[:1]}).status)
		assert.Equal(t, http.StatusAccepted, s.send(t, "POST", uniform+"/deallocate", nil).status)
	}
}

func TestMachineWrites(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, flexible(1))
	path := s.paths(set)[0]
	before := s.get(t, path)
	assert.Equal(t, before.text("etag"), before.header.Get("ETag"))
	r := s.send(t, "PATCH", path, `{"tags":{"a":"b"}}`, header{"If-Match": before.text("etag")})
	require.Equal(t, http.StatusOK, r.status, r.raw)
	assert.Equal(t, http.StatusPreconditionFailed, s.send(t, "PATCH", path, `{}`, header{"If-Match": before.text("etag")}).status)
	s.Advance(settled)
	after := s.get(t, path)
	assert.Equal(t, object{"a": "b"}, after.body["tags"])
	assert.Equal(t, before.text("properties.vmId"), after.text("properties.vmId"))
	assert.Equal(t, "Succeeded", after.text("properties.provisioningState"))
	r = s.send(t, "PATCH", path, `{"properties":{"osProfile":{"linuxConfiguration":{"ssh":{"publicKeys":[{"keyData":"ssh-rsa A"}]}}}}}`)
	assert.Equal(t, "PropertyChangeNotAllowed", r.code())
	assert.Equal(t, "ResourceNotFound", s.send(t, "PATCH", path+"x", `{}`).code())
	in := object{"location": "x", "properties": object{"virtualMachineScaleSet": object{"id": set}}}
	assert.Equal(t, http.StatusNotImplemented, s.send(t, "PUT", path+"x", in).status)
}

// TestFlexibleListsHaveNoInstanceView in the way that is meant for Uniform sets.
func TestFlexibleListsHaveNoInstanceView(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(1))
	assert.Len(t, s.list(t, set+"/virtualMachines"), 1)
	r := s.get(t, set+"/virtualMachines?api-version="+version+"&$expand=instanceView")
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Equal(t, "BadRequest", r.code())
}

// TestStatusCodesHaveOneCase: all recorded ones do, and tools compare them.
func TestStatusCodesHaveOneCase(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 20})
	code := regexp.MustCompile(`"code":"([^"]*)"`)
	for _, path := range []string{set + "/instanceView", set + "/virtualMachines?api-version=" + version + "&$expand=instanceView"} {
		for _, m := range code.FindAllStringSubmatch(jsonOf(t, s.get(t, path).body), -1) {
			assert.Contains(t, []string{"ProvisioningState/succeeded", "PowerState/running"}, m[1])
		}
	}
}
