package armsim

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Azure fills in what a client leaves out. The values are those of recordings
// 01, 02 and 06.

func isWindows(profile object) bool {
	if os := text(profile, "storageProfile.osDisk.osType"); os != "" {
		return strings.EqualFold(os, "Windows")
	}
	publisher := text(profile, "storageProfile.imageReference.publisher")
	return at(profile, "osProfile.windowsConfiguration") != nil || strings.HasPrefix(publisher, "MicrosoftWindows")
}

func fillScaleSet(model object) {
	setDefault(ensure(model, "sku"), "tier", "Standard")
	p := ensure(model, "properties")
	setDefault(p, "orchestrationMode", "Uniform")
	if strings.EqualFold(text(p, "orchestrationMode"), "Flexible") {
		setDefault(p, "platformFaultDomainCount", float64(1))
	} else {
		fillUniform(p)
	}
	if len(list(model, "zones")) > 0 {
		setDefault(p, "zoneBalance", false)
	}
	policy := ensure(p, "upgradePolicy")
	setDefault(policy, "mode", "Manual")
	if auto, ok := policy["automaticOSUpgradePolicy"].(object); ok {
		for _, key := range []string{"enableAutomaticOSUpgrade", "useRollingUpgradePolicy", "disableAutomaticRollback"} {
			setDefault(auto, key, false)
		}
	}
	fillProfile(ensure(p, "virtualMachineProfile"))
}

// fillUniform sets what Flexible sets do not have.
func fillUniform(p object) {
	setDefault(p, "singlePlacementGroup", true)
	setDefault(p, "overprovision", true)
	setDefault(p, "doNotRunExtensionsOnOverprovisionedVMs", false)
	setDefault(p, "platformFaultDomainCount", float64(5))
}

func fillProfile(profile object) {
	if isSpot(text(profile, "priority")) {
		setDefault(profile, "evictionPolicy", "Deallocate")
		setDefault(ensure(profile, "billingProfile"), "maxPrice", float64(-1))
	}
	fillOS(profile)
	fillDisk(ensure(profile, "storageProfile.osDisk"), isWindows(profile))
	for _, nic := range list(profile, "networkProfile.networkInterfaceConfigurations") {
		fillInterface(nic)
	}
}

func fillOS(profile object) {
	windows := isWindows(profile)
	os := ensure(profile, "osProfile")
	if windows {
		w := ensure(os, "windowsConfiguration")
		setDefault(w, "provisionVMAgent", true)
		setDefault(w, "enableAutomaticUpdates", true)
	} else {
		setDefault(ensure(os, "linuxConfiguration"), "provisionVMAgent", true)
		setDefault(ensure(os, "linuxConfiguration"), "disablePasswordAuthentication", false)
	}
	setDefault(os, "secrets", []any{})
	setDefault(os, "allowExtensionOperations", true)
	setDefault(os, "requireGuestProvisionSignal", true)
}

func fillDisk(disk object, windows bool) {
	osType, gigabytes := "Linux", 30
	if windows {
		osType, gigabytes = "Windows", 127
	}
	setDefault(disk, "osType", osType)
	setDefault(disk, "createOption", "FromImage")
	setDefault(disk, "caching", "None")
	setDefault(disk, "diskSizeGB", float64(gigabytes))
	if disk["vhdContainers"] == nil {
		setDefault(ensure(disk, "managedDisk"), "storageAccountType", "Premium_LRS")
	}
}

func fillInterface(nic any) {
	o, ok := nic.(object)
	if !ok {
		return
	}
	p := ensure(o, "properties")
	setDefault(p, "enableAcceleratedNetworking", false)
	setDefault(p, "disableTcpStateTracking", false)
	setDefault(p, "enableIPForwarding", false)
	setDefault(ensure(p, "dnsSettings"), "dnsServers", []any{})
	for _, config := range list(p, "ipConfigurations") {
		if c, ok := config.(object); ok {
			setDefault(ensure(c, "properties"), "privateIPAddressVersion", "IPv4")
			fillPublicAddress(c)
		}
	}
}

func fillPublicAddress(ipConfig object) {
	if public, ok := at(ipConfig, "properties.publicIPAddressConfiguration").(object); ok {
		setDefault(ensure(public, "properties"), "ipTags", []any{})
	}
}

// takeSecrets removes what Azure never gives back, and returns the password.
func takeSecrets(model object) string {
	profile, _ := at(model, "properties.virtualMachineProfile").(object)
	password := text(profile, "osProfile.adminPassword")
	dropSecrets(model)
	return password
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
	size := text(model, "sku.name")
	if size == "" {
		return invalidParameter("sku.name", "Required parameter 'sku.name' is missing (null).")
	}
	capacity, ok := at(model, "sku.capacity").(float64)
	if at(model, "sku.capacity") != nil && (!ok || capacity < 0 || capacity != float64(int(capacity))) {
		// The capacity is unsigned on the server (Azure/vm-scale-sets#70).
		return newProblem(400, "BadRequest", "Error converting value %v to type 'System.Nullable`1[System.UInt32]'.", at(model, "sku.capacity"))
	}
	limit := 1000
	if flag(model, "properties.singlePlacementGroup") {
		limit = 100
	}
	if int(capacity) > limit {
		return invalidParameter("sku.capacity", "The value %d of parameter 'sku.capacity' is out of range: a scale set of this placement holds at most %d instances.", int(capacity), limit)
	}
	mode := text(model, "properties.upgradePolicy.mode")
	if !slices.ContainsFunc([]string{"Manual", "Automatic", "Rolling"}, func(s string) bool { return strings.EqualFold(s, mode) }) {
		return invalidParameter("upgradePolicy.mode", "The value '%s' of parameter 'upgradePolicy.mode' is invalid.", mode)
	}
	if p := checkPriority(model); p != nil {
		return p
	}
	return checkKeys(model)
}

// checkPriority knows the rules of Microsoft's page on Spot error codes.
func checkPriority(model object) *problem {
	profile := at(model, "properties.virtualMachineProfile")
	policy, priority := text(profile, "evictionPolicy"), text(profile, "priority")
	switch {
	case priority != "" && !isSpot(priority) && !strings.EqualFold(priority, "Regular"):
		return invalidParameter("priority", "The value '%s' of parameter 'priority' is invalid.", priority)
	case policy != "" && !isSpot(priority):
		return newProblem(http.StatusBadRequest, "EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines",
			"Eviction policy can be set only on Azure Spot Virtual Machines.")
	case policy != "" && !strings.EqualFold(policy, "Delete") && !strings.EqualFold(policy, "Deallocate"):
		return invalidParameter("evictionPolicy", "The value '%s' of parameter 'evictionPolicy' is invalid.", policy)
	}
	return nil
}

func checkKeys(model object) *problem {
	os, _ := at(model, "properties.virtualMachineProfile.osProfile").(object)
	for i, key := range publicKeys(os) {
		if len(strings.Fields(key)) < 2 {
			return invalidParameter(fmt.Sprintf("linuxConfiguration.ssh.publicKeys[%d].keyData", i), "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
		}
	}
	return nil
}

// checkUnchanged refuses changes of what is fixed at creation.
func (s *Server) checkUnchanged(before, after object) *problem {
	fixed := []string{
		"properties.orchestrationMode", "properties.platformFaultDomainCount", "properties.virtualMachineProfile.osProfile.adminUsername",
		"properties.virtualMachineProfile.osProfile.computerNamePrefix", "properties.virtualMachineProfile.priority",
	}
	if s.config.Unknowns.KeysFixed {
		fixed = append(fixed, "properties.virtualMachineProfile.osProfile.linuxConfiguration.ssh.publicKeys")
	}
	for _, property := range fixed {
		if old := at(before, property); old != nil && !reflect.DeepEqual(at(after, property), old) {
			return propertyChangeNotAllowed(strings.TrimPrefix(property, "properties."))
		}
	}
	return nil
}
