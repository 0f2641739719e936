package arm

import (
	"maps"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// machine is a virtual machine of the group. Its model is the profile of
// its scale set, or what its client wrote (recording 03).
func (r *renderer) machine(i *world.Instance, expand bool) object {
	p := maps.Clone(i.Profile)
	delete(p, "extensionProfile")
	p["provisioningState"] = i.State
	p["vmId"] = i.VMID
	p["timeCreated"] = stamp(i.Created)
	jsonmap.SetDefault(own(p, "hardwareProfile"), "vmSize", i.Size)
	p["storageProfile"] = r.storage(i)
	p["osProfile"] = renderMachineOS(i)
	if !i.Set.Standalone() {
		r.membership(i, p)
	}
	if expand {
		p["instanceView"] = r.instanceView(i)
	}
	r.unknown(p)
	body := r.machineHead(i)
	body["type"], body["etag"], body["properties"] = "Microsoft.Compute/virtualMachines", i.ETag(), p
	if extensions := r.extensions(i); len(extensions) > 0 {
		body["resources"] = extensions
	}
	return body
}

// machineHead is what a virtual machine has alongside its properties.
func (r *renderer) machineHead(i *world.Instance) object {
	head := maps.Clone(i.Head)
	head["name"], head["id"] = i.Name, r.odd(i.ID)
	r.identity(head, i.VMID)
	if i.Zone != "" {
		head["zones"] = []any{i.Zone}
	}
	return head
}

// membership adds what a machine has from its scale set.
func (r *renderer) membership(i *world.Instance, p object) {
	p["virtualMachineScaleSet"] = object{"id": r.odd(i.Set.ID)}
	jsonmap.Ensure(p, "storageProfile.osDisk")["deleteOption"] = "Delete"
	refs := []any{}
	for _, n := range i.Interfaces {
		refs = append(refs, object{
			"id":         r.odd(n.ID),
			"properties": object{"primary": jsonmap.Bool(n.Model, "properties.primary"), "deleteOption": "Delete"},
		})
	}
	p["networkProfile"] = object{"networkInterfaces": refs}
}

func renderMachineOS(i *world.Instance) object {
	os := renderOS(i)
	if linux, ok := os["linuxConfiguration"].(object); ok {
		jsonmap.SetDefault(linux, "enableVMAgentPlatformUpdates", true) // recording 34
		jsonmap.SetDefault(jsonmap.Ensure(linux, "patchSettings"), "assessmentMode", "ImageDefault")
	}
	if windows, ok := os["windowsConfiguration"].(object); ok {
		jsonmap.SetDefault(windows, "enableVMAgentPlatformUpdates", true)
		jsonmap.SetDefault(jsonmap.Ensure(windows, "patchSettings"), "patchMode", "AutomaticByOS")
		jsonmap.SetDefault(jsonmap.Ensure(windows, "patchSettings"), "assessmentMode", "ImageDefault")
	}
	return os
}

// viewOnly is a virtual machine in a list that is all instance view.
func (r *renderer) viewOnly(i *world.Instance) object {
	return object{
		"name": i.Name, "id": r.odd(i.ID), "type": "Microsoft.Compute/virtualMachines",
		"location": i.Head["location"], "properties": object{"instanceView": r.instanceView(i)},
	}
}
