package arm

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Virtual machines of the group: the instances of its Flexible sets, and
// standalone machines that a client made, which are data alone.

func getMachine(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.machine(i, c.expandsView()), Header: http.Header{"Etag": {i.ETag()}}}, nil
}

func machineView(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.instanceView(i)}, nil
}

var ofScaleSet = regexp.MustCompile(`(?i)^\s*'virtualMachineScaleSet/id'\s+eq\s+'([^']*)'\s*$`)

// listMachines lists what the filter lets through. The expanded list without a
// filter is no error (recording 03), but the specification grants the instance
// view with the filter only.
func listMachines(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if c.byGraph() {
		g = g.Ago()
	}
	return c.pageOfMachines(g.VirtualMachines(), world.FoldedName)
}

// pageOfMachines is one page of those virtual machines that the filter lets through.
func (c *call) pageOfMachines(all []*world.Instance, key func(*world.Instance) string) (*response, *problem) {
	filter := c.query.get("$filter")
	if filter != "" {
		m := ofScaleSet.FindStringSubmatch(filter)
		if m == nil {
			return nil, notSimulated("$filter of virtual machines:", filter)
		}
		all = slices.DeleteFunc(all, func(i *world.Instance) bool {
			return i.Set.Standalone() || !strings.EqualFold(i.Set.ID, m[1])
		})
	}
	expand := c.expandsView() && filter != ""
	viewOnly := c.param("group") == "" && strings.EqualFold(c.query.get("statusOnly"), "true") || expand && c.world.Unknowns().ExpandedListWithoutModel
	return page(c.pager, all, key, func(i *world.Instance) object {
		if viewOnly {
			return c.render.viewOnly(i)
		}
		return c.render.machine(i, expand)
	})
}

// putMachine writes a virtual machine, and makes one that is not there.
func putMachine(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if _, p := c.machine(); p == nil {
		return patchMachine(c)
	}
	if p := c.creatable(g); p != nil {
		return nil, p
	}
	if jsonmap.At(c.body, "properties.virtualMachineScaleSet") != nil {
		return nil, notSimulated("a virtual machine put into", "a scale set")
	}
	return createMachine(c, g)
}

func createMachine(c *call, g *world.Group) (*response, *problem) {
	if p := cmp.Or(c.checkNewMachine(g), conflict(c.admitMachine())); p != nil {
		return nil, p
	}
	m := world.Model{Zone: zoneOf(c.body)}
	m.Head, m.Profile = c.machineModel(object{}, object{})
	m.Size = jsonmap.Text(m.Profile, "hardwareProfile.vmSize")
	i := g.DraftMachine(c.param("machine"))
	o := c.machineOrder(i.ID, c.body)
	o.fillController(m.Profile)
	made := i.Create(m, cmp.Or(jsonmap.Text(m.Profile, "osProfile.computerName"), i.Name))
	return c.writtenMachine(i, made, http.StatusCreated), nil
}

// zoneOf is the zone of a virtual machine's body; empty: none.
func zoneOf(body object) string {
	zone := ""
	if zones := jsonmap.List(body, "zones"); len(zones) == 1 {
		zone, _ = zones[0].(string)
	}
	return zone
}

// machineModel lays the body over what a machine has alongside its
// properties, and over these.
func (c *call) machineModel(head, profile object) (object, object) {
	body := jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	dropSecrets(body)
	head, profile = jsonmap.CloneObject(head), jsonmap.CloneObject(profile)
	if p, ok := body["properties"].(object); ok {
		for _, key := range []string{"vmId", "instanceView", "virtualMachineScaleSet"} {
			delete(p, key)
		}
		jsonmap.Merge(profile, p)
	}
	delete(body, "properties")
	delete(body, "zones") // they cannot change, and are kept as the machine's zone
	if len(head) > 0 {
		delete(body, "location")
	}
	canonicalLocation(body)
	replaceTags(head, body)
	mergeIdentity(head, body)
	jsonmap.Merge(head, body)
	fillOS(profile)
	fillDisk(jsonmap.Ensure(profile, "storageProfile.osDisk"), isWindows(profile))
	jsonmap.SetDefault(jsonmap.Ensure(profile, "storageProfile.osDisk"), "deleteOption", "Detach")
	inAzuresCase(profile, "storageProfile.osDisk.createOption", createOptions)
	dropEmptyReferences(profile)
	return head, profile
}

// dropEmptyReferences drops the properties of references to interfaces that are nothing but
// null (azure-cli sends such, recording 34).
func dropEmptyReferences(profile object) {
	for _, one := range jsonmap.List(profile, "networkProfile.networkInterfaces") {
		ref, _ := one.(object)
		if p, ok := ref["properties"].(object); ok && len(p) == 0 {
			delete(ref, "properties")
		}
	}
}

// patchMachine merges a body into a virtual machine.
func patchMachine(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	if i.State == world.StateDeleting {
		return nil, markedForDeletion("Update Virtual Machine", i.Name)
	}
	if p := c.precondition(i.ETag()); p != nil {
		return nil, p
	}
	if p := c.stays(i.Name, i.Head["location"]); p != nil {
		return nil, p
	}
	if p := c.checkMachineChange(i); p != nil {
		return nil, p
	}
	head, profile := c.machineModel(i.Head, i.Profile)
	if p := conflict(i.CheckSize(jsonmap.Text(profile, "hardwareProfile.vmSize"))); p != nil {
		return nil, p
	}
	o := i.Update(head, profile)
	return c.writtenMachine(i, o, http.StatusOK), nil
}

func (c *call) writtenMachine(i *world.Instance, o *world.Operation, status int) *response {
	a := c.accepted(o, status, c.render.machine(i, false))
	a.Header.Set("ETag", i.ETag())
	return a
}

// deleteMachine leaves the capacity of the machine's scale set as it is, when
// reports are believed (dataplat/dbatools#10540).
func deleteMachine(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		if p.Code == "ResourceNotFound" {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if i.State == world.StateDeleting {
		return nil, markedForDeletion("Delete Virtual Machine", i.Name)
	}
	return c.accepted(i.DeleteMachine(), http.StatusAccepted, nil), nil
}

func simulateMachineEviction(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return simulateEviction(i)
}

// listMembers lists the instances of a Flexible set in the way that is meant for Uniform
// ones: it gives little more than their names (recording 21), and no instance view
// (Microsoft's page on orchestration modes; the code of the refusal is believed).
func listMembers(c *call, set *world.ScaleSet) (*response, *problem) {
	if c.expandsView() {
		return nil, flexibleNotAllowed("VirtualMachineScaleSets.virtualMachines.GET", set.Name)
	}
	return page(c.pager, set.ByName(), world.FoldedName, func(i *world.Instance) object {
		var zone any
		if i.Zone != "" {
			zone = i.Zone
		}
		return object{
			"name": i.Name, "id": c.render.odd(set.ID + "/virtualMachines/" + i.Name), "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
			"location": i.Head["location"], "instanceId": i.Name, "zones": []any{zone},
		}
	})
}

// getMember is an instance of a Flexible set asked for in the way that is meant
// for Uniform ones: its network profile is missing.
func getMember(c *call, set *world.ScaleSet) (*response, *problem) {
	i := set.Named(c.param("instance"))
	if i == nil {
		return nil, c.noInstance(c.param("instance"))
	}
	return &response{Status: http.StatusOK, Body: c.render.member(i, c.expandsView()), Header: http.Header{"Etag": {i.ETag()}}}, nil
}
