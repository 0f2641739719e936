package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

func getGroup(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.group(g)}, nil
}

func putGroup(c *call) (*response, *problem) {
	status := http.StatusOK
	g, p := c.group()
	if p != nil {
		if jsonmap.Text(c.body, "location") == "" {
			return nil, locationRequired()
		}
		g, status = c.world.AddGroup(c.param("group"), catalog.CanonicalLocation(jsonmap.Text(c.body, "location"))), http.StatusCreated
	}
	if g.Deleting != nil {
		return nil, groupBeingDeleted(g.Name)
	}
	if wanted := catalog.CanonicalLocation(jsonmap.Text(c.body, "location")); wanted != "" && wanted != catalog.CanonicalLocation(g.Location) {
		return nil, invalidGroupLocation(g.Location, wanted)
	}
	g.SetTags(c.body["tags"])
	g.ManagedBy = jsonmap.Text(c.body, "managedBy")
	return &response{Status: status, Body: c.render.group(g)}, nil
}

func listGroups(c *call) (*response, *problem) {
	f, p := c.filter("tagname", "tagvalue")
	if p != nil {
		return nil, p
	}
	all := slices.DeleteFunc(c.world.Groups(), func(g *world.Group) bool {
		return !f.matchesTags(g.Tags) || !c.world.Access.May(c.principal, c.route.action, g.ID)
	})
	return page(c.pager, all, func(g *world.Group) string { return strings.ToLower(g.Name) }, c.render.group)
}

func deleteGroup(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.acceptedByManager(g.Delete()), nil
}

// Azure Monitor's autoscale settings are kept as written; the simulator does
// not act on them.

func putAutoscale(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	body := jsonmap.CloneObject(c.body)
	body["name"] = c.param("setting")
	body["type"] = "Microsoft.Insights/autoscaleSettings"
	body["id"] = g.ID + "/providers/microsoft.insights/autoscalesettings/" + c.param("setting")
	g.PutAutoscale(c.param("setting"), body)
	return &response{Status: http.StatusOK, Body: body}, nil
}

func listAutoscale(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	names, bodies := g.Autoscale()
	order := make([]named, len(names))
	for n := range names {
		order[n] = named{names[n], func() object { return bodies[n] }}
	}
	return c.listNamed(order)
}
