package arm

import (
	"fmt"
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

func getInstance(c *call) (*response, *problem) {
	if set, p := c.scaleSet(); p == nil && !set.Uniform() {
		return getMember(c, set)
	}
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	body := c.render.instance(i, c.expandsView())
	return &response{Status: http.StatusOK, Body: body, Header: http.Header{"Etag": {i.Set.ETag()}}}, nil
}

func instanceView(c *call) (*response, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.instanceView(i)}, nil
}

func listInstances(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if c.byGraph() {
		set = set.Ago()
	}
	if !set.Uniform() {
		return listMembers(c, set)
	}
	if filter := c.query.get("$filter"); filter != "" {
		return nil, notSimulated("$filter of instances:", filter)
	}
	expand := c.expandsView()
	return page(c.pager, set.ByNumber(), func(i *world.Instance) string { return sortable(i.Number) },
		func(i *world.Instance) object { return c.render.instance(i, expand) })
}

func deleteInstance(c *call) (*response, *problem) {
	i, p := c.instance()
	if p != nil {
		if p.Status == http.StatusNotFound && p.Code == "NotFound" {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if i.State == world.StateDeleting {
		return nil, markedForDeletion("Delete Virtual Machine", i.Name)
	}
	if p := conflict(i.Set.Conflict()); p != nil {
		return nil, p
	}
	if p := c.charge(i.Set, 1); p != nil {
		return nil, p
	}
	return c.accepted(i.Set.DeleteInstances([]*world.Instance{i}, true), http.StatusAccepted, nil), nil
}

func deleteInstances(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if set.State == world.StateDeleting {
		return nil, markedForDeletion("Delete Virtual Machines", set.Name)
	}
	targets, p := c.instanceIDs(set, "instanceIds", true)
	if p != nil {
		return nil, p
	}
	if p := conflict(set.Conflict()); p != nil {
		return nil, p
	}
	if p := c.charge(set, len(targets)); p != nil {
		return nil, p
	}
	return c.accepted(set.DeleteInstances(targets, set.BatchLowersCapacity()), http.StatusAccepted, nil), nil
}

func upgradeInstances(c *call) (*response, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.manualupgrade.POST")
	if p != nil {
		return nil, p
	}
	targets, p := c.instanceIDs(set, "upgradePolicies.instanceIds", true)
	if p != nil {
		return nil, p
	}
	if namesNone(c.body) {
		targets = world.WithoutProtected(targets)
	}
	if p := c.charge(set, len(targets)); p != nil {
		return nil, p
	}
	return c.accepted(set.Upgrade(targets), http.StatusAccepted, nil), nil
}

// simulateInstanceEviction has a Spot instance evicted soon.
func simulateInstanceEviction(c *call) (*response, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return simulateEviction(i)
}

// allInstances stands for the IDs of all instances.
const allInstances = "*"

// namesNone reports whether a request's body asks for all instances.
func namesNone(body object) bool {
	ids := jsonmap.List(body, "instanceIds")
	return len(ids) == 0 || len(ids) == 1 && ids[0] == allInstances
}

// instanceIDs reads the body's instance IDs. One that is not active fails the whole
// call (recording 12), which may be otherwise for deletions of one that was
// active once; "*" means all.
func (c *call) instanceIDs(set *world.ScaleSet, target string, required bool) ([]*world.Instance, *problem) {
	ids := jsonmap.List(c.body, "instanceIds")
	if given := c.body["instanceIds"]; given != nil && ids == nil {
		return nil, invalidRequestContent(fmt.Errorf("instanceIds must be an array of strings, not %T", given))
	}
	if len(ids) == 0 && required {
		return nil, invalidParameter(target, "Required parameter '%s' is missing (null).", target)
	}
	if namesNone(c.body) {
		return set.Live(), nil
	}
	var found []*world.Instance
	seen := map[*world.Instance]bool{}
	for _, id := range ids {
		name, _ := id.(string)
		i := set.Find(name)
		inactive := i == nil || i.State == world.StateDeleting
		if inactive && required && c.skips(set, name) {
			continue
		}
		if inactive {
			return nil, instanceIDNotActive(target, name)
		}
		if !seen[i] {
			found = append(found, i)
		}
		seen[i] = true
	}
	return found, nil
}

// skips reports whether a batch passes over an ID that is not active. What could
// never be an ID is refused all the same.
func (c *call) skips(set *world.ScaleSet, id string) bool {
	return c.world.Unknowns().DeadIDsIgnored && id != "" && (!set.Uniform() || strings.Trim(id, "0123456789") == "")
}
