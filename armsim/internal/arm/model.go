package arm

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Azure fills in what a client leaves out. The values are those of recordings
// 01, 02 and 06.

func isWindows(profile object) bool {
	if os := jsonmap.Text(profile, "storageProfile.osDisk.osType"); os != "" {
		return strings.EqualFold(os, "Windows")
	}
	publisher := jsonmap.Text(profile, "storageProfile.imageReference.publisher")
	return jsonmap.At(profile, "osProfile.windowsConfiguration") != nil || strings.HasPrefix(publisher, "MicrosoftWindows")
}

// withoutProfile reports whether the model is of a Flexible set that has no
// virtual machine profile: virtual machines are put into it, and it makes none
// (Microsoft's page on orchestration modes).
func withoutProfile(model object) bool {
	return strings.EqualFold(jsonmap.Text(model, "properties.orchestrationMode"), "Flexible") &&
		jsonmap.At(model, "properties.virtualMachineProfile") == nil
}

func fillScaleSet(model object) {
	bare := withoutProfile(model)
	if (!bare || model["sku"] != nil) && !strings.EqualFold(jsonmap.Text(model, "sku.name"), world.Mixed) {
		jsonmap.SetDefault(jsonmap.Ensure(model, "sku"), "tier", "Standard")
	}
	p := jsonmap.Ensure(model, "properties")
	jsonmap.SetDefault(p, "orchestrationMode", "Uniform")
	if strings.EqualFold(jsonmap.Text(p, "orchestrationMode"), "Flexible") {
		fillFlexible(p)
	} else {
		fillUniform(p, len(jsonmap.List(model, "zones")) > 0)
	}
	if len(jsonmap.List(model, "zones")) > 0 {
		jsonmap.SetDefault(p, "zoneBalance", false)
	}
	policy := jsonmap.Ensure(p, "upgradePolicy")
	jsonmap.SetDefault(policy, "mode", "Manual")
	if auto, ok := policy["automaticOSUpgradePolicy"].(object); ok {
		for _, key := range []string{"enableAutomaticOSUpgrade", "useRollingUpgradePolicy", "disableAutomaticRollback"} {
			jsonmap.SetDefault(auto, key, false)
		}
	}
	if !bare {
		profile := jsonmap.Ensure(p, "virtualMachineProfile")
		fillProfile(profile)
		fillProfileByMode(p, profile)
	}
	canonicalLocation(model)
	for path, words := range vocabulary {
		inAzuresCase(model, path, words)
	}
}

func fillProfile(profile object) {
	if world.IsSpot(jsonmap.Text(profile, "priority")) {
		jsonmap.SetDefault(profile, "evictionPolicy", "Deallocate")
		jsonmap.SetDefault(jsonmap.Ensure(profile, "billingProfile"), "maxPrice", float64(-1))
	}
	fillOS(profile)
	fillDisk(jsonmap.Ensure(profile, "storageProfile.osDisk"), isWindows(profile))
	for _, nic := range interfacesOf(profile) {
		fillInterface(nic)
	}
}

// interfacesOf are the interfaces of a virtual machine profile.
func interfacesOf(profile object) []object {
	var all []object
	for _, nic := range jsonmap.List(profile, "networkProfile.networkInterfaceConfigurations") {
		if o, ok := nic.(object); ok {
			all = append(all, o)
		}
	}
	return all
}

func fillOS(profile object) {
	windows := isWindows(profile)
	os := jsonmap.Ensure(profile, "osProfile")
	if windows {
		w := jsonmap.Ensure(os, "windowsConfiguration")
		jsonmap.SetDefault(w, "provisionVMAgent", true)
		jsonmap.SetDefault(w, "enableAutomaticUpdates", true)
	} else {
		jsonmap.SetDefault(jsonmap.Ensure(os, "linuxConfiguration"), "provisionVMAgent", true)
		jsonmap.SetDefault(jsonmap.Ensure(os, "linuxConfiguration"), "disablePasswordAuthentication", false)
	}
	jsonmap.SetDefault(os, "secrets", []any{})
	jsonmap.SetDefault(os, "allowExtensionOperations", true)
	jsonmap.SetDefault(os, "requireGuestProvisionSignal", true)
}

func fillDisk(disk object, windows bool) {
	osType, gigabytes := "Linux", 30
	if windows {
		osType, gigabytes = "Windows", 127
	}
	jsonmap.SetDefault(disk, "osType", osType)
	jsonmap.SetDefault(disk, "createOption", "FromImage")
	jsonmap.SetDefault(disk, "caching", "None")
	jsonmap.SetDefault(disk, "diskSizeGB", float64(gigabytes))
	if disk["vhdContainers"] == nil {
		jsonmap.SetDefault(jsonmap.Ensure(disk, "managedDisk"), "storageAccountType", "Premium_LRS")
	}
}

func fillInterface(nic object) {
	p := jsonmap.Ensure(nic, "properties")
	if text, ok := p["primary"].(string); ok {
		p["primary"] = strings.EqualFold(text, "true") // azure-cli sends it so (recording 25)
	}
	jsonmap.SetDefault(p, "disableTcpStateTracking", false)
	jsonmap.SetDefault(p, "enableIPForwarding", false)
	jsonmap.SetDefault(jsonmap.Ensure(p, "dnsSettings"), "dnsServers", []any{})
	for _, config := range jsonmap.List(p, "ipConfigurations") {
		if c, ok := config.(object); ok {
			jsonmap.SetDefault(jsonmap.Ensure(c, "properties"), "privateIPAddressVersion", "IPv4")
			fillPublicAddress(c)
		}
	}
}

func fillPublicAddress(ipConfig object) {
	p := jsonmap.Ensure(ipConfig, "properties")
	if lower, ok := p["publicipaddressconfiguration"]; ok { // Azure CLI writes it so
		delete(p, "publicipaddressconfiguration")
		p["publicIPAddressConfiguration"] = lower
	}
	if public, ok := jsonmap.At(ipConfig, "properties.publicIPAddressConfiguration").(object); ok {
		jsonmap.SetDefault(jsonmap.Ensure(public, "properties"), "ipTags", []any{})
	}
}

// takeSecrets removes what Azure never gives back, and returns what instances are made with.
func takeSecrets(model object) world.Secrets {
	profile := jsonmap.At(model, "properties.virtualMachineProfile")
	taken := world.Secrets{
		Password:   jsonmap.Text(profile, "osProfile.adminPassword"),
		CustomData: jsonmap.Text(profile, "osProfile.customData"),
		UserData:   jsonmap.Text(profile, "userData"),
	}
	dropSecrets(model)
	return taken
}

// dropSecrets removes secrets wherever they stand: a misplaced or odd-cased
// one is still a secret.
func dropSecrets(v any) {
	switch v := v.(type) {
	case object:
		for key, value := range v {
			if slices.ContainsFunc(secrets, func(s string) bool { return strings.EqualFold(s, key) }) {
				delete(v, key)
				continue
			}
			dropSecrets(value)
		}
	case []any:
		for _, value := range v {
			dropSecrets(value)
		}
	}
}

var secrets = []string{"adminPassword", "customData", "userData", "protectedSettings"}

// Properties that only Azure writes; a client that sends them back is heard
// without effect.
var readOnly = []string{"provisioningState", "uniqueId", "timeCreated", unknownField}

func dropReadOnly(body object) {
	for _, key := range []string{"id", "name", "type", "etag"} {
		delete(body, key)
	}
	if p, ok := body["properties"].(object); ok {
		for _, key := range readOnly {
			delete(p, key)
		}
		if profile, ok := p["virtualMachineProfile"].(object); ok {
			delete(profile, "timeCreated")
		}
	}
}

// checkModel refuses what Azure refuses and a user of scale sets meets.
func checkModel(model object) *problem {
	if size := jsonmap.Text(model, "sku.name"); size == "" && !withoutProfile(model) {
		return invalidParameter("sku.name", "Required parameter 'sku.name' is missing (null).")
	}
	capacity, ok := jsonmap.At(model, "sku.capacity").(float64)
	if jsonmap.At(model, "sku.capacity") != nil && (!ok || capacity < 0 || capacity != float64(int(capacity))) {
		// The capacity is unsigned on the server (Azure/vm-scale-sets#70).
		return azhttp.NewProblem(400, "BadRequest", "Error converting value %v to type 'System.Nullable`1[System.UInt32]'.", jsonmap.At(model, "sku.capacity"))
	}
	if withoutProfile(model) && capacity > 0 {
		return notSimulated("a capacity of", "a scale set without a virtual machine profile")
	}
	limit := 1000
	if jsonmap.Bool(model, "properties.singlePlacementGroup") {
		limit = 100
	}
	if int(capacity) > limit {
		return invalidParameter("sku.capacity", "The value %d of parameter 'sku.capacity' is out of range: a scale set of this placement holds at most %d instances.", int(capacity), limit)
	}
	mode := jsonmap.Text(model, "properties.upgradePolicy.mode")
	if !slices.ContainsFunc([]string{"Manual", "Automatic", "Rolling"}, func(s string) bool { return strings.EqualFold(s, mode) }) {
		return invalidParameter("upgradePolicy.mode", "The value '%s' of parameter 'upgradePolicy.mode' is invalid.", mode)
	}
	if p := checkMix(model); p != nil {
		return p
	}
	if p := checkPriority(model); p != nil {
		return p
	}
	if p := checkListeners(model); p != nil {
		return p
	}
	return checkKeys(model)
}

// checkListeners knows the two protocols of WinRM (the specification's enum).
func checkListeners(model object) *problem {
	for i, listener := range jsonmap.List(model, "properties.virtualMachineProfile.osProfile.windowsConfiguration.winRM.listeners") {
		if protocol := jsonmap.Text(listener, "protocol"); !strings.EqualFold(protocol, "Http") && !strings.EqualFold(protocol, "Https") {
			return invalidParameter(fmt.Sprintf("windowsConfiguration.winRM.listeners[%d].protocol", i),
				"The value '%s' of parameter 'windowsConfiguration.winRM.listeners.protocol' is invalid.", protocol)
		}
	}
	return nil
}

// checkPriority knows the rules of Microsoft's page on Spot error codes.
func checkPriority(model object) *problem {
	profile := jsonmap.At(model, "properties.virtualMachineProfile")
	policy, priority := jsonmap.Text(profile, "evictionPolicy"), jsonmap.Text(profile, "priority")
	switch {
	case priority != "" && !world.IsSpot(priority) && !strings.EqualFold(priority, "Regular"):
		return invalidParameter("priority", "The value '%s' of parameter 'priority' is invalid.", priority)
	case policy != "" && !world.IsSpot(priority):
		return azhttp.NewProblem(http.StatusBadRequest, "EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines",
			"Eviction policy can be set only on Azure Spot Virtual Machines.")
	case policy != "" && !strings.EqualFold(policy, "Delete") && !strings.EqualFold(policy, "Deallocate"):
		return invalidParameter("evictionPolicy", "The value '%s' of parameter 'evictionPolicy' is invalid.", policy)
	}
	return nil
}

// checkUnchanged refuses changes of what is fixed at creation.
func checkUnchanged(u world.Unknowns, before, after object) *problem {
	fixed := []string{
		"properties.orchestrationMode", "properties.platformFaultDomainCount", "properties.virtualMachineProfile.osProfile.adminUsername",
		"properties.virtualMachineProfile.osProfile.computerNamePrefix",
	}
	if u.KeysFixed {
		fixed = append(fixed, "properties.virtualMachineProfile.osProfile.linuxConfiguration.ssh.publicKeys")
	}
	if p := checkZonesKept(before, after); p != nil {
		return p
	}
	const priority = "virtualMachineProfile.priority"
	if !withoutProfile(before) && world.IsSpot(jsonmap.Text(before, "properties."+priority)) != world.IsSpot(jsonmap.Text(after, "properties."+priority)) {
		return propertyChangeNotAllowed(priority) // a set without a priority is a regular one
	}
	for _, property := range fixed {
		if old := jsonmap.At(before, property); old != nil && !reflect.DeepEqual(jsonmap.At(after, property), old) {
			return propertyChangeNotAllowed(strings.TrimPrefix(property, "properties."))
		}
	}
	return nil
}
