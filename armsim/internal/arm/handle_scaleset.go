package arm

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

func getScaleSet(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.scaleSet(set), Header: http.Header{"Etag": {set.ETag()}}}, nil
}

func listScaleSets(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return page(c.pager, g.ScaleSets(), func(set *world.ScaleSet) string { return strings.ToLower(set.Name) }, c.render.scaleSet)
}

// putScaleSet creates a scale set, or merges into the one there is: the
// service keeps what a sparse PUT leaves out, on which azure-cli's scale
// command relies (recording 15).
func putScaleSet(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if g.ScaleSet(c.param("scaleSet")) != nil {
		return patchScaleSet(c)
	}
	if p := c.creatable(g); p != nil {
		return nil, p
	}
	return createScaleSet(c, g)
}

// creatable checks what every new resource in a group needs.
func (c *call) creatable(g *world.Group) *problem {
	if g.Deleting != nil {
		return groupBeingDeleted(g.Name)
	}
	if p := c.precondition(""); p != nil {
		return p
	}
	if jsonmap.Text(c.body, "location") == "" {
		return locationRequired()
	}
	return nil
}

// newScaleSet is a draft of the scale set that the body asks for, found to be right, and its
// capacity.
func (c *call) newScaleSet(g *world.Group) (*world.ScaleSet, int, *problem) {
	model := jsonmap.CloneObject(c.body)
	dropReadOnly(model)
	mergeIdentity(model, model)
	if p := checkRequired(model); p != nil {
		return nil, 0, p
	}
	fillScaleSet(model)
	if p := checkModel(model); p != nil {
		return nil, 0, p
	}
	o := c.orderOf(g.ID+"/providers/Microsoft.Compute/virtualMachineScaleSets/"+c.param("scaleSet"), model)
	if p := o.check(); p != nil {
		return nil, 0, p
	}
	o.fillController(o.profile)
	return &world.ScaleSet{Group: g, Name: c.param("scaleSet"), Model: model}, takeCapacity(model, 0), nil
}

func createScaleSet(c *call, g *world.Group) (*response, *problem) {
	draft, capacity, p := c.newScaleSet(g)
	if p != nil {
		return nil, p
	}
	secrets := takeSecrets(draft.Model)
	if p := conflict(draft.Admit(capacity)); p != nil {
		return nil, p
	}
	if p := c.charge(draft, draft.Touched(capacity)); p != nil {
		return nil, p
	}
	set, o, f := g.CreateScaleSet(draft.Name, draft.Model, secrets, capacity)
	if f != nil {
		return nil, conflict(f)
	}
	return c.written(set, o, http.StatusCreated), nil
}

// written is the response to a PUT or PATCH: the resource, on its way, and its operation.
func (c *call) written(set *world.ScaleSet, o *world.Operation, status int) *response {
	a := c.accepted(o, status, c.render.scaleSet(set))
	a.Header.Set("ETag", set.ETag())
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

// patchScaleSet merges a body into the scale set.
func patchScaleSet(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if set.State == world.StateDeleting {
		return nil, markedForDeletion("Update Virtual Machine Scale Set", set.Name)
	}
	if p := c.precondition(set.ETag()); p != nil {
		return nil, p
	}
	if p := c.stays(set.Name, set.Model["location"]); p != nil {
		return nil, p
	}
	model, capacity, p := c.merged(set)
	if p != nil {
		return nil, p
	}
	if capacity != set.Capacity {
		if p := conflict(set.Conflict()); p != nil {
			return nil, p
		}
	}
	if p := conflict(set.Admit(capacity)); p != nil {
		return nil, p
	}
	touched := 0
	if capacity != set.Capacity {
		touched = set.Touched(capacity)
	}
	if p := c.charge(set, touched); p != nil {
		return nil, p
	}
	secrets := takeSecrets(model)
	return c.written(set, set.Update(model, secrets, capacity), http.StatusOK), nil
}

// merged is the model that the body makes of the scale set's.
func (c *call) merged(set *world.ScaleSet) (object, int, *problem) {
	model, body := jsonmap.CloneObject(set.Model), jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	delete(body, "location")
	replaceTags(model, body)
	mergeIdentity(model, body)
	jsonmap.Merge(model, body)
	if !withoutProfile(model) {
		jsonmap.SetDefault(jsonmap.Ensure(model, "sku"), "capacity", float64(set.Capacity))
	}
	fillScaleSet(model)
	if p := checkModel(model); p != nil {
		return nil, 0, p
	}
	if p := cmp.Or(checkUnchanged(c.world.Unknowns(), set.Model, model), c.checkNewImage(set, model)); p != nil {
		return nil, 0, p
	}
	return model, takeCapacity(model, set.Capacity), nil
}

func deleteScaleSet(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		if p.Code == "ResourceNotFound" {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if p := c.charge(set, len(set.Live())); p != nil {
		return nil, p
	}
	return c.accepted(set.Delete(), http.StatusAccepted, nil), nil
}

func scaleSetView(c *call) (*response, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.instanceView.GET")
	if p != nil {
		return nil, p
	}
	counts := map[string]int{}
	for _, i := range set.Instances {
		counts[i.State]++
	}
	summary := []any{}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		code := "ProvisioningState/" + strings.ToLower(state)
		summary = append(summary, object{"code": code, "count": counts[state]})
	}
	return &response{Status: http.StatusOK, Body: object{
		"virtualMachine": object{"statusesSummary": summary},
		"statuses":       []any{c.render.provisioning(set.State, c.front.now())},
	}}, nil
}
