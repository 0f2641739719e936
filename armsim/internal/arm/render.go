package arm

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// renderer renders resources, for each response again, with odd case and unknown
// fields where the simulator is hostile. What is rendered may share values with
// the world: it is encoded under the lock, and who changes a body copies it
// first.
type renderer struct {
	world  *world.World
	random *world.Random
	tenant string
	polite bool
}

// odd re-cases a name here and there, as Azure's providers do: the resource
// group in capitals, "microsoft.Compute" (kubernetes#71994, recording 11). Status codes
// have one case in all recordings.
func (r *renderer) odd(s string) string {
	if r.polite {
		return s
	}
	return oddCase(r.random.Rand, s)
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
	}
	return s
}

const unknownField = "armsimUnknownField"

// unknown plants a field that no client knows.
func (r *renderer) unknown(properties object) {
	if !r.polite && r.random.IntN(2) == 0 {
		properties[unknownField] = object{"value": []any{float64(1), "two", nil}}
	}
}

// own puts a copy of an object in the place of the one that o shares, and
// returns it; where there is none, an empty one.
func own(o object, key string) object {
	shared, _ := o[key].(object)
	copied := make(object, len(shared)+4)
	maps.Copy(copied, shared)
	o[key] = copied
	return copied
}

func (r *renderer) scaleSet(set *world.ScaleSet) object {
	body := maps.Clone(set.Model)
	body["name"] = set.Name
	body["id"] = r.odd(set.ID)
	body["type"] = "Microsoft.Compute/virtualMachineScaleSets"
	body["etag"] = set.ETag()
	if body["sku"] != nil {
		own(body, "sku")["capacity"] = set.Capacity
	}
	p := own(body, "properties")
	p["provisioningState"] = set.State
	p["uniqueId"] = set.UniqueID
	p["timeCreated"] = stamp(set.Created)
	if p["virtualMachineProfile"] != nil {
		own(p, "virtualMachineProfile")["timeCreated"] = stamp(set.Created)
	}
	r.identity(body, set.UniqueID)
	r.unknown(p)
	return body
}

func (r *renderer) instance(i *world.Instance, expand bool) object {
	p := object{
		"latestModelApplied":        i.Version == i.Set.Version,
		"modelDefinitionApplied":    modelApplied(i),
		"provisioningState":         i.State,
		"hardwareProfile":           object{"vmSize": i.Size},
		"resilientVMDeletionStatus": "Disabled",
		"vmId":                      i.VMID,
		"storageProfile":            r.storage(i),
		"osProfile":                 renderOS(i),
		"networkProfile":            object{"networkInterfaces": r.interfaceRefs(i)},
		"timeCreated":               stamp(i.Created),
		"networkProfileConfiguration": object{
			"networkInterfaceConfigurations": append([]any{}, jsonmap.List(i.Profile, "networkProfile.networkInterfaceConfigurations")...)},
	}
	renderExtra(i, p)
	if expand {
		p["instanceView"] = r.instanceView(i)
	}
	r.unknown(p)
	body := object{
		"name": i.Name, "id": r.odd(i.ID), "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
		"location": i.Set.Model["location"], "instanceId": fmt.Sprint(i.Number), "etag": i.Set.ETag(), "properties": p,
		"sku": object{"name": i.Size, "tier": jsonmap.Text(i.Set.Model, "sku.tier")},
	}
	if i.Zone != "" {
		body["zones"] = []any{i.Zone}
	}
	if tags := i.Tags(); tags != nil {
		body["tags"] = tags
	}
	if extensions := r.extensions(i); len(extensions) > 0 {
		body["resources"] = extensions
	}
	return body
}

// modelApplied is whose model the instance has (the specification's words).
func modelApplied(i *world.Instance) string {
	if i.Customised {
		return "VirtualMachine"
	}
	return "VirtualMachineScaleSet"
}

// renderExtra adds what only some instances of a Uniform set have.
func renderExtra(i *world.Instance, p object) {
	if i.Spot() {
		for _, key := range []string{"priority", "evictionPolicy", "billingProfile"} {
			p[key] = i.Profile[key]
		}
	}
	maps.Copy(p, i.Extra)
}

func renderOS(i *world.Instance) object {
	os, _ := jsonmap.Clone(jsonmap.At(i.Profile, "osProfile")).(object)
	delete(os, "computerNamePrefix")
	os["computerName"] = i.Computer
	if linux, ok := os["linuxConfiguration"].(object); ok {
		jsonmap.SetDefault(jsonmap.Ensure(linux, "patchSettings"), "patchMode", "ImageDefault") // on instances only (recording 06)
	}
	return os
}

func (r *renderer) storage(i *world.Instance) object {
	storage, _ := jsonmap.Clone(jsonmap.At(i.Profile, "storageProfile")).(object)
	if image, ok := storage["imageReference"].(object); ok {
		jsonmap.SetDefault(image, "exactVersion", "1.0.20260101") // of what is no platform image
	}
	os := jsonmap.Ensure(storage, "osDisk")
	jsonmap.SetDefault(os, "name", i.DiskName("OS"))
	if containers, ok := os["vhdContainers"].([]any); ok && len(containers) > 0 {
		// Unmanaged disks, as in recording 10.
		os["vhd"] = object{"uri": fmt.Sprintf("%v/%s.vhd", containers[i.Number%len(containers)], i.DiskName("OS"))}
		delete(os, "vhdContainers")
	} else {
		r.managedDisk(i, os, jsonmap.Text(os, "name"))
	}
	disks := jsonmap.List(storage, "dataDisks")
	for n, disk := range disks {
		if d, ok := disk.(object); ok {
			r.dataDisk(i, n, d)
		}
	}
	jsonmap.SetDefault(storage, "dataDisks", []any{})
	if i.Power == world.PowerDeallocated {
		// The OS disk of a deallocated one says neither (azure-cli's tests of 2024).
		delete(os, "diskSizeGB")
		jsonmap.Remove(os, []string{"managedDisk", "storageAccountType"})
	}
	return storage
}

func (r *renderer) managedDisk(i *world.Instance, disk object, name string) {
	managed := jsonmap.Ensure(disk, "managedDisk")
	jsonmap.SetDefault(managed, "storageAccountType", "Premium_LRS")
	managed["id"] = r.odd(i.Set.Group.ID + "/providers/Microsoft.Compute/disks/" + name)
}

// dataDisk is one that the instance was made with, or one that a client attached: this is a
// resource already.
func (r *renderer) dataDisk(i *world.Instance, n int, disk object) {
	disk["toBeDetached"] = false
	if id := jsonmap.Text(disk, "managedDisk.id"); id != "" {
		jsonmap.SetDefault(disk, "name", id[strings.LastIndex(id, "/")+1:])
		return
	}
	disk["name"] = i.DiskName(fmt.Sprintf("disk%d", n+2))
	r.managedDisk(i, disk, disk["name"].(string))
}

func (r *renderer) extensions(i *world.Instance) []any {
	var resources []any
	for _, extension := range jsonmap.List(i.Profile, "extensionProfile.extensions") {
		p, _ := jsonmap.Clone(jsonmap.At(extension, "properties")).(object)
		if p == nil {
			p = object{}
		}
		delete(p, "protectedSettings")
		p["provisioningState"] = i.State
		name := jsonmap.Text(extension, "name")
		resources = append(resources, object{
			"name": name, "id": i.ID + "/extensions/" + name,
			"type": "Microsoft.Compute/virtualMachines/extensions", "location": i.Set.Model["location"], "properties": p,
		})
	}
	return resources
}

func (r *renderer) status(code, display string, when time.Time) object {
	s := object{"code": code, "level": "Info", "displayStatus": display}
	if !when.IsZero() {
		s["time"] = stamp(when)
	}
	return s
}

func (r *renderer) provisioning(state string, when time.Time) object {
	return r.status("ProvisioningState/"+strings.ToLower(state), "Provisioning "+strings.ToLower(state), when)
}
