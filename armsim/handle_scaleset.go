package armsim

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// group finds the resource group of the path.
func (c *call) group() (*group, *problem) {
	g, ok := c.server.groups[strings.ToLower(c.param("group"))]
	if !ok {
		return nil, groupNotFound(c.param("group"))
	}
	return g, nil
}

// scaleSet finds the scale set of the path.
func (c *call) scaleSet() (*scaleSet, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	set, ok := g.scaleSets[strings.ToLower(c.param("scaleSet"))]
	if !ok {
		return nil, resourceNotFound("Microsoft.Compute/virtualMachineScaleSets/"+c.param("scaleSet"), c.param("group"))
	}
	return set, nil
}

// uniformSet finds the scale set of the path for a call that Flexible sets
// refuse (OMS-Agent-for-Linux#1475, nomad-autoscaler#1096).
func (c *call) uniformSet(operation string) (*scaleSet, *problem) {
	set, p := c.scaleSet()
	if p == nil && !set.uniform() {
		return nil, flexibleNotAllowed(operation, set.name)
	}
	return set, p
}

// instance finds the instance of the path.
func (c *call) instance() (*instance, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.virtualMachines." + c.request.Method)
	if p != nil {
		return nil, p
	}
	id := c.param("instance")
	if strings.Trim(id, "0123456789") != "" {
		return nil, instanceIDNotNumber()
	}
	if i := set.find(id); i != nil {
		return i, nil
	}
	return nil, instanceNotFound(id)
}

// precondition checks If-Match and If-None-Match against an ETag; empty means
// that there is nothing yet.
func (c *call) precondition(etag string) *problem {
	want := c.request.Header.Get("If-Match")
	if want != "" && want != etag && (want != "*" || etag == "") {
		return preconditionFailed(want, etag)
	}
	if none := c.request.Header.Get("If-None-Match"); none != "" && etag != "" && (none == "*" || none == etag) {
		return preconditionFailed(none, etag)
	}
	return nil
}

func getScaleSet(c *call) (*answer, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	return &answer{status: http.StatusOK, body: c.renderScaleSet(set), header: http.Header{"Etag": {set.etag()}}}, nil
}

func listScaleSets(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	names := make([]string, 0, len(g.scaleSets))
	for name := range g.scaleSets {
		names = append(names, name)
	}
	slices.Sort(names)
	return c.page(len(names), func(n int) string { return names[n] }, func(n int) object { return c.renderScaleSet(g.scaleSets[names[n]]) })
}

// putScaleSet creates a scale set, or merges into the one there is: the
// service keeps what a sparse PUT leaves out, on which azure-cli's scale
// command relies (recording 15).
func putScaleSet(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if _, ok := g.scaleSets[strings.ToLower(c.param("scaleSet"))]; ok {
		return patchScaleSet(c)
	}
	if p := c.creatable(g); p != nil {
		return nil, p
	}
	return c.createScaleSet(g)
}

// creatable checks what every new resource in a group needs.
func (c *call) creatable(g *group) *problem {
	if g.deleting != nil {
		return groupBeingDeleted(g.name)
	}
	if p := c.precondition(""); p != nil {
		return p
	}
	if text(c.body, "location") == "" {
		return locationRequired()
	}
	return nil
}

func (c *call) createScaleSet(g *group) (*answer, *problem) {
	s, model := c.server, cloneObject(c.body)
	dropReadOnly(model)
	fillScaleSet(model)
	if p := checkModel(model); p != nil {
		return nil, p
	}
	set := &scaleSet{
		group: g, name: c.param("scaleSet"), model: model, password: takeSecrets(model), revision: 1, version: 1,
		uniqueID: s.uuid(), created: s.time.now(), state: stateCreating,
	}
	capacity := takeCapacity(model, 0)
	if p := s.checkQuota(set, capacity); p != nil {
		return nil, p
	}
	g.scaleSets[strings.ToLower(set.name)] = set
	o := s.begin(set, "Create")
	s.setCapacity(set, capacity, o)
	return c.written(set, o, http.StatusCreated), nil
}

// written answers a PUT or PATCH: the resource, on its way, and its operation.
func (c *call) written(set *scaleSet, o *operation, status int) *answer {
	a := c.accepted(o, status, c.renderScaleSet(set))
	a.header.Set("ETag", set.etag())
	return a
}

func takeCapacity(model object, otherwise int) int {
	sku, _ := model["sku"].(object)
	n, ok := sku["capacity"].(float64)
	delete(sku, "capacity")
	if !ok {
		return otherwise
	}
	return int(n)
}

func (s *Server) checkQuota(set *scaleSet, capacity int) *problem {
	asked := s.missing(set, capacity) * cores(set.size())
	if used := s.coresUsed(); s.config.CoreQuota > 0 && asked > 0 && used+asked > s.config.CoreQuota {
		return coreQuotaExceeded(s.config.CoreQuota, used, asked, s.config.Location)
	}
	return nil
}

// patchScaleSet merges a body into the scale set. The ETag moves only when
// something changed: a PUT of the same left it (recording 01), a new capacity
// moved it at acceptance (recording 15).
func patchScaleSet(c *call) (*answer, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if set.state == stateDeleting {
		return nil, markedForDeletion("Update Virtual Machine Scale Set", set.name)
	}
	if p := c.precondition(set.etag()); p != nil {
		return nil, p
	}
	model, capacity, p := c.merged(set)
	if p != nil {
		return nil, p
	}
	if capacity != set.capacity {
		if p := c.server.conflicting(set); p != nil {
			return nil, p
		}
	}
	if p := c.server.checkQuota(set, capacity); p != nil {
		return nil, p
	}
	return c.apply(set, model, capacity), nil
}

// merged is the model that the body makes of the scale set's.
func (c *call) merged(set *scaleSet) (object, int, *problem) {
	model, body := cloneObject(set.model), cloneObject(c.body)
	dropReadOnly(body)
	merge(model, body)
	setDefault(ensure(model, "sku"), "capacity", float64(set.capacity))
	fillScaleSet(model)
	if p := checkModel(model); p != nil {
		return nil, 0, p
	}
	if p := c.server.checkUnchanged(set.model, model); p != nil {
		return nil, 0, p
	}
	return model, takeCapacity(model, set.capacity), nil
}

func (c *call) apply(set *scaleSet, model object, capacity int) *answer {
	if password := takeSecrets(model); password != "" {
		set.password = password
	}
	newProfile := !reflect.DeepEqual(at(model, "properties.virtualMachineProfile"), set.profile())
	if newProfile {
		set.version++
	}
	if newProfile || capacity != set.capacity || !reflect.DeepEqual(model, set.model) {
		set.revision++
	}
	set.model = model
	o := c.server.begin(set, "Update")
	if capacity != set.capacity {
		c.server.setCapacity(set, capacity, o)
	} else {
		c.server.time.after(bookkeeping, func() { c.server.end(o, nil) })
	}
	return c.written(set, o, http.StatusOK)
}

func deleteScaleSet(c *call) (*answer, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		if p.code == "ResourceNotFound" {
			return &answer{status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if set.state != stateDeleting {
		c.server.drop(set, c.server.begin(set, "Delete"))
	}
	return c.accepted(set.removal, http.StatusAccepted, nil), nil
}

func scaleSetView(c *call) (*answer, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.instanceView.GET")
	if p != nil {
		return nil, p
	}
	counts := map[string]int{}
	for _, i := range set.instances {
		counts["ProvisioningState/"+strings.ToLower(i.state)]++
	}
	summary := []any{}
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		summary = append(summary, object{"code": c.odd(code), "count": counts[code]})
	}
	return &answer{status: http.StatusOK, body: object{
		"virtualMachine": object{"statusesSummary": summary},
		"statuses":       []any{c.provisioning(set.state, c.server.time.now())},
	}}, nil
}
