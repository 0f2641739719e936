package armsim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Resources are rendered anew for each answer, with odd case and unknown fields
// where the simulator is hostile.

// odd re-cases a name here and there, as Azure's providers do: the resource
// group in capitals, "microsoft.Compute", status codes in lower case
// (kubernetes#71994, recording 11).
func (c *call) odd(s string) string {
	if c.server.config.Polite {
		return s
	}
	return oddCase(c.server.rand, s)
}

func oddCase(r *rand.Rand, s string) string {
	switch r.IntN(4) {
	case 0:
		return strings.ReplaceAll(s, "/Microsoft.", "/microsoft.")
	case 1:
		if before, rest, ok := strings.Cut(s, "/resourceGroups/"); ok {
			name, tail, _ := strings.Cut(rest, "/")
			return before + "/resourceGroups/" + strings.ToUpper(name) + "/" + tail
		}
	case 2:
		if strings.HasPrefix(s, "PowerState/") || strings.HasPrefix(s, "ProvisioningState/") {
			return strings.ToLower(s)
		}
	}
	return s
}

const unknownField = "armsimUnknownField"

// unknown plants a field that no client knows.
func (c *call) unknown(properties object) {
	if !c.server.config.Polite && c.server.rand.IntN(2) == 0 {
		properties[unknownField] = object{"value": []any{float64(1), "two", nil}}
	}
}

func (c *call) renderScaleSet(set *scaleSet) object {
	body := cloneObject(set.model)
	body["name"] = set.name
	body["id"] = c.odd(c.server.scaleSetID(set))
	body["type"] = "Microsoft.Compute/virtualMachineScaleSets"
	body["etag"] = set.etag()
	ensure(body, "sku")["capacity"] = set.capacity
	p := ensure(body, "properties")
	p["provisioningState"] = set.state
	p["uniqueId"] = set.uniqueID
	p["timeCreated"] = stamp(set.created)
	ensure(p, "virtualMachineProfile")["timeCreated"] = stamp(set.created)
	if identity, ok := body["identity"].(object); ok && strings.Contains(text(identity, "type"), "SystemAssigned") {
		identity["principalId"], identity["tenantId"] = tag(set.uniqueID), c.server.config.TenantID
	}
	c.unknown(p)
	return body
}

func (c *call) renderInstance(i *instance, expand bool) object {
	p := object{
		"latestModelApplied":        i.version == i.set.version,
		"modelDefinitionApplied":    "VirtualMachineScaleSet",
		"provisioningState":         i.state,
		"hardwareProfile":           object{"vmSize": i.set.size()},
		"resilientVMDeletionStatus": "Disabled",
		"vmId":                      i.vmID,
		"storageProfile":            c.renderStorage(i),
		"osProfile":                 renderOS(i),
		"networkProfile":            object{"networkInterfaces": c.interfaceRefs(i)},
		"timeCreated":               stamp(i.created),
		"networkProfileConfiguration": object{
			"networkInterfaceConfigurations": clone(list(i.profile, "networkProfile.networkInterfaceConfigurations"))},
	}
	i.renderExtra(p)
	if expand {
		p["instanceView"] = c.renderView(i)
	}
	c.unknown(p)
	body := object{
		"name": i.name, "id": c.odd(c.server.instanceID(i)), "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
		"location": i.set.model["location"], "instanceId": fmt.Sprint(i.id), "etag": i.set.etag(), "properties": p,
		"sku": object{"name": i.set.size(), "tier": text(i.set.model, "sku.tier")},
	}
	if i.zone != "" {
		body["zones"] = []any{i.zone}
	}
	if tags, ok := i.set.model["tags"]; ok {
		body["tags"] = clone(tags)
	}
	if extensions := c.renderExtensions(i); len(extensions) > 0 {
		body["resources"] = extensions
	}
	return body
}

// renderExtra adds what only some instances of a Uniform set have.
func (i *instance) renderExtra(p object) {
	if i.spot() {
		for _, key := range []string{"priority", "evictionPolicy", "billingProfile"} {
			p[key] = clone(i.profile[key])
		}
	}
	for key, value := range i.extra {
		p[key] = clone(value)
	}
}

func renderOS(i *instance) object {
	os, _ := clone(at(i.profile, "osProfile")).(object)
	delete(os, "computerNamePrefix")
	os["computerName"] = i.computer
	if linux, ok := os["linuxConfiguration"].(object); ok {
		setDefault(ensure(linux, "patchSettings"), "patchMode", "ImageDefault") // on instances only (recording 06)
	}
	return os
}

func (i *instance) diskName(kind string) string {
	if !i.set.uniform() {
		return fmt.Sprintf("%s_%s_1_%s", i.name, kind, i.disk)
	}
	return fmt.Sprintf("%s_%s_%s__1_%s", i.set.name, i.name, kind, i.disk)
}

func (c *call) renderStorage(i *instance) object {
	storage, _ := clone(at(i.profile, "storageProfile")).(object)
	if image, ok := storage["imageReference"].(object); ok {
		image["exactVersion"] = "1.0.20260101"
	}
	os := ensure(storage, "osDisk")
	setDefault(os, "name", i.diskName("OS"))
	if containers, ok := os["vhdContainers"].([]any); ok && len(containers) > 0 {
		// Unmanaged disks, as in recording 10.
		os["vhd"] = object{"uri": fmt.Sprintf("%v/%s.vhd", containers[i.id%len(containers)], i.diskName("OS"))}
		delete(os, "vhdContainers")
	} else {
		c.attach(i, os, text(os, "name"))
	}
	disks := list(storage, "dataDisks")
	for n, disk := range disks {
		if d, ok := disk.(object); ok {
			d["name"], d["toBeDetached"] = i.diskName(fmt.Sprintf("disk%d", n+2)), false
			c.attach(i, d, d["name"].(string))
		}
	}
	setDefault(storage, "dataDisks", []any{})
	return storage
}

func (c *call) attach(i *instance, disk object, name string) {
	managed := ensure(disk, "managedDisk")
	setDefault(managed, "storageAccountType", "Premium_LRS")
	managed["id"] = c.odd(c.server.groupID(i.set.group) + "/providers/Microsoft.Compute/disks/" + name)
}

func (c *call) renderExtensions(i *instance) []any {
	var resources []any
	for _, extension := range list(i.profile, "extensionProfile.extensions") {
		p, _ := clone(at(extension, "properties")).(object)
		if p == nil {
			p = object{}
		}
		delete(p, "protectedSettings")
		p["provisioningState"] = i.state
		name := text(extension, "name")
		resources = append(resources, object{
			"name": name, "id": c.server.instanceID(i) + "/extensions/" + name,
			"type": "Microsoft.Compute/virtualMachines/extensions", "location": i.set.model["location"], "properties": p,
		})
	}
	return resources
}

func (c *call) status(code, display string, when time.Time) object {
	s := object{"code": c.odd(code), "level": "Info", "displayStatus": display}
	if !when.IsZero() {
		s["time"] = stamp(when)
	}
	return s
}

func (c *call) provisioning(state string, when time.Time) object {
	return c.status("ProvisioningState/"+strings.ToLower(state), "Provisioning "+strings.ToLower(state), when)
}

// renderView is the instance view. Its statuses stand in no order that a
// client may rely on.
func (c *call) renderView(i *instance) object {
	state := c.provisioning(i.state, i.created)
	if i.failure != nil {
		state = c.status("ProvisioningState/failed/"+i.failure.code, "Provisioning failed", i.created)
		state["level"], state["message"] = "Error", i.failure.message
	}
	statuses := []any{state}
	if i.power != "" {
		statuses = append(statuses, c.status("PowerState/"+i.power, "VM "+i.power, time.Time{}))
	}
	if len(statuses) == 2 && !c.server.config.Polite && c.server.rand.IntN(2) == 0 {
		statuses[0], statuses[1] = statuses[1], statuses[0]
	}
	osName := "ubuntu"
	if isWindows(i.profile) {
		osName = "Windows Server"
	}
	view := object{
		"placementGroupId": i.set.uniqueID, "platformUpdateDomain": i.id % 5, "platformFaultDomain": i.id % 5,
		"computerName": i.computer, "hyperVGeneration": "V2", "statuses": statuses,
		"disks": []any{object{"name": i.diskName("OS"), "statuses": []any{c.provisioning(stateSucceeded, i.created)}}},
	}
	if i.power == powerRunning {
		view["osName"], view["osVersion"] = osName, "24.04"
		agent := c.status("ProvisioningState/succeeded", "Ready", i.created)
		agent["message"] = "Guest Agent is running"
		view["vmAgent"] = object{"vmAgentVersion": "2.15.0.1", "statuses": []any{agent}, "extensionHandlers": []any{}}
	}
	return view
}
