package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestRequired: what every Uniform set must have, besides what orders have.
func TestRequired(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for name, c := range map[string]struct {
		change func(p object)
		target string
	}{
		"policy":  {func(p object) { delete(p, "upgradePolicy") }, "upgradePolicy"},
		"mode":    {func(p object) { p["upgradePolicy"] = object{} }, "upgradePolicy.mode"},
		"profile": {func(p object) { delete(p, "virtualMachineProfile") }, "virtualMachineProfile"},
	} {
		_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: name, Change: func(m map[string]any) { c.change(m["properties"].(object)) }})
		assert.ErrorContains(t, err, "InvalidParameter (400): Required parameter '"+c.target+"' is missing", name)
	}
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "flexible", OrchestrationMode: "Flexible"})
	assert.NoError(t, err, "it needs no policy")
	assert.Equal(t, "InvalidParameter", s.send(t, "PUT", s.ScaleSetPath("none"), `{"location":"westeurope","sku":{"name":"Standard_D2s_v5"}}`).code())
}

// TestZonesMayBeAddedOnly: what is there stays.
func TestZonesMayBeAddedOnly(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Zones: []string{"1", "2"}})
	for body, status := range map[string]int{
		`{"zones":["1"]}`: http.StatusConflict, `{"zones":["3"]}`: http.StatusConflict, `{"zones":[]}`: http.StatusConflict,
		`{"zones":["2","1"]}`: http.StatusOK, `{}`: http.StatusOK, `{"zones":["1","3","2"]}`: http.StatusOK,
	} {
		r := s.send(t, "PATCH", set, body)
		assert.Equal(t, status, r.status, body)
		if status == http.StatusConflict {
			assert.Equal(t, "PropertyChangeNotAllowed", r.code())
			assert.Equal(t, "zones", r.text("error.target"))
		}
		s.Advance(settled)
		if status == http.StatusOK && strings.Contains(body, "3") {
			break // from now on it has three
		}
	}
}

// TestFlexibleDefaults are those of recording 25.
func TestFlexibleDefaults(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	spec := flexible(1)
	spec.Change = func(m map[string]any) { delete(m["properties"].(object), "singlePlacementGroup") }
	set := s.scaleSet(t, spec)
	p := s.get(t, set).body["properties"]
	for path, want := range map[string]any{
		"singlePlacementGroup": false, "constrainedMaximumCapacity": false, "platformFaultDomainCount": 1.0, "upgradePolicy": object{"mode": "Manual"},
		"overprovision": nil, "doNotRunExtensionsOnOverprovisionedVMs": nil,
		"virtualMachineProfile.storageProfile.osDisk.deleteOption":         "Delete",
		"virtualMachineProfile.osProfile.linuxConfiguration.patchSettings": object{"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
	} {
		assert.Equal(t, want, get(p, path), path)
	}
	nic := get(p, "virtualMachineProfile.networkProfile.networkInterfaceConfigurations.0.properties")
	for key, want := range map[string]any{
		"auxiliaryMode": "None", "auxiliarySku": "None", "deleteOption": "Delete", "enableAcceleratedNetworking": nil, "disableTcpStateTracking": false,
	} {
		assert.Equal(t, want, get(nic, key), key)
	}
	for _, list := range []string{"applicationSecurityGroups", "applicationGatewayBackendAddressPools", "loadBalancerBackendAddressPools"} {
		assert.Equal(t, []any{}, get(nic, "ipConfigurations.0.properties."+list), list)
	}
}
