package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func upgradePolicy(policy object) func(map[string]any) {
	return func(m map[string]any) { m["properties"].(object)["upgradePolicy"] = policy }
}

// sizes counts the sizes of a Uniform set's instances, and those of the latest model.
func (s *sim) sizes(t tb, set string) (sizes map[string]int, latest int) {
	t.Helper()
	sizes = map[string]int{}
	for _, i := range s.list(t, set+"/virtualMachines") {
		size := get(i, "properties.hardwareProfile.vmSize").(string)
		assert.Equal(t, size, get(i, "sku.name"))
		sizes[size]++
		if get(i, "properties.latestModelApplied") == true {
			latest++
		}
	}
	return sizes, latest
}

const newSize = `{"sku":{"name":"Standard_D4s_v5"}}`

// TestAnotherSize: the instances that there are keep theirs until they are upgraded.
func TestAnotherSize(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	old := s.ids(t, set)[0]
	require.Equal(t, http.StatusOK, s.send(t, "PATCH", set, newSize).status)
	s.Advance(settled)
	s.setCapacity(t, set, 3)
	s.Advance(settled)
	sizes, latest := s.sizes(t, set)
	assert.Equal(t, map[string]int{"Standard_D2s_v5": 2, "Standard_D4s_v5": 1}, sizes)
	assert.Equal(t, 1, latest)
	s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []string{old}})
	s.Advance(settled)
	sizes, latest = s.sizes(t, set)
	assert.Equal(t, map[string]int{"Standard_D2s_v5": 1, "Standard_D4s_v5": 2}, sizes)
	assert.Equal(t, 2, latest)
}

// TestAnUpgradeAppliesTheModel, but for what takes a reimage as well.
func TestAnUpgradeAppliesTheModel(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, PublicKey: firstKey, Change: upgradePolicy(object{"mode": "Automatic"})})
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	s.send(t, "PATCH", set, withKeys(secondKey))
	nic := get(s.get(t, set).body, "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.0").(object)
	nic["properties"].(object)["dnsSettings"] = object{"dnsServers": []any{"10.1.1.1"}}
	s.send(t, "PATCH", set, object{"properties": object{"virtualMachineProfile": object{
		"networkProfile": object{"networkInterfaceConfigurations": []any{nic}},
		"storageProfile": object{"osDisk": object{"caching": "ReadOnly"}, "dataDisks": []any{object{"lun": 0, "createOption": "Empty", "diskSizeGB": 8}}},
	}}})
	s.Advance(settled)
	got := s.get(t, one)
	assert.Equal(t, true, get(got.body, "properties.latestModelApplied"))
	assert.Equal(t, "ReadOnly", got.text("properties.storageProfile.osDisk.caching"))
	assert.Equal(t, 8.0, get(got.body, "properties.storageProfile.dataDisks.0.diskSizeGB"))
	assert.Equal(t, firstKey, got.text("properties.osProfile.linuxConfiguration.ssh.publicKeys.0.keyData"))
	nics := s.list(t, set+"/networkInterfaces?api-version=2018-10-01")
	assert.Equal(t, []any{"10.1.1.1"}, get(nics, "0.properties.dnsSettings.appliedDnsServers"))
}

// TestRollingUpgrades go on in batches, with pauses between these.
func TestRollingUpgrades(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 5, Change: upgradePolicy(object{
		"mode": "Rolling", "rollingUpgradePolicy": object{"maxBatchInstancePercent": 40, "pauseTimeBetweenBatches": "PT1M30S"},
	})})
	require.Equal(t, http.StatusOK, s.send(t, "PATCH", set, newSize).status)
	for _, want := range []int{2, 4, 5} {
		_, latest := s.sizes(t, set)
		assert.Equal(t, want, latest)
		s.Advance(power)
		_, latest = s.sizes(t, set)
		assert.Equal(t, want, latest, "it pauses")
		assert.Equal(t, "Updating", s.get(t, set).text("properties.provisioningState"))
		s.Advance(2 * settled)
	}
	assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"))
	s.send(t, "PATCH", set, newSize)
	s.send(t, "PATCH", set, `{"sku":{"name":"Standard_D2s_v5"}}`)
	s.send(t, "PATCH", set, newSize)
	s.Advance(20 * settled)
	sizes, latest := s.sizes(t, set)
	assert.Equal(t, map[string]int{"Standard_D4s_v5": 5}, sizes, "a newer model takes the place of the older one")
	assert.Equal(t, 5, latest)
	s.send(t, "DELETE", set, nil)
	s.Advance(20 * settled)
	assert.Equal(t, http.StatusNotFound, s.get(t, set).status)
}

// TestPutOfAnInstanceKeepsWhatItDoesNotName, and writes what it does.
func TestPutOfAnInstanceKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Unknowns: armsim.Unknowns{InstanceTagsKept: true}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	put := func(body any) object {
		t.Helper()
		require.Equal(t, http.StatusOK, s.send(t, "PUT", one, body).status)
		s.Advance(settled)
		return s.get(t, one).body
	}
	before := s.get(t, one)
	assert.Equal(t, before.body, put(before.body), "what was read changes nothing")

	disk := s.ResourcePath("/providers/Microsoft.Compute/disks/extra")
	attached := object{"lun": 1, "createOption": "Attach", "managedDisk": object{"id": disk}}
	made := object{"lun": 2, "createOption": "Empty", "diskSizeGB": 16}
	put(object{"tags": object{"a": "b"}, "properties": object{"storageProfile": object{"dataDisks": []any{attached, made}}}})
	got := put(object{"properties": object{"protectionPolicy": object{"protectFromScaleIn": true}, "licenseType": "None", "vmId": "mine"}})
	assert.Equal(t, object{"a": "b"}, got["tags"])
	p := got["properties"].(object)
	assert.Equal(t, disk, get(p, "storageProfile.dataDisks.0.managedDisk.id"))
	assert.Equal(t, "extra", get(p, "storageProfile.dataDisks.0.name"))
	assert.Equal(t, 16.0, get(p, "storageProfile.dataDisks.1.diskSizeGB"))
	assert.Equal(t, "None", p["licenseType"])
	assert.Equal(t, "VirtualMachine", p["modelDefinitionApplied"])
	assert.Equal(t, before.text("properties.vmId"), p["vmId"])
	assert.Equal(t, get(before.body, "properties.storageProfile.osDisk"), get(p, "storageProfile.osDisk"))

	attached["toBeDetached"] = true
	p = put(object{"properties": object{"storageProfile": object{"dataDisks": []any{attached, made}}}})["properties"].(object)
	assert.Len(t, get(p, "storageProfile.dataDisks"), 1)
	s.send(t, "PATCH", set, newSize)
	s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []string{"*"}})
	s.Advance(settled)
	p = s.get(t, one).body["properties"].(object)
	assert.Equal(t, "Standard_D4s_v5", get(p, "hardwareProfile.vmSize"))
	assert.Len(t, get(p, "storageProfile.dataDisks"), 1, "an upgrade leaves a disk of its own")

	config := get(p, "networkProfileConfiguration.networkInterfaceConfigurations.0").(object)
	pool := []any{object{"id": s.ResourcePath("/providers/Microsoft.Network/loadBalancers/l/backendAddressPools/p")}}
	get(config, "properties.ipConfigurations.0.properties").(object)["loadBalancerBackendAddressPools"] = pool
	put(object{"properties": object{"networkProfileConfiguration": object{"networkInterfaceConfigurations": []any{config}}}})
	nics := s.list(t, set+"/networkInterfaces?api-version=2018-10-01")
	assert.Equal(t, pool, get(nics, "0.properties.ipConfigurations.0.properties.loadBalancerBackendAddressPools"))
}

// TestInstanceTagsAreIgnored: a PUT of tags goes well, and they are nowhere (recording 02).
func TestInstanceTagsAreIgnored(t *testing.T) {
	t.Parallel()
	for _, kept := range []bool{false, true} {
		s := virtual(t, armsim.Config{Polite: true, Unknowns: armsim.Unknowns{InstanceTagsKept: kept}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
		one := set + "/virtualMachines/" + s.ids(t, set)[0]
		r := s.send(t, "PUT", one, object{"tags": object{"a": "b"}})
		s.Advance(settled)
		assert.Equal(t, "Succeeded", s.status(t, r))
		assert.Equal(t, kept, s.get(t, one).body["tags"] != nil)
	}
}
