package armsim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func getSubscription(c *call) (*answer, *problem) {
	id := c.server.config.SubscriptionID
	return &answer{status: http.StatusOK, body: object{
		"id": "/subscriptions/" + id, "subscriptionId": id, "tenantId": c.server.config.TenantID,
		"displayName": "armsim", "state": "Enabled", "authorizationSource": "RoleBased",
	}}, nil
}

func (c *call) renderGroup(g *group) object {
	state := stateSucceeded
	if g.deleting != nil {
		state = stateDeleting
	}
	body := object{
		"id": c.server.groupID(g), "name": g.name, "type": "Microsoft.Resources/resourceGroups",
		"location": g.location, "properties": object{"provisioningState": state},
	}
	if g.tags != nil {
		body["tags"] = clone(g.tags)
	}
	return body
}

func getGroup(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return &answer{status: http.StatusOK, body: c.renderGroup(g)}, nil
}

func putGroup(c *call) (*answer, *problem) {
	status := http.StatusOK
	g, p := c.group()
	if p != nil {
		if text(c.body, "location") == "" {
			return nil, locationRequired()
		}
		g, status = c.server.addGroup(c.param("group"), text(c.body, "location")), http.StatusCreated
	}
	if g.deleting != nil {
		return nil, groupBeingDeleted(g.name)
	}
	g.tags = clone(c.body["tags"])
	return &answer{status: status, body: c.renderGroup(g)}, nil
}

func (s *Server) addGroup(name, location string) *group {
	g := &group{
		name: name, location: location, scaleSets: map[string]*scaleSet{}, autoscale: map[string]object{},
		interfaces: map[string]*plainInterface{},
	}
	g.machines = &scaleSet{group: g, model: object{"properties": object{"orchestrationMode": "Flexible"}}, state: stateSucceeded}
	s.groups[strings.ToLower(name)] = g
	return g
}

func listGroups(c *call) (*answer, *problem) {
	var names []string
	for name := range c.server.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	return c.page(len(names), func(n int) string { return names[n] },
		func(n int) object { return c.renderGroup(c.server.groups[names[n]]) })
}

func deleteGroup(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	s := c.server
	if g.deleting == nil {
		g.deleting = s.begin(nil, "Delete resource group")
		for _, name := range slices.Sorted(maps.Keys(g.scaleSets)) { // in order, so that a run replays
			set := g.scaleSets[name]
			if set.state != stateDeleting {
				s.drop(set, s.begin(set, "Delete"))
			}
		}
		s.drop(g.machines, s.begin(nil, "Delete"))
		s.time.after(bookkeeping, func() { s.groupEmptied(g) })
	}
	return c.accepted(g.deleting, http.StatusAccepted, nil), nil
}

// Azure Monitor's autoscale settings are kept as written; the simulator does
// not act on them.

func putAutoscale(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	body := cloneObject(c.body)
	body["name"] = c.param("setting")
	body["type"] = "Microsoft.Insights/autoscaleSettings"
	body["id"] = c.server.groupID(g) + "/providers/microsoft.insights/autoscalesettings/" + c.param("setting")
	g.autoscale[strings.ToLower(c.param("setting"))] = body
	return &answer{status: http.StatusOK, body: body}, nil
}

func listAutoscale(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	var names []string
	for name := range g.autoscale {
		names = append(names, name)
	}
	slices.Sort(names)
	return c.page(len(names), func(n int) string { return names[n] }, func(n int) object { return g.autoscale[names[n]] })
}
