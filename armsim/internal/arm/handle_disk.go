package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Managed disks: those of instances and virtual machines, which come and go with them, and
// those that a client makes, which are data. Their shape is the specification's (2023-10-02).

var disks = keptType{kind: "Microsoft.Compute/disks", params: []string{"disk"}, works: true}

// diskCall is a call on them.
type diskCall struct{ *call }

func ofDisks(handle func(diskCall) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) { return handle(diskCall{c}) }
}

// disk is a managed disk of an instance.
type disk struct {
	of     *world.Instance
	stored object // as it stands in the instance's storage profile
	isOS   bool
}

func (d disk) name() string { return jsonmap.Text(d.stored, "name") }

// disksOf are those that an instance was made with; one on the host, or in a storage account,
// is none.
func (c diskCall) disksOf(i *world.Instance) []disk {
	storage := c.render.storage(i)
	os, _ := storage["osDisk"].(object)
	var all []disk
	if !i.Ephemeral() && jsonmap.Text(os, "managedDisk.id") != "" {
		all = append(all, disk{i, os, true})
	}
	written := jsonmap.List(i.Profile, "storageProfile.dataDisks")
	for n, one := range jsonmap.List(storage, "dataDisks") {
		if data, ok := one.(object); ok && jsonmap.Text(written[n], "managedDisk.id") == "" {
			all = append(all, disk{i, data, false}) // the others are resources by themselves
		}
	}
	return all
}

// holder is the instance that a disk which a client made is attached to; nil: none.
func (c diskCall) holder(k *world.Kept) *world.Instance {
	for _, g := range c.world.Groups() {
		for _, set := range append(g.ScaleSets(), g.Standalone) {
			n := slices.IndexFunc(set.Instances, func(i *world.Instance) bool {
				return slices.ContainsFunc(jsonmap.List(i.Profile, "storageProfile.dataDisks"), func(one any) bool {
					return strings.EqualFold(jsonmap.Text(one, "managedDisk.id"), k.ID)
				})
			})
			if n >= 0 {
				return set.Instances[n]
			}
		}
	}
	return nil
}

// attachedDisks are those of all instances of a group.
func (c diskCall) attachedDisks(g *world.Group) []disk {
	var all []disk
	for _, set := range append(g.ScaleSets(), g.Standalone) {
		for _, i := range set.Instances {
			all = append(all, c.disksOf(i)...)
		}
	}
	return all
}

// attached finds the disk of an instance that the path names.
func (c diskCall) attached(g *world.Group) (disk, bool) {
	for _, d := range c.attachedDisks(g) {
		if strings.EqualFold(d.name(), c.param("disk")) {
			return d, true
		}
	}
	return disk{}, false
}

func (c diskCall) attachedDisk(d disk) object {
	i := d.of
	gigabytes, ok := jsonmap.At(i.Profile, "storageProfile.osDisk.diskSizeGB").(float64)
	if !d.isOS || !ok {
		gigabytes, _ = d.stored["diskSizeGB"].(float64)
	}
	p := object{
		"creationData": object{"createOption": d.stored["createOption"]}, "diskSizeGB": gigabytes, "timeCreated": stamp(i.Created),
		"provisioningState": world.StateSucceeded, "uniqueId": tag(d.name()),
	}
	p["diskState"] = diskState(i)
	if d.isOS {
		p["osType"], p["hyperVGeneration"] = d.stored["osType"], "V2"
	}
	account := jsonmap.Text(i.Profile, "storageProfile.osDisk.managedDisk.storageAccountType")
	if !d.isOS || account == "" {
		account = jsonmap.Text(d.stored, "managedDisk.storageAccountType")
	}
	body := object{"location": i.Set.Group.Location, "managedBy": c.render.odd(i.ID), "sku": object{"name": account}, "properties": p}
	if i.Zone != "" {
		body["zones"] = []any{i.Zone}
	}
	if tags := i.Tags(); tags != nil {
		body["tags"] = tags
	}
	return c.completeDisk(body, i.Set.Group.ID+"/providers/"+disks.kind+"/"+d.name())
}

// diskState is the state of a disk of the instance.
func diskState(i *world.Instance) string {
	if i.Power == world.PowerDeallocated {
		return "Reserved"
	}
	return "Attached"
}

// keptDisk is a disk that a client made.
func (c diskCall) keptDisk(k *world.Kept) object {
	body := jsonmap.CloneObject(k.Model)
	p := jsonmap.Ensure(body, "properties")
	p["provisioningState"], p["timeCreated"], p["diskState"], p["uniqueId"] = k.State(), stamp(k.Created), "Unattached", tag(k.ID)
	if i := c.holder(k); i != nil {
		p["diskState"], body["managedBy"] = diskState(i), c.render.odd(i.ID)
	}
	return c.completeDisk(body, k.ID)
}

// completeDisk adds what all disks have.
func (c diskCall) completeDisk(body object, id string) object {
	body["id"], body["name"], body["type"] = c.render.odd(id), id[strings.LastIndexByte(id, '/')+1:], disks.kind
	sku := jsonmap.Ensure(body, "sku")
	jsonmap.SetDefault(sku, "name", "Standard_LRS")
	kind, _, _ := strings.Cut(jsonmap.Text(sku, "name"), "_")
	jsonmap.SetDefault(sku, "tier", strings.TrimSuffix(kind, "SSD"))
	p := jsonmap.Ensure(body, "properties")
	if gigabytes, ok := p["diskSizeGB"].(float64); ok {
		p["diskSizeBytes"] = gigabytes * (1 << 30)
	}
	jsonmap.SetDefault(p, "encryption", object{"type": "EncryptionAtRestWithPlatformKey"})
	jsonmap.SetDefault(p, "networkAccessPolicy", "AllowAll")
	jsonmap.SetDefault(p, "publicNetworkAccess", "Enabled")
	c.render.unknown(p)
	return body
}

// disksIn are all disks of a group.
func (c diskCall) disksIn(g *world.Group) []named {
	var all []named
	for _, d := range c.attachedDisks(g) {
		all = append(all, named{d.name(), func() object { return c.attachedDisk(d) }})
	}
	for _, k := range g.KeptBelow("/providers/" + disks.kind) {
		all = append(all, named{k.Name, func() object { return c.keptDisk(k) }})
	}
	return all
}

func listDisks(c diskCall) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.disksIn(g))
}

func listAllDisks(c diskCall) (*response, *problem) {
	return c.listNamed(ofEachGroup(c.call, func(g *world.Group) []named { return inGroup(g, c.disksIn(g)) }))
}

func getDisk(c diskCall) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if d, ok := c.attached(g); ok {
		return &response{Status: http.StatusOK, Body: c.attachedDisk(d)}, nil
	}
	_, k, p := disks.find(c.call)
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.keptDisk(k)}, nil
}

// putDisk makes an empty disk, or changes one that a client made: PUT and PATCH leave what
// they do not name.
func putDisk(c diskCall) (*response, *problem) {
	g, k, p := disks.find(c.call)
	if g == nil || k == nil && c.request.Method == patch {
		return nil, p
	}
	if _, ok := c.attached(g); ok {
		return nil, notSimulated("a change of the disk", "of an instance")
	}
	body, model := jsonmap.CloneObject(c.body), object{}
	dropReadOnly(body)
	if k != nil {
		model = jsonmap.CloneObject(k.Model)
		replaceTags(model, body)
	} else if p := c.creatable(g); p != nil {
		return nil, p
	}
	jsonmap.Merge(model, body)
	if p := checkDisk(k, model); p != nil {
		return nil, p
	}
	k, o := g.Keep(disks.path(c.call, 1), disks.kind, model, true)
	return c.diskWork(o, c.keptDisk(k)), nil
}

func checkDisk(before *world.Kept, model object) *problem {
	size, ok := jsonmap.At(model, "properties.diskSizeGB").(float64)
	switch option := jsonmap.Text(model, "properties.creationData.createOption"); {
	case option == "":
		return invalidParameter("disk.creationData.createOption", "Required parameter 'disk.creationData.createOption' is missing (null).")
	case !strings.EqualFold(option, "Empty"):
		return notSimulated("a disk with createOption", option)
	case !ok || size < 1:
		return invalidParameter("disk.diskSizeGB", "Required parameter 'disk.diskSizeGB' is missing (null).")
	}
	if before == nil {
		return nil
	}
	if was, _ := jsonmap.At(before.Model, "properties.diskSizeGB").(float64); size < was {
		return badRequestOf("BadRequest", "The new disk size %v GB is smaller than the %v GB that disk '%s' has.", size, was, before.Name)
	}
	return nil
}

// deleteDisk refuses that of an instance (ansible#54644).
func deleteDisk(c diskCall) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if d, ok := c.attached(g); ok {
		return nil, diskInUse(d.name(), d.of)
	}
	_, k, _ := disks.find(c.call)
	if k == nil {
		return &response{Status: http.StatusNoContent}, nil
	}
	if i := c.holder(k); i != nil {
		return nil, diskInUse(k.Name, i)
	}
	return c.diskWork(g.Drop(disks.path(c.call, 1), true), nil), nil
}

func diskInUse(name string, of *world.Instance) *problem {
	return conflictOf("OperationNotAllowed", "Disk %s is attached to VM %s.", name, of.ID)
}

// diskWork is the response to a write, whose operation is at a place of its own and has a
// Location in any case.
func (c diskCall) diskWork(o *world.Operation, body object) *response {
	a := c.accepted(o, http.StatusAccepted, nil)
	for _, name := range []string{"Azure-Asyncoperation", "Location"} {
		a.Header.Set(name, strings.Replace(a.Header.Get(name), "/operations/", "/DiskOperations/", 1))
	}
	if body != nil {
		a.Body = body
	}
	return a
}
