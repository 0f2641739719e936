package armsim

import (
	"net/http"
	"strings"
)

func getInstance(c *call) (*answer, *problem) {
	if set, p := c.scaleSet(); p == nil && !set.uniform() {
		return c.getMember(set)
	}
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	body := c.renderInstance(i, strings.EqualFold(c.query("$expand"), "instanceView"))
	return &answer{status: http.StatusOK, body: body, header: http.Header{"Etag": {i.set.etag()}}}, nil
}

func instanceView(c *call) (*answer, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return &answer{status: http.StatusOK, body: c.renderView(i)}, nil
}

func listInstances(c *call) (*answer, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if !set.uniform() {
		return c.listMembers(set)
	}
	if filter := c.query("$filter"); filter != "" {
		return nil, notSimulated("$filter of instances:", filter)
	}
	expand := strings.EqualFold(c.query("$expand"), "instanceView")
	return c.page(len(set.instances),
		func(n int) string { return sortable(set.instances[n].id) },
		func(n int) object { return c.renderInstance(set.instances[n], expand) })
}

// putInstance merges into an instance, as for its protection policy.
func putInstance(c *call) (*answer, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	if i.state == stateDeleting {
		return nil, markedForDeletion("Update Virtual Machine", i.name)
	}
	if p := c.precondition(i.set.etag()); p != nil {
		return nil, p
	}
	if policy, ok := at(c.body, "properties.protectionPolicy").(object); ok {
		dropSecrets(policy)
		i.extra["protectionPolicy"] = clone(policy)
	}
	s, was := c.server, i.state
	o := s.begin(i.set, "Update instance")
	if was == stateSucceeded || was == stateFailed { // else something longer is under way
		i.state = stateUpdating
		s.plan(i, bookkeeping, func() { i.state = was })
	}
	s.time.after(bookkeeping, func() { s.end(o, nil) })
	a := c.accepted(o, http.StatusOK, c.renderInstance(i, false))
	a.header.Set("ETag", i.set.etag())
	return a, nil
}

func deleteInstance(c *call) (*answer, *problem) {
	i, p := c.instance()
	if p != nil {
		if p.status == http.StatusNotFound && p.code == "NotFound" {
			return &answer{status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	if i.state == stateDeleting {
		return nil, markedForDeletion("Delete Virtual Machine", i.name)
	}
	if p := c.server.conflicting(i.set); p != nil {
		return nil, p
	}
	return c.removeAll(i.set, []*instance{i}, true), nil
}

func deleteInstances(c *call) (*answer, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	if set.state == stateDeleting {
		return nil, markedForDeletion("Delete Virtual Machines", set.name)
	}
	targets, p := c.named(set, "instanceIds", true)
	if p != nil {
		return nil, p
	}
	if p := c.server.conflicting(set); p != nil {
		return nil, p
	}
	return c.removeAll(set, targets, c.server.batchLowers(set)), nil
}

// removeAll deletes instances in one operation.
func (c *call) removeAll(set *scaleSet, targets []*instance, lowers bool) *answer {
	return c.accepted(c.server.removeAll(set, targets, lowers), http.StatusAccepted, nil)
}

func upgradeInstances(c *call) (*answer, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.manualupgrade.POST")
	if p != nil {
		return nil, p
	}
	targets, p := c.named(set, "upgradePolicies.instanceIds", true)
	if p != nil {
		return nil, p
	}
	s := c.server
	o := s.begin(set, "Upgrade instances")
	done := s.all(len(targets), o)
	for _, i := range targets {
		i.version = set.version
		s.change(i, actionRestart, done)
	}
	return c.accepted(o, http.StatusAccepted, nil), nil
}

// simulateInstanceEviction has a Spot instance evicted soon.
func simulateInstanceEviction(c *call) (*answer, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return c.simulateEviction(i)
}

// named reads the body's instance IDs. One that is not active fails the whole
// call (recording 12), which may be otherwise for deletions of one that was
// active once; "*" means all.
func (c *call) named(set *scaleSet, target string, required bool) ([]*instance, *problem) {
	ids := list(c.body, "instanceIds")
	if len(ids) == 0 && required {
		return nil, invalidParameter(target, "Required parameter '%s' is missing (null).", target)
	}
	if len(ids) == 0 || len(ids) == 1 && ids[0] == "*" {
		return set.live(), nil
	}
	var found []*instance
	seen := map[*instance]bool{}
	for _, id := range ids {
		name, _ := id.(string)
		i := set.find(name)
		dead := i == nil || i.state == stateDeleting
		if dead && required && c.skips(set, name) {
			continue
		}
		if dead {
			return nil, instanceIDNotActive(target, name)
		}
		if !seen[i] {
			found = append(found, i)
		}
		seen[i] = true
	}
	return found, nil
}

// skips says whether a batch passes over an ID that is not active. What could
// never be an ID is refused all the same.
func (c *call) skips(set *scaleSet, id string) bool {
	return c.server.config.Unknowns.DeadIDsIgnored && id != "" && (!set.uniform() || strings.Trim(id, "0123456789") == "")
}
