package arm

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// What Azure fills in by the orchestration mode.

// fillUniform sets what Flexible sets do not have. Sets with zones have one fault domain
// (Microsoft's page on fault domains), and so had one of Spot instances (recording 25), by
// which rule is not known.
func fillUniform(p object, zonal bool) {
	faultDomains := 5
	if zonal || world.IsSpot(jsonmap.Text(p, "virtualMachineProfile.priority")) {
		faultDomains = 1
	}
	jsonmap.SetDefault(p, "singlePlacementGroup", true)
	jsonmap.SetDefault(p, "overprovision", true)
	jsonmap.SetDefault(p, "doNotRunExtensionsOnOverprovisionedVMs", false)
	jsonmap.SetDefault(p, "platformFaultDomainCount", float64(faultDomains))
}

// fillFlexible is of recording 25.
func fillFlexible(p object) {
	jsonmap.SetDefault(p, "singlePlacementGroup", false)
	jsonmap.SetDefault(p, "platformFaultDomainCount", float64(1))
	jsonmap.SetDefault(p, "constrainedMaximumCapacity", false)
}

// fillProfileByMode sets what only profiles of the one mode or of the other have
// (recordings 01, 21 and 25).
func fillProfileByMode(p, profile object) {
	if !strings.EqualFold(jsonmap.Text(p, "orchestrationMode"), "Flexible") {
		for _, nic := range interfacesOf(profile) {
			jsonmap.SetDefault(jsonmap.Ensure(nic, "properties"), "enableAcceleratedNetworking", false)
		}
		return
	}
	jsonmap.SetDefault(jsonmap.Ensure(profile, "storageProfile.osDisk"), "deleteOption", "Delete")
	for os, mode := range map[string]string{"linuxConfiguration": "ImageDefault", "windowsConfiguration": "AutomaticByOS"} {
		if jsonmap.At(profile, "osProfile."+os) != nil {
			patches := jsonmap.Ensure(profile, "osProfile."+os+".patchSettings")
			jsonmap.SetDefault(patches, "patchMode", mode)
			jsonmap.SetDefault(patches, "assessmentMode", "ImageDefault")
		}
	}
	for _, nic := range interfacesOf(profile) {
		properties := jsonmap.Ensure(nic, "properties")
		jsonmap.SetDefault(properties, "auxiliaryMode", "None")
		jsonmap.SetDefault(properties, "auxiliarySku", "None")
		jsonmap.SetDefault(properties, "deleteOption", "Delete")
		for _, config := range jsonmap.List(properties, "ipConfigurations") {
			fillFlexibleConfig(config)
		}
	}
}

func fillFlexibleConfig(config any) {
	if c, ok := config.(object); ok {
		for _, list := range []string{"applicationSecurityGroups", "applicationGatewayBackendAddressPools", "loadBalancerBackendAddressPools"} {
			jsonmap.SetDefault(jsonmap.Ensure(c, "properties"), list, []any{})
		}
	}
}

// createOptions are those of a disk ("fromImage", recordings 26 and 34).
var createOptions = []string{"FromImage", "Empty", "Attach", "Copy", "Restore"}

// vocabulary are words of a scale set's model that clients send in any case and Azure gives
// back in its own ("manual", recording 25).
var vocabulary = map[string][]string{
	"properties.virtualMachineProfile.storageProfile.osDisk.createOption": createOptions,

	"properties.orchestrationMode":                    {"Uniform", "Flexible"},
	"properties.upgradePolicy.mode":                   {"Manual", "Automatic", "Rolling"},
	"properties.virtualMachineProfile.priority":       {"Regular", "Low", "Spot"},
	"properties.virtualMachineProfile.evictionPolicy": {"Delete", "Deallocate"},
}

// inAzuresCase gives the word at a path Azure's case, where it is one of these.
func inAzuresCase(model object, path string, words []string) {
	text := jsonmap.Text(model, path)
	for _, word := range words {
		if strings.EqualFold(text, word) {
			at := strings.LastIndexByte(path, '.')
			jsonmap.At(model, path[:at]).(object)[path[at+1:]] = word
		}
	}
}
