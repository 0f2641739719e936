package world

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Use is something that refers to a network resource.
type Use struct {
	Kind string // one of the Kind or Used constants
	ID   string
}

// What uses network resources and is no Resource.
const (
	UsedByInterface = "Microsoft.Network/networkInterfaces"
	UsedByIPConfig  = "Microsoft.Network/networkInterfaces/ipConfigurations"
	UsedByFrontend  = "Microsoft.Network/loadBalancers/frontendIPConfigurations"
)

// subnetReferences are the places where a subnet names what it uses.
var subnetReferences = []string{"properties.networkSecurityGroup.id", "properties.natGateway.id"}

// Users are what refers to the resource: subnets, NAT gateways, interfaces that
// a client made, and those of instances.
func (r *Resource) Users() []Use { return r.Group.world.UsersOf(r.ID) }

// UsersOf are what refers to an ID, which may be that of a part of a resource.
func (w *World) UsersOf(id string) []Use {
	var all []Use
	add := func(named any, u Use) {
		if s, _ := named.(string); s != "" && strings.EqualFold(s, id) {
			all = append(all, u)
		}
	}
	for _, g := range w.Groups() {
		for _, one := range g.Resources("") {
			one.eachReference(add)
			for _, child := range one.Children {
				child.eachReference(add)
			}
		}
		g.eachInterfaceReference(add)
	}
	return all
}

func (r *Resource) eachReference(add func(id any, u Use)) {
	switch r.Kind {
	case KindSubnet:
		for _, path := range subnetReferences {
			add(jsonmap.At(r.Body, path), Use{r.Kind, r.ID})
		}
	case KindNATGateway:
		for _, ref := range jsonmap.List(r.Body, "properties.publicIpAddresses") {
			add(jsonmap.At(ref, "id"), Use{r.Kind, r.ID})
		}
	case KindLoadBalancer:
		for _, frontend := range jsonmap.List(r.Body, "properties.frontendIPConfigurations") {
			use := Use{UsedByFrontend, r.ID + "/frontendIPConfigurations/" + jsonmap.Text(frontend, "name")}
			add(jsonmap.At(frontend, "properties.publicIPAddress.id"), use)
			add(jsonmap.At(frontend, "properties.subnet.id"), use)
		}
	}
}

// balanced are where an IP configuration names parts of load balancers.
var balanced = []string{"properties.loadBalancerBackendAddressPools", "properties.loadBalancerInboundNatPools"}

func eachBalanced(config any, use Use, add func(id any, u Use)) {
	for _, path := range balanced {
		for _, ref := range jsonmap.List(config, path) {
			add(jsonmap.At(ref, "id"), use)
		}
	}
}

func (g *Group) eachInterfaceReference(add func(id any, u Use)) {
	for _, n := range g.Interfaces() {
		add(jsonmap.At(n.Body, "properties.networkSecurityGroup.id"), Use{UsedByInterface, n.ID})
		for _, config := range jsonmap.List(n.Body, "properties.ipConfigurations") {
			use := Use{UsedByIPConfig, n.ID + "/ipConfigurations/" + jsonmap.Text(config, "name")}
			add(jsonmap.At(config, "properties.subnet.id"), use)
			add(jsonmap.At(config, "properties.publicIPAddress.id"), use)
			eachBalanced(config, use, add)
		}
	}
	for _, set := range append(g.ScaleSets(), g.Standalone) {
		for _, i := range set.Instances {
			i.eachReference(add)
		}
	}
}

func (i *Instance) eachReference(add func(id any, u Use)) {
	for _, n := range i.Interfaces {
		add(jsonmap.At(n.Model, "properties.networkSecurityGroup.id"), Use{UsedByInterface, n.ID})
		for _, c := range n.Configs {
			add(jsonmap.At(c.Model, "properties.subnet.id"), Use{UsedByIPConfig, c.ID})
			eachBalanced(c.Model, Use{UsedByIPConfig, c.ID}, add)
		}
	}
}

// PartUsers are what refers to a part of the resource by the part's ID.
func (r *Resource) PartUsers(id string) []Use { return r.Group.world.UsersOf(id) }
