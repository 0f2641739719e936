package armsim

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// modelOf gathers what the client of a recording wrote into a scale set, as far as requests
// and responses still show it.
func modelOf(r recordings.Summary, set string) replayModel {
	m := replayModel{shape: recordings.Shape{}, values: recordings.Values{}}
	for _, x := range r.Exchanges {
		if of := setIn(x.Path); of != "" && set != "" && of != set {
			continue
		}
		m.learnKind(x)
		if setIn(x.Path) == x.Path && x.Path != "" {
			maps.Copy(m.shape, x.Request)
			m.learnValues(x.RequestValues, func(path string) string { return path })
		}
		for path, kind := range x.Response {
			if written := writtenPath(x, path); written != "" {
				m.shape[written] = kind
			}
		}
		m.learnValues(x.ResponseValues, func(path string) string { return writtenPath(x, path) })
	}
	maps.DeleteFunc(m.shape, func(path, _ string) bool {
		return path == "$" || strings.HasSuffix(path, ".userData") || strings.HasSuffix(path, ".customData") // recording 37 adds them
	})
	return m
}

// learnValues keeps the first value of a path, which is what the recording began with.
func (m *replayModel) learnValues(values recordings.Values, written func(string) string) {
	for path, value := range values {
		if to := written(path); to != "" && m.values[to] == "" {
			m.values[to] = value
		}
	}
}

// learnKind finds what kind of scale set an exchange is about.
func (m *replayModel) learnKind(x recordings.Exchange) {
	for _, shape := range []recordings.Shape{x.Request, x.Response} {
		for path := range shape {
			m.windows = m.windows || strings.Contains(path, "windowsConfiguration")
			m.second = m.second || strings.HasSuffix(path, ".diskControllerType")
		}
	}
	m.hibernates = m.hibernates || x.Query["hibernate"] == "true"
	m.flexible = m.flexible || m.hibernates || x.ResponseValues["properties.orchestrationMode"] == "Flexible"
}

const (
	writtenProfile = "properties.virtualMachineProfile."
	writtenNIC     = writtenProfile + "networkProfile.networkInterfaceConfigurations[]."
)

// replayRename turns paths of instances and interfaces into those of the model
// that they come from.
var replayRename = []struct{ from, to string }{
	{"properties.networkProfileConfiguration.", writtenProfile + "networkProfile."},
	{"properties.storageProfile.osDisk.vhd.uri", writtenProfile + "storageProfile.osDisk.vhdContainers[]"},
	{"properties.storageProfile.osDisk.name", ""}, // the model's is another one
	{"properties.storageProfile.", writtenProfile + "storageProfile."},
	{"properties.osProfile.computerName", writtenProfile + "osProfile.computerNamePrefix"},
	{"properties.osProfile.", writtenProfile + "osProfile."},
	{"resources[].name", writtenProfile + "extensionProfile.extensions[].name"},
	{"resources[].properties.", writtenProfile + "extensionProfile.extensions[].properties."},
	{"tags", "tags"},
	{"sku.name", "sku.name"},
}

var replayRenameNIC = []struct{ from, to string }{
	{"properties.ipConfigurations[].properties.loadBalancerInboundNatRules[]", writtenNIC + "properties.ipConfigurations[].properties.loadBalancerInboundNatPools[]"},
	{"properties.ipConfigurations[].properties.publicIPAddress.id", writtenNIC + "properties.ipConfigurations[].properties.publicIPAddressConfiguration.name"},
	{"name", writtenNIC + "name"},
	{"properties.", writtenNIC + "properties."},
}

// writtenPath is the path of the scale set's model behind a path of a response,
// or empty where its client wrote nothing of the sort.
func writtenPath(x recordings.Exchange, path string) string {
	if x.Status >= 300 {
		return ""
	}
	path = strings.TrimPrefix(path, "value[].")
	parts := strings.Split(strings.ToLower(x.Path), "/")
	last, parent := parts[len(parts)-1], parts[len(parts)-2]
	switch {
	case last == "networkinterfaces" || parent == "networkinterfaces":
		path = rename(path, replayRenameNIC)
	case last == "virtualmachines" || parent == "virtualmachines":
		path = rename(path, replayRename)
	case last != "virtualmachinescalesets" && parent != "virtualmachinescalesets":
		return ""
	}
	if slices.ContainsFunc(notWritten, func(r *regexp.Regexp) bool { return r.MatchString(path) }) {
		return ""
	}
	return path
}

func rename(path string, table []struct{ from, to string }) string {
	for _, row := range table {
		if rest, ok := strings.CutPrefix(path, row.from); ok && row.to != "" {
			return row.to + rest
		} else if ok {
			return ""
		}
	}
	return ""
}

// notWritten are paths that the service writes, or fills where the client wrote
// nothing: the simulator must come up with them by itself.
var notWritten = compileAll(
	`^$`, `^(id|name|type|etag|location|zones)$`, `^sku\.(tier|capacity)$`,
	`^properties\.(provisioningState|uniqueId|timeCreated|virtualMachineProfile\.timeCreated)$`,
	`^properties\.(singlePlacementGroup|orchestrationMode|overprovision|doNotRunExtensionsOnOverprovisionedVMs|platformFaultDomainCount|upgradePolicy\.mode)$`,
	`\.automaticOSUpgradePolicy\.`,
	`\.osProfile\.(secrets|allowExtensionOperations|requireGuestProvisionSignal)$`,
	`\.(linux|windows)Configuration\.(provisionVMAgent|enableAutomaticUpdates|disablePasswordAuthentication|patchSettings\..*)$`,
	`\.osDisk\.(osType|createOption|caching|diskSizeGB|managedDisk\.storageAccountType)$`,
	`\.storageProfile\.dataDisks$`, `\.dataDisks\[\]\.(name|toBeDetached)$`, `\.managedDisk\.id$`, `\.exactVersion$`,
	`\.(enableAcceleratedNetworking|disableTcpStateTracking|enableIPForwarding|dnsSettings\.\w+|privateIPAddressVersion)$`,
	`\.extensions\[\]\.properties\.provisioningState$`,
	`networkInterfaceConfigurations\[\]\.properties\.(provisioningState|resourceGuid|macAddress|virtualMachine\.id|hostedWorkloads|tapConfigurations)$`,
	`\.ipConfigurations\[\]\.(id|etag)$`,
	`\.ipConfigurations\[\]\.properties\.(provisioningState|privateIPAddress|privateIPAllocationMethod)$`,
)

func compileAll(patterns ...string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, pattern := range patterns {
		all = append(all, regexp.MustCompile(pattern))
	}
	return all
}
