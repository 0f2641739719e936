package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The Network resources of a group that a client makes: written in one call and
// done when its operation is, recording 29.

// networks is a call on them, or on an identity.
type networks struct{ *call }

func ofNetworks(handle func(networks) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) { return handle(networks{c}) }
}

// networkKind is a kind of them.
type networkKind struct {
	kind  string
	param string // of the path
	fill  func(body object)
	check func(c networks, g *world.Group, body object) *problem // nil: nothing to check
	inUse func(id string, users []string) *problem
}

var (
	securityGroups  = networkKind{world.KindSecurityGroup, "securityGroup", fillSecurityGroup, nil, securityGroupInUse}
	natGateways     = networkKind{world.KindNATGateway, "natGateway", fillNATGateway, nil, natGatewayInUse}
	publicAddresses = networkKind{world.KindPublicAddress, "publicAddress", fillGroupAddress, nil, publicAddressInUse}
	virtualNetworks = networkKind{world.KindVirtualNetwork, "virtualNetwork", fillVirtualNetwork, checkVirtualNetwork, subnetInUse}
)

// resource finds the one that the path names.
func (c networks) resource(k networkKind) (*world.Group, *world.Resource, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, nil, p
	}
	r := g.Resource(k.kind, c.param(k.param))
	if r == nil {
		return g, nil, resourceNotFound(k.kind+"/"+c.param(k.param), c.param("group"))
	}
	return g, r, nil
}

func getNetwork(k networkKind) func(*call) (*response, *problem) {
	return ofNetworks(func(c networks) (*response, *problem) {
		_, r, p := c.resource(k)
		if p != nil {
			return nil, p
		}
		return c.shown(r), nil
	})
}

// shown is a resource as a response.
func (c networks) shown(r *world.Resource) *response {
	return &response{Status: http.StatusOK, Body: c.render.resource(r), Header: http.Header{"Etag": {networkETag(r)}}}
}

func listNetwork(k networkKind) func(*call) (*response, *problem) {
	return ofNetworks(func(c networks) (*response, *problem) {
		g, p := c.group()
		if p != nil {
			return nil, p
		}
		return c.listNamed(c.resources(g.Resources(k.kind)))
	})
}

func (c networks) resources(all []*world.Resource) []named {
	list := make([]named, len(all))
	for n, r := range all {
		list[n] = named{r.Name, func() object { return c.render.resource(r) }}
	}
	return list
}

func putNetwork(k networkKind) func(*call) (*response, *problem) {
	return ofNetworks(func(c networks) (*response, *problem) {
		g, r, p := c.resource(k)
		if p := c.writable(g, r, p); p != nil {
			return nil, p
		}
		body := jsonmap.CloneObject(c.body)
		dropReadOnly(body)
		k.fill(body)
		if k.check != nil {
			if p := k.check(c, g, body); p != nil {
				return nil, p
			}
		}
		r, o, created := g.PutResource(k.kind, c.param(k.param), withoutSubnets(k, body))
		if k.kind == world.KindVirtualNetwork {
			c.setSubnets(r, body)
		}
		return c.networkWritten(r, o, created), nil
	})
}

// writable checks what every write of a group's resource needs; missing is what
// was said of one that there is not.
func (c networks) writable(g *world.Group, r *world.Resource, missing *problem) *problem {
	switch {
	case g == nil:
		return missing
	case g.Deleting != nil:
		return groupBeingDeleted(g.Name)
	case jsonmap.Text(c.body, "location") == "":
		return locationRequired()
	case r != nil && r.Busy():
		return anotherOperation(r.BusyID())
	case r != nil:
		return c.precondition(networkETag(r))
	}
	return c.precondition("")
}

// networkWritten is the response to a PUT: the resource on its way, and its
// operation, which has no Location.
func (c networks) networkWritten(r *world.Resource, o *world.Operation, created bool) *response {
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	a := c.acceptedByNetwork(o, status)
	delete(a.Header, "Location")
	a.Body = c.render.resource(r)
	return a
}

func deleteNetwork(k networkKind) func(*call) (*response, *problem) {
	return ofNetworks(func(c networks) (*response, *problem) {
		g, r, p := c.resource(k)
		if p != nil && g != nil {
			return &response{Status: http.StatusNoContent}, nil
		}
		if p != nil {
			return nil, p
		}
		return c.deleteUnused(r, k.inUse)
	})
}

// deleteUnused deletes a network resource that nothing uses.
func (c networks) deleteUnused(r *world.Resource, inUse func(id string, users []string) *problem) (*response, *problem) {
	for _, one := range append(slices.Clone(r.Children), r) {
		if users := usersOf(one); len(users) > 0 {
			return nil, inUse(nameInUse(one), users)
		}
	}
	if r.State != world.StateDeleting && r.Busy() {
		return nil, anotherOperation(r.BusyID())
	}
	return c.acceptedByNetwork(r.Delete(), http.StatusAccepted), nil
}

func usersOf(r *world.Resource) []string {
	var ids []string
	for _, u := range r.Users() {
		ids = append(ids, u.ID)
	}
	return ids
}

// nameInUse is how a refusal to delete the resource calls it.
func nameInUse(r *world.Resource) string {
	if r.Kind == world.KindSubnet {
		return r.Name
	}
	return r.ID
}

// networkETag is a weak one, as all of Network's.
func networkETag(r *world.Resource) string {
	return `W/"` + tag(r.ID+" "+sortable(r.Revision)) + `"`
}

// Public addresses of a group are those of virtual machines and those that a
// client made.

func listAllAddresses(c networks) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(append(c.groupAddresses(g), c.resources(g.Resources(world.KindPublicAddress))...))
}

func getAnyAddress(c networks) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if r := g.Resource(world.KindPublicAddress, c.param("publicAddress")); r != nil {
		return c.shown(r), nil
	}
	return c.getNamed(c.groupAddresses(g), "publicAddress", "publicIPAddresses")
}

// deleteAddress refuses the address of a virtual machine, too.
func deleteAddress(c networks) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	for i := range g.Members() {
		for _, n := range i.Interfaces {
			for _, a := range n.Configs {
				if a.PublicID != "" && strings.EqualFold(a.PublicName, c.param("publicAddress")) {
					return nil, publicAddressInUse(a.PublicID, []string{a.ID})
				}
			}
		}
	}
	return deleteNetwork(publicAddresses)(c.call)
}
