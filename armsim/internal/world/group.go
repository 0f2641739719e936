package world

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Group is a resource group.
type Group struct {
	ID       string // its resource ID
	Name     string
	Location string
	Tags     any
	Deleting *Operation // its deletion, if under way

	ManagedBy string // what a client says of it

	Standalone *ScaleSet // stands for the virtual machines of no scale set

	world      *World
	scaleSets  map[string]*ScaleSet            // by name in lower case, as the following
	interfaces map[string]*StandaloneInterface // that a client made
	autoscale  map[string]object
	resources  map[string]*Resource // by resourceKey

	keeping
	pools
}

func newGroup(w *World, name, location string) *Group {
	g := &Group{
		ID: "/subscriptions/" + w.config.SubscriptionID + "/resourceGroups/" + name, Name: name, Location: location,
		world: w, scaleSets: map[string]*ScaleSet{}, interfaces: map[string]*StandaloneInterface{}, autoscale: map[string]object{},
		resources: map[string]*Resource{},
	}
	g.Standalone = &ScaleSet{Group: g, Model: object{"properties": object{"orchestrationMode": "Flexible"}}, State: StateSucceeded}
	return g
}

// SetTags replaces the tags.
func (g *Group) SetTags(tags any) { g.Tags = jsonmap.Clone(tags) }

// ScaleSet finds a scale set by name, in any case; nil: there is none.
func (g *Group) ScaleSet(name string) *ScaleSet { return g.scaleSets[strings.ToLower(name)] }

// ScaleSets are the scale sets in the order of their names in lower case.
func (g *Group) ScaleSets() []*ScaleSet {
	all := make([]*ScaleSet, 0, len(g.scaleSets))
	for _, name := range slices.Sorted(maps.Keys(g.scaleSets)) {
		all = append(all, g.scaleSets[name])
	}
	return all
}

// VirtualMachines are the virtual machines that are resources of the group: the
// instances of its Flexible sets, and standalone ones. They are in the order of
// their names in lower case.
func (g *Group) VirtualMachines() []*Instance { return byName(slices.Collect(g.Members())) }

// Members are VirtualMachines in no order.
func (g *Group) Members() iter.Seq[*Instance] {
	return func(yield func(*Instance) bool) {
		for _, set := range append(slices.Collect(maps.Values(g.scaleSets)), g.Standalone) {
			if set.Uniform() {
				continue
			}
			for _, i := range set.Instances {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// VirtualMachine finds one of VirtualMachines by name, in any case; nil: there
// is none.
func (g *Group) VirtualMachine(name string) *Instance {
	for i := range g.Members() {
		if strings.EqualFold(i.Name, name) {
			return i
		}
	}
	return nil
}

// Delete accepts the deletion of the group with all that is in it, once.
func (g *Group) Delete() *Operation {
	if g.Deleting != nil {
		return g.Deleting
	}
	w := g.world
	g.Deleting = w.Operations.begin(nil, "Delete resource group")
	for _, set := range g.ScaleSets() { // in order, so that a run replays
		if set.State != StateDeleting {
			set.drop(w.Operations.begin(set, "Delete"))
		}
	}
	g.Standalone.drop(w.Operations.begin(nil, "Delete"))
	w.Clock.After(bookkeeping, g.finishDelete)
	return g.Deleting
}

// finishDelete removes the group once nothing is left in it.
func (g *Group) finishDelete() {
	if g.Deleting == nil || !g.Deleting.Running() || len(g.scaleSets) > 0 || len(g.Standalone.Instances) > 0 {
		return
	}
	for _, n := range g.interfaces {
		g.world.addresses.releaseInterface(n)
	}
	clear(g.interfaces)
	clear(g.keeping.byPath)
	if g.dropNext(g.finishDelete) {
		return
	}
	g.world.Access.dropBelow(g.ID)
	g.world.Policies.dropBelow(g.ID)
	delete(g.world.groups, strings.ToLower(g.Name))
	g.world.Operations.end(g.Deleting, nil)
}

// failDelete ends the deletion, if one is under way.
func (g *Group) failDelete(f *Failure) {
	if g.Deleting == nil {
		return
	}
	g.world.Operations.end(g.Deleting, f)
	g.Deleting = nil
}

// PutAutoscale keeps a setting of Azure Monitor's autoscale as it is written;
// the simulator does not act on it.
func (g *Group) PutAutoscale(name string, body map[string]any) {
	g.autoscale[strings.ToLower(name)] = body
}

// Autoscale are the settings of PutAutoscale, in the order of their names in
// lower case, which come first.
func (g *Group) Autoscale() (names []string, bodies []map[string]any) {
	names = slices.Sorted(maps.Keys(g.autoscale))
	for _, name := range names {
		bodies = append(bodies, g.autoscale[name])
	}
	return names, bodies
}
