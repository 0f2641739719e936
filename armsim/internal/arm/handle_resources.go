package arm

import (
	"fmt"
	"net/http"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// headGroup reports whether there is the group, without a body (recording 31).
func headGroup(c *call) (*response, *problem) {
	if c.world.Group(c.param("group")) == nil {
		return &response{Status: http.StatusNotFound, Header: http.Header{"X-Ms-Failure-Cause": {"gateway"}}}, nil
	}
	return &response{Status: http.StatusNoContent}, nil
}

// acceptedByManager is accepted in Resource Manager's own manner: a Location
// alone (recording 31).
func (l *operationLinks) acceptedByManager(o *world.Operation) *response {
	l.begun = o
	url := fmt.Sprintf("https://%s/subscriptions/%s/operationresults/%s?api-version=%s", l.host, l.subscription, o.ID, l.apiVersion)
	return &response{Status: http.StatusAccepted, Header: http.Header{"Location": {url}}}
}

func getManagerResult(c *call) (*response, *problem) {
	switch o := c.world.Operations.Find(c.param("operation")); {
	case o == nil:
		return nil, operationNotFound(c.param("operation"))
	case o.Running():
		return c.acceptedByManager(o), nil
	case o.Failure != nil:
		return nil, conflict(o.Failure)
	}
	return &response{Status: http.StatusOK}, nil
}

// listed is a resource in the list of a group's: none of its properties.
type listed struct{ body object }

func (l listed) kind() string { return jsonmap.Text(l.body, "type") }

// headOf keeps of a body what the list of a group's resources shows.
func headOf(body object, kind string) listed {
	head := object{"type": kind}
	for _, key := range []string{"id", "name", "location", "tags", "sku", "zones", "identity"} {
		if value, ok := body[key]; ok {
			head[key] = value
		}
	}
	return listed{head}
}

// groupResources are all resources of a group.
func groupResources(c *call, g *world.Group) []listed {
	var all []listed
	for _, set := range g.ScaleSets() {
		all = append(all, headOf(c.render.scaleSet(set), "Microsoft.Compute/virtualMachineScaleSets"))
	}
	for _, i := range g.VirtualMachines() {
		all = append(all, headOf(c.render.machineHead(i), "Microsoft.Compute/virtualMachines"))
	}
	for _, n := range c.groupInterfaces(g) {
		all = append(all, headOf(n.render(), "Microsoft.Network/networkInterfaces"))
	}
	for _, a := range c.groupAddresses(g) {
		all = append(all, headOf(a.render(), world.KindPublicAddress))
	}
	for _, r := range g.Resources("") {
		all = append(all, headOf(c.render.resource(r), r.Kind))
	}
	for _, k := range g.KeptAnywhere() {
		head := jsonmap.CloneObject(k.Model)
		head["id"], head["name"] = c.render.odd(k.ID), k.FullName()
		all = append(all, headOf(head, k.Type))
	}
	return all
}

func listGroupResources(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	f, p := c.resourceFilter()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.listedResources(g, f))
}
