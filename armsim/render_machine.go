package armsim

import "fmt"

func (i *instance) etag() string { return fmt.Sprintf(`"%d"`, i.revision) }

// renderMachine is a virtual machine of the group. Its model is the profile of
// its scale set, or what its client wrote (recording 03).
func (c *call) renderMachine(i *instance, expand bool) object {
	p := cloneObject(i.profile)
	delete(p, "extensionProfile")
	p["provisioningState"] = i.state
	p["vmId"] = i.vmID
	p["timeCreated"] = stamp(i.created)
	setDefault(ensure(p, "hardwareProfile"), "vmSize", i.size)
	p["storageProfile"] = c.renderStorage(i)
	p["osProfile"] = renderMachineOS(i)
	if !i.set.loose() {
		c.renderMembership(i, p)
	}
	if expand {
		p["instanceView"] = c.renderView(i)
	}
	c.unknown(p)
	body := cloneObject(i.head)
	body["name"], body["id"], body["type"] = i.name, c.odd(c.server.instanceID(i)), "Microsoft.Compute/virtualMachines"
	body["etag"], body["properties"] = i.etag(), p
	if i.zone != "" {
		body["zones"] = []any{i.zone}
	}
	if extensions := c.renderExtensions(i); len(extensions) > 0 {
		body["resources"] = extensions
	}
	return body
}

// renderMembership adds what a machine has from its scale set.
func (c *call) renderMembership(i *instance, p object) {
	p["virtualMachineScaleSet"] = object{"id": c.odd(c.server.scaleSetID(i.set))}
	ensure(p, "storageProfile.osDisk")["deleteOption"] = "Delete"
	refs := []any{}
	for _, n := range i.nics {
		refs = append(refs, object{
			"id":         c.odd(c.server.interfaceID(i, n)),
			"properties": object{"primary": flag(n.model, "properties.primary"), "deleteOption": "Delete"},
		})
	}
	p["networkProfile"] = object{"networkInterfaces": refs}
}

func renderMachineOS(i *instance) object {
	os := renderOS(i)
	if linux, ok := os["linuxConfiguration"].(object); ok {
		setDefault(ensure(linux, "patchSettings"), "assessmentMode", "ImageDefault")
	}
	if windows, ok := os["windowsConfiguration"].(object); ok {
		setDefault(windows, "enableVMAgentPlatformUpdates", true)
		setDefault(ensure(windows, "patchSettings"), "patchMode", "AutomaticByOS")
		setDefault(ensure(windows, "patchSettings"), "assessmentMode", "ImageDefault")
	}
	return os
}

// renderViewOnly is a virtual machine in a list that is all instance view.
func (c *call) renderViewOnly(i *instance) object {
	return object{
		"name": i.name, "id": c.odd(c.server.instanceID(i)), "type": "Microsoft.Compute/virtualMachines",
		"location": i.head["location"], "properties": object{"instanceView": c.renderView(i)},
	}
}
