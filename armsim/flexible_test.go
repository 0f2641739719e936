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
