package armsim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Virtual machines of the group: the instances of its Flexible sets, and
// machines that a client made by themselves, which are data alone.

func (g *group) virtualMachines() []*instance {
	all := slices.Clone(g.machines.instances)
	for _, set := range g.scaleSets {
		if !set.uniform() {
			all = append(all, set.instances...)
		}
	}
	slices.SortFunc(all, func(a, b *instance) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return all
}

// machine finds the virtual machine of the path.
func (c *call) machine() (*instance, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	for _, i := range g.virtualMachines() {
		if strings.EqualFold(i.name, c.param("machine")) {
			return i, nil
		}
	}
	return nil, resourceNotFound("Microsoft.Compute/virtualMachines/"+c.param("machine"), c.param("group"))
}

func (c *call) expands() bool { return strings.EqualFold(c.query("$expand"), "instanceView") }

func getMachine(c *call) (*answer, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return &answer{status: http.StatusOK, body: c.renderMachine(i, c.expands()), header: http.Header{"Etag": {i.etag()}}}, nil
}

func machineView(c *call) (*answer, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return &answer{status: http.StatusOK, body: c.renderView(i)}, nil
}

var ofScaleSet = regexp.MustCompile(`(?i)^\s*'virtualMachineScaleSet/id'\s+eq\s+'([^']*)'\s*$`)

// listMachines lists what the filter lets through. The expanded list without a
// filter is answered (recording 03), but the specification grants the instance
// view with the filter only.
func listMachines(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	all, filter := g.virtualMachines(), c.query("$filter")
	if filter != "" {
		m := ofScaleSet.FindStringSubmatch(filter)
		if m == nil {
			return nil, notSimulated("$filter of virtual machines:", filter)
		}
		all = slices.DeleteFunc(all, func(i *instance) bool {
			return i.set.loose() || !strings.EqualFold(c.server.scaleSetID(i.set), m[1])
		})
	}
	expand := c.expands() && filter != ""
	return c.page(len(all), func(n int) string { return strings.ToLower(all[n].name) }, func(n int) object {
		if expand && c.server.config.Unknowns.ExpandedListWithoutModel {
			return c.renderViewOnly(all[n])
		}
		return c.renderMachine(all[n], expand)
	})
}

// putMachine writes a virtual machine, and makes one that is not there.
func putMachine(c *call) (*answer, *problem) {
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
	if at(c.body, "properties.virtualMachineScaleSet") != nil {
		return nil, notSimulated("a virtual machine put into", "a scale set")
	}
	return c.createMachine(g)
}

func (c *call) createMachine(g *group) (*answer, *problem) {
	s := c.server
	i := &instance{
		set: g.machines, id: g.machines.nextID, vmID: s.uuid(), state: stateCreating, created: s.time.now(),
		name: c.param("machine"), disk: strings.ReplaceAll(s.uuid(), "-", ""), revision: 1,
	}
	i.head, i.profile = c.machineModel(object{}, object{})
	i.size = text(i.profile, "hardwareProfile.vmSize")
	if i.size == "" {
		return nil, invalidParameter("vmSize", "Required parameter 'vmSize' is missing (null).")
	}
	i.computer = text(i.profile, "osProfile.computerName")
	if i.computer == "" {
		i.computer = i.name
	}
	g.machines.nextID++
	g.machines.instances = append(g.machines.instances, i)
	s.created++
	o := s.begin(nil, "Create virtual machine")
	s.boot(i, &Effect{})
	i.pending = func(p *problem) { s.end(o, p) }
	return c.writtenMachine(i, o, http.StatusCreated), nil
}

// machineModel lays the body over what a machine has beside its properties, and
// over these.
func (c *call) machineModel(head, profile object) (object, object) {
	body := cloneObject(c.body)
	dropReadOnly(body)
	dropSecrets(body)
	head, profile = cloneObject(head), cloneObject(profile)
	if p, ok := body["properties"].(object); ok {
		for _, key := range []string{"vmId", "instanceView", "virtualMachineScaleSet"} {
			delete(p, key)
		}
		merge(profile, p)
	}
	delete(body, "properties")
	merge(head, body)
	if strings.EqualFold(text(head, "identity.type"), "None") {
		delete(head, "identity")
	}
	fillOS(profile)
	fillDisk(ensure(profile, "storageProfile.osDisk"), isWindows(profile))
	setDefault(ensure(profile, "storageProfile.osDisk"), "deleteOption", "Detach")
	return head, profile
}

// patchMachine merges a body into a virtual machine.
func patchMachine(c *call) (*answer, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	if i.state == stateDeleting {
		return nil, markedForDeletion("Update Virtual Machine", i.name)
	}
	if p := c.precondition(i.etag()); p != nil {
		return nil, p
	}
	if c.changesKeys(i) {
		return nil, propertyChangeNotAllowed("linuxConfiguration.ssh.publicKeys")
	}
	s, was := c.server, i.state
	i.head, i.profile = c.machineModel(i.head, i.profile)
	i.revision++
	o := s.begin(nil, "Update virtual machine")
	if was == stateSucceeded || was == stateFailed { // else something longer is under way
		i.state = stateUpdating
		s.plan(i, bookkeeping, func() { i.state = was })
	}
	s.time.after(bookkeeping, func() { s.end(o, nil) })
	return c.writtenMachine(i, o, http.StatusOK), nil
}

// changesKeys says whether the body has other SSH keys than the machine, which
// Azure refuses (aks-engine#585).
func (c *call) changesKeys(i *instance) bool {
	os, _ := at(c.body, "properties.osProfile").(object)
	had, _ := i.profile["osProfile"].(object)
	keys := publicKeys(os)
	return len(keys) > 0 && !slices.Equal(keys, publicKeys(had))
}

func (c *call) writtenMachine(i *instance, o *operation, status int) *answer {
	a := c.accepted(o, status, c.renderMachine(i, false))
	a.header.Set("ETag", i.etag())
	return a
}

// deleteMachine leaves the capacity of the machine's scale set as it is, when
// reports are believed (dataplat/dbatools#10540).
func deleteMachine(c *call) (*answer, *problem) {
	i, p := c.machine()
	if p != nil {
		if p.code == "ResourceNotFound" {
			return &answer{status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if i.state == stateDeleting {
		return nil, markedForDeletion("Delete Virtual Machine", i.name)
	}
	s := c.server
	o := s.begin(nil, "Delete virtual machine")
	s.remove(i, s.config.Unknowns.VMDeleteLowersCapacity, s.all(1, o))
	return c.accepted(o, http.StatusAccepted, nil), nil
}

func simulateMachineEviction(c *call) (*answer, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return c.simulateEviction(i)
}

// listMembers lists the instances of a Flexible set in the way that is meant
// for Uniform ones: it names them, and no more (Microsoft's page on
// orchestration modes).
func (c *call) listMembers(set *scaleSet) (*answer, *problem) {
	all := slices.Clone(set.instances)
	slices.SortFunc(all, func(a, b *instance) int { return strings.Compare(a.name, b.name) })
	return c.page(len(all), func(n int) string { return all[n].name },
		func(n int) object { return object{"id": c.odd(c.server.instanceID(all[n]))} })
}

// getMember is an instance of a Flexible set asked for in the way that is meant
// for Uniform ones: its network profile is missing (azure-sdk-for-net#43000).
func (c *call) getMember(set *scaleSet) (*answer, *problem) {
	i := set.named(c.param("instance"))
	if i == nil {
		return nil, instanceNotFound(c.param("instance"))
	}
	body := c.renderMachine(i, c.expands())
	body["instanceId"] = i.name
	body["properties"].(object)["networkProfile"] = nil
	return &answer{status: http.StatusOK, body: body, header: http.Header{"Etag": {i.etag()}}}, nil
}
