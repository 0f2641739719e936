package arm

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Virtual networks' subnets, in the network's own body and as resources below
// it. A write takes the place of all that the subnet was (recording 29).

// keptApart are the lists of a resource's children, which are kept apart from
// its body.
var keptApart = map[string]string{world.KindVirtualNetwork: "subnets", world.KindLoadBalancer: "inboundNatRules"}

// withoutChildren is the body of a resource less what is kept apart.
func withoutChildren(k networkKind, body object) object {
	list := keptApart[k.kind]
	if list == "" {
		return body
	}
	kept := jsonmap.CloneObject(body)
	if p, ok := kept["properties"].(object); ok {
		delete(p, list)
	}
	return kept
}

// namedSubnets are the subnets that a network's body holds.
func namedSubnets(body object) (names []string, bodies []map[string]any) {
	for _, one := range jsonmap.List(body, "properties.subnets") {
		if subnet, ok := one.(object); ok {
			names = append(names, jsonmap.Text(subnet, "name"))
			copied := jsonmap.CloneObject(subnet)
			dropReadOnly(copied)
			fillSubnet(copied)
			bodies = append(bodies, copied)
		}
	}
	return names, bodies
}

// setSubnets writes the subnets of a network's body. One without any takes away
// all there are, which is believed of old: Microsoft announced that it leaves
// them.
func (c networks) setSubnets(r *world.Resource, body object) {
	if c.keepsSubnets(body) {
		return
	}
	names, bodies := namedSubnets(body)
	r.SetChildren(world.KindSubnet, names, bodies)
}

func (c networks) keepsSubnets(body object) bool {
	return c.world.Unknowns().VnetPutKeepsSubnets && jsonmap.At(body, "properties.subnets") == nil
}

// checkVirtualNetwork refuses prefixes that do not fit, and a body that would
// remove a subnet in use.
func checkVirtualNetwork(c networks, g *world.Group, body object) *problem {
	names, bodies := namedSubnets(body)
	for n, subnet := range bodies {
		others := slices.Delete(slices.Clone(bodies), n, n+1)
		if p := checkSubnetPrefix(names[n], c.param("virtualNetwork"), subnet, body, others); p != nil {
			return p
		}
	}
	r := g.Resource(world.KindVirtualNetwork, c.param("virtualNetwork"))
	if r == nil || c.keepsSubnets(body) {
		return nil
	}
	for _, child := range r.Children {
		stays := slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, child.Name) })
		if users := usersOf(child); !stays && len(users) > 0 {
			return subnetInUse(child.Name, users)
		}
	}
	return nil
}

// checkSubnetPrefix refuses a subnet whose addresses are not the network's, or another
// subnet's.
func checkSubnetPrefix(name, network string, subnet, vnet object, others []map[string]any) *problem {
	prefix, err := netip.ParsePrefix(subnetPrefix(subnet))
	if err != nil {
		return badSubnetPrefix(subnetPrefix(subnet), name)
	}
	inside := slices.ContainsFunc(jsonmap.List(vnet, "properties.addressSpace.addressPrefixes"), func(one any) bool {
		s, _ := one.(string)
		whole, err := netip.ParsePrefix(s)
		return err == nil && whole.Contains(prefix.Addr()) && whole.Bits() <= prefix.Bits()
	})
	if !inside {
		return subnetOutside(name, network)
	}
	for _, other := range others {
		if taken, err := netip.ParsePrefix(subnetPrefix(other)); err == nil && taken.Overlaps(prefix) {
			return subnetsOverlap(name, network)
		}
	}
	return nil
}

// subnetPrefix is the subnet's first one: newer clients write a list.
func subnetPrefix(subnet object) string {
	if list := jsonmap.List(subnet, "properties.addressPrefixes"); len(list) > 0 {
		s, _ := list[0].(string)
		return s
	}
	return jsonmap.Text(subnet, "properties.addressPrefix")
}

func listSubnets(c networks) (*response, *problem) {
	_, r, p := c.resource(virtualNetworks)
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.resources(r.Children))
}

// subnet finds the one of the path. The provider itself says that there is none
// (recording 38).
func (c networks) subnet() (*world.Resource, *problem) {
	g, r, p := c.resource(virtualNetworks)
	switch {
	case g == nil:
		return nil, p
	case r == nil || r.Child(c.param("subnet")) == nil:
		return nil, networkNotFound(c.request.URL.Path)
	}
	return r.Child(c.param("subnet")), nil
}

func getSubnet(c networks) (*response, *problem) {
	subnet, p := c.subnet()
	if p != nil {
		return nil, p
	}
	return c.shown(subnet), nil
}

func putSubnet(c networks) (*response, *problem) {
	g, vnet, p := c.resource(virtualNetworks)
	switch {
	case p != nil:
		return nil, p
	case g.Deleting != nil:
		return nil, groupBeingDeleted(g.Name)
	case vnet.Busy():
		return nil, anotherOperation(vnet.BusyID())
	}
	etag := ""
	var others []map[string]any
	for _, child := range vnet.Children {
		if strings.EqualFold(child.Name, c.param("subnet")) {
			etag = networkETag(child)
			continue
		}
		others = append(others, child.Body)
	}
	if p := c.precondition(etag); p != nil {
		return nil, p
	}
	body := jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	fillSubnet(body)
	if p := checkSubnetPrefix(c.param("subnet"), vnet.Name, body, vnet.Body, others); p != nil {
		return nil, p
	}
	child, o, created := vnet.PutChild(world.KindSubnet, c.param("subnet"), body)
	return c.networkWritten(child, o, created), nil
}

func deleteSubnet(c networks) (*response, *problem) {
	subnet, p := c.subnet()
	if p != nil && p.Code == "NotFound" {
		return &response{Status: http.StatusNoContent}, nil
	}
	if p != nil {
		return nil, p
	}
	if vnet := subnet.Parent; vnet.Busy() && subnet.State != world.StateDeleting {
		return nil, anotherOperation(vnet.BusyID())
	}
	return c.deleteUnused(subnet, subnetInUse)
}
