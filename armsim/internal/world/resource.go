package world

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// The kinds of Resource, as the types in their IDs.
const (
	KindSecurityGroup  = "Microsoft.Network/networkSecurityGroups"
	KindVirtualNetwork = "Microsoft.Network/virtualNetworks"
	KindSubnet         = "Microsoft.Network/virtualNetworks/subnets"
	KindNATGateway     = "Microsoft.Network/natGateways"
	KindPublicAddress  = "Microsoft.Network/publicIPAddresses"
	KindLoadBalancer   = "Microsoft.Network/loadBalancers"
	KindNATRule        = "Microsoft.Network/loadBalancers/inboundNatRules"
	KindIdentity       = "Microsoft.ManagedIdentity/userAssignedIdentities"
)

// teardown is the order in which a group's resources go with it, each kind once
// nothing of those before it is left: what is used after what uses it.
var teardown = []string{KindLoadBalancer, KindVirtualNetwork, KindSecurityGroup, KindNATGateway, KindPublicAddress, KindIdentity}

// Resource is a resource that is kept as its client wrote it.
type Resource struct {
	ID       string
	Kind     string
	Name     string
	Body     map[string]any
	State    string
	Revision int        // moves with every change
	Address  netip.Addr // of a public address; zero: none yet
	Group    *Group
	Parent   *Resource   // of a subnet, or of a NAT rule
	Children []*Resource // subnets or NAT rules, in the order of their creation

	writing  *Operation // the last one on it, or on a child of it
	deletion *Operation // under way, if any
}

func resourceKey(kind, name string) string { return strings.ToLower(kind + "/" + name) }

// Resource finds a resource by kind and name, in any case; nil: there is none.
func (g *Group) Resource(kind, name string) *Resource { return g.resources[resourceKey(kind, name)] }

// Resources are those of a kind, in the order of their names in lower case; of
// all kinds, in the order of these, where kind is empty.
func (g *Group) Resources(kind string) []*Resource {
	var all []*Resource
	for _, key := range slices.Sorted(maps.Keys(g.resources)) {
		if r := g.resources[key]; kind == "" || r.Kind == kind {
			all = append(all, r)
		}
	}
	return all
}

// PutResource writes a resource, and reports whether it is a new one. It is
// Updating until the operation ends.
func (g *Group) PutResource(kind, name string, body map[string]any) (r *Resource, o *Operation, created bool) {
	r = g.Resource(kind, name)
	if created = r == nil; created {
		r = &Resource{ID: g.ID + "/providers/" + kind + "/" + name, Kind: kind, Name: name, Group: g}
		g.resources[resourceKey(kind, name)] = r
	}
	return r, r.write(body), created
}

// PutNow writes a resource whose provider has no operations.
func (g *Group) PutNow(kind, name string, body map[string]any) (r *Resource, created bool) {
	r, o, created := g.PutResource(kind, name, body)
	g.world.Operations.end(o, nil)
	r.settle(o)
	return r, created
}

// write takes a body, and begins the operation that makes it so.
func (r *Resource) write(body map[string]any) *Operation {
	o := r.Group.world.Operations.begin(nil, "Put "+r.Kind)
	r.Body, r.State, r.writing = body, StateUpdating, o
	r.Revision++
	if r.Parent != nil {
		r.Parent.writing = o
	}
	r.Group.world.Clock.After(bookkeeping, func() {
		r.Group.world.Operations.end(o, nil)
		r.settle(o)
	})
	return o
}

// settle gives the resource the state that the operation, which has ended,
// leaves; a newer one decides otherwise.
func (r *Resource) settle(o *Operation) {
	if r.writing != o || r.State != StateUpdating {
		return
	}
	r.State = o.Status()
	r.Revision++
	r.takeAddress(false)
	r.addressFrontends()
	for _, child := range r.Children {
		if child.State == StateUpdating && child.writing == nil {
			child.State = r.State // written with the parent
			child.Revision++
		}
	}
}

// takeAddress gives a public address its own one; a dynamic one has it once
// something uses it.
func (r *Resource) takeAddress(used bool) {
	static := strings.EqualFold(jsonmap.Text(r.Body, "properties.publicIPAllocationMethod"), "Static")
	if r.Kind != KindPublicAddress || !static && !used || r.Address.IsValid() {
		return
	}
	if taken, err := r.Group.world.addresses.public.Take(); err == nil {
		r.Address = taken
	}
}

// addressFrontends gives the public addresses of a load balancer their own ones.
func (r *Resource) addressFrontends() {
	for _, frontend := range jsonmap.List(r.Body, "properties.frontendIPConfigurations") {
		if public := r.Group.world.FindResource(jsonmap.Text(frontend, "properties.publicIPAddress.id")); public != nil {
			public.takeAddress(true)
		}
	}
}

// Busy reports whether an operation on the resource, or on a child of it, runs.
func (r *Resource) Busy() bool {
	return r.writing != nil && r.writing.Running() || r.deletion != nil && r.deletion.Running()
}

// BusyID is the ID of the operation that Busy is about.
func (r *Resource) BusyID() string {
	if r.deletion != nil && r.deletion.Running() {
		return r.deletion.ID
	}
	return r.writing.ID
}

// Delete accepts the resource's deletion, once; nothing may use it.
func (r *Resource) Delete() *Operation {
	if r.deletion != nil {
		return r.deletion
	}
	w := r.Group.world
	o := w.Operations.begin(nil, "Delete "+r.Kind)
	r.deletion, r.State = o, StateDeleting
	if r.Parent != nil {
		r.Parent.writing = o
	}
	w.Clock.After(bookkeeping, func() {
		w.Operations.end(o, nil)
		if o.Failure != nil {
			r.deletion, r.State = nil, StateFailed
			return
		}
		r.drop()
	})
	return o
}

// DeleteNow removes a resource whose provider has no operations.
func (r *Resource) DeleteNow() { r.drop() }

// drop removes the resource, and what was assigned and locked on it.
func (r *Resource) drop() {
	r.State = StateDeleting
	r.Group.world.Access.dropBelow(r.ID)
	if r.Address.IsValid() {
		r.Group.world.addresses.public.Release(r.Address)
	}
	if p := r.Parent; p != nil {
		p.Children = slices.DeleteFunc(p.Children, func(one *Resource) bool { return one == r })
		p.Revision++
		return
	}
	if g := r.Group; g.resources[resourceKey(r.Kind, r.Name)] == r {
		delete(g.resources, resourceKey(r.Kind, r.Name))
	}
	if r.Kind == KindIdentity {
		r.Group.world.Access.forgetPrincipal(jsonmap.Text(r.Body, "properties.principalId"))
	}
}

// dropNext removes the first kind of teardown that is left, and calls then when
// it is gone; it reports whether there was any.
func (g *Group) dropNext(then func()) bool {
	if len(g.resources) == 0 {
		return false
	}
	g.world.Clock.After(bookkeeping, func() {
		for _, r := range g.nextToDrop() {
			r.drop()
		}
		then()
	})
	return true
}

// nextToDrop are the resources of the first kind of teardown that is left, or
// all that are of none of these.
func (g *Group) nextToDrop() []*Resource {
	for _, kind := range teardown {
		if all := g.Resources(kind); len(all) > 0 {
			return all
		}
	}
	return g.Resources("")
}

// Child finds a child by name, in any case; nil: there is none.
func (r *Resource) Child(name string) *Resource {
	for _, child := range r.Children {
		if strings.EqualFold(child.Name, name) {
			return child
		}
	}
	return nil
}

// PutChild writes a child, in place of what it was, and reports whether it is a
// new one.
func (r *Resource) PutChild(kind, name string, body map[string]any) (child *Resource, o *Operation, created bool) {
	child, created = r.addChild(kind, name)
	return child, child.write(body), created
}

func (r *Resource) addChild(kind, name string) (child *Resource, created bool) {
	if child = r.Child(name); child != nil {
		return child, false
	}
	child = &Resource{ID: r.ID + "/" + kind[strings.LastIndexByte(kind, '/')+1:] + "/" + name, Kind: kind, Name: name, Group: r.Group, Parent: r}
	r.Children = append(r.Children, child)
	return child, true
}

// SetChildren writes children with their parent, and removes those that are not
// named.
func (r *Resource) SetChildren(kind string, names []string, bodies []map[string]any) {
	r.Children = slices.DeleteFunc(r.Children, func(child *Resource) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, child.Name) })
	})
	for n, name := range names {
		child, _ := r.addChild(kind, name)
		child.Body, child.State, child.writing = bodies[n], StateUpdating, nil
		child.Revision++
	}
}
