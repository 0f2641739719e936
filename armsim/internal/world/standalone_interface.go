package world

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// StandaloneInterface is a network interface that a client made; standalone
// virtual machines name such ones.
type StandaloneInterface struct {
	ID      string // its resource ID
	Name    string
	Body    map[string]any
	Private []netip.Addr // of the IP configurations

	Revision int // moves with every write
}

// InterfaceID is the resource ID of a network interface of that name.
func (g *Group) InterfaceID(name string) string {
	return g.ID + "/providers/Microsoft.Network/networkInterfaces/" + name
}

// Interface finds an interface that a client made by name, in any case; nil:
// there is none.
func (g *Group) Interface(name string) *StandaloneInterface {
	return g.interfaces[strings.ToLower(name)]
}

// Interfaces are those that clients made, in the order of their names in lower
// case.
func (g *Group) Interfaces() []*StandaloneInterface {
	var all []*StandaloneInterface
	for _, name := range slices.Sorted(maps.Keys(g.interfaces)) {
		all = append(all, g.interfaces[name])
	}
	return all
}

// PutInterface writes an interface, and reports whether it is a new one. The
// error says that no address is free.
func (g *Group) PutInterface(name string, body map[string]any) (n *StandaloneInterface, created bool, err error) {
	if n = g.Interface(name); n == nil {
		n, created = &StandaloneInterface{ID: g.InterfaceID(name), Name: name}, true
	}
	n.Body = body
	n.Revision++
	if err := g.world.addresses.assignStandalone(n); err != nil {
		if created {
			g.world.addresses.releaseInterface(n)
		}
		return nil, false, err
	}
	g.interfaces[strings.ToLower(name)] = n
	return n, created, nil
}

// DeleteInterface removes an interface that a client made.
func (g *Group) DeleteInterface(n *StandaloneInterface) *Operation {
	g.world.addresses.releaseInterface(n)
	delete(g.interfaces, strings.ToLower(n.Name))
	o := g.world.Operations.begin(nil, "Delete network interface")
	g.world.Operations.endSoon(o)
	return o
}

// InterfaceUser is the standalone machine that a client gave the interface to;
// nil: there is none.
func (g *Group) InterfaceUser(interfaceID string) *Instance {
	for _, i := range g.Standalone.Instances {
		for _, ref := range jsonmap.List(i.Profile, "networkProfile.networkInterfaces") {
			if strings.EqualFold(jsonmap.Text(ref, "id"), interfaceID) {
				return i
			}
		}
	}
	return nil
}

// InterfaceOwner is the virtual machine of a scale set that an interface of
// that name came with; nil: there is none.
func (g *Group) InterfaceOwner(name string) *Instance {
	for i := range g.Members() {
		if slices.ContainsFunc(i.Interfaces, func(n *Interface) bool { return strings.EqualFold(n.Name, name) }) {
			return i
		}
	}
	return nil
}

// assignStandalone gives each IP configuration an address, and keeps those that
// were given before.
func (a *addresses) assignStandalone(n *StandaloneInterface) error {
	for range len(jsonmap.List(n.Body, "properties.ipConfigurations")) - len(n.Private) {
		taken, err := a.private.Take()
		if err != nil {
			return err
		}
		n.Private = append(n.Private, taken)
	}
	return nil
}

func (a *addresses) releaseInterface(n *StandaloneInterface) {
	for _, one := range n.Private {
		a.private.Release(one)
	}
}
