package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestDefaultsOfAScaleSet that depend on what else its model says.
func TestDefaultsOfAScaleSet(t *testing.T) {
	t.Parallel()
	const domains, controller = "properties.platformFaultDomainCount", "properties.virtualMachineProfile.storageProfile.diskControllerType"
	const patches = "properties.virtualMachineProfile.osProfile.windowsConfiguration.patchSettings"
	s := virtual(t, armsim.Config{Polite: true})
	profile := func(p object) object { return p["virtualMachineProfile"].(object) }
	for name, c := range map[string]struct {
		change func(set, properties object)
		want   object
	}{
		"regional": {nil, object{domains: 5.0, controller: "SCSI"}},
		"zonal":    {func(set, _ object) { set["zones"] = []any{"1"} }, object{domains: 1.0}},
		"Spot":     {func(_, p object) { profile(p)["priority"] = "Spot" }, object{domains: 1.0}},
		"Flexible": {func(_, p object) { p["orchestrationMode"] = "Flexible" }, object{domains: 1.0, patches: nil}},
		"given":    {func(_, p object) { p["platformFaultDomainCount"], profile(p)["priority"] = 2, "Spot" }, object{domains: 2.0}},
		"generation 1": {func(_, p object) {
			imageIn(p)["offer"], imageIn(p)["sku"] = "0001-com-ubuntu-server-jammy", "22_04-lts"
		}, object{controller: nil}},
		"version 6":        {func(set, _ object) { set["sku"] = object{"name": "Standard_D2s_v6", "capacity": 1} }, object{controller: "NVMe"}},
		"controller given": {func(_, p object) { profile(p)["storageProfile"].(object)["diskControllerType"] = "NVMe" }, object{controller: "NVMe"}},
		"Flexible with Windows": {func(_, p object) {
			p["orchestrationMode"] = "Flexible"
			profile(p)["storageProfile"] = object{"imageReference": object{"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2"},
				"osDisk": object{"createOption": "fromImage"}}
		}, object{patches: object{"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault"}, "properties.virtualMachineProfile.storageProfile.osDisk.createOption": "FromImage"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(t, "PUT", s.ScaleSetPath(strings.ReplaceAll(name, " ", "-")), setResource("x", c.change))
			require.Equal(t, http.StatusCreated, r.status, r.raw)
			for path, want := range c.want {
				assert.Equal(t, want, get(r.body, path), path)
			}
		})
	}
}

// TestDefaultsOfAMachine that a client made (recording 34).
func TestDefaultsOfAMachine(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	r := s.send(t, "PUT", s.machinesPath()+"/own", machineResource("x", func(_, p object) {
		p["networkProfile"] = object{"networkInterfaces": []any{object{"id": s.network("networkInterfaces/a"), "properties": object{"deleteOption": nil}}}}
		p["storageProfile"].(object)["osDisk"] = object{"createOption": "fromImage", "name": nil}
	}))
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	assert.Equal(t, "SCSI", r.text("properties.storageProfile.diskControllerType"))
	assert.Equal(t, "FromImage", r.text("properties.storageProfile.osDisk.createOption"))
	assert.Equal(t, object{"id": s.network("networkInterfaces/a")}, get(r.body, "properties.networkProfile.networkInterfaces.0"))
}
