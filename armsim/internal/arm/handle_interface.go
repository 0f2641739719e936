package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Interfaces and public addresses as resources of the group: those of virtual
// machines, which come and go with them, and interfaces that a client made.

// named is a resource under its name, by which lists are in order.
type named struct {
	name   string
	render rendering
}

func (n named) key() string { return strings.ToLower(n.name) }

func (c *call) listNamed(all []named) (*response, *problem) {
	slices.SortFunc(all, func(a, b named) int { return strings.Compare(a.key(), b.key()) })
	return page(c.pager, all, named.key, func(one named) object { return one.render() })
}

// getNamed is the one of all that the path names.
func (c *call) getNamed(all []named, param, kind string) (*response, *problem) {
	for _, one := range all {
		if strings.EqualFold(one.name, c.param(param)) {
			body := one.render()
			return &response{Status: http.StatusOK, Body: body, Header: http.Header{"Etag": {jsonmap.Text(body, "etag")}}}, nil
		}
	}
	return nil, resourceNotFound("Microsoft.Network/"+kind+"/"+c.param(param), c.param("group"))
}

func (c *call) groupInterfaces(g *world.Group) []named {
	var all []named
	for i := range g.Members() {
		for _, n := range i.Interfaces {
			if i.Listed {
				all = append(all, named{n.Name, func() object {
					return c.render.groupInterface(c.render.networkInterface(i, n), i.Head["location"])
				}})
			}
		}
	}
	for _, n := range g.Interfaces() {
		all = append(all, named{n.Name, func() object { return c.render.standaloneInterface(g, n) }})
	}
	return all
}

func listGroupInterfaces(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.groupInterfaces(g))
}

func getGroupInterface(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.getNamed(c.groupInterfaces(g), "interface", "networkInterfaces")
}

func (c *call) groupAddresses(g *world.Group) []named {
	var all []named
	for i := range g.Members() {
		for _, n := range i.Interfaces {
			for _, a := range n.Configs {
				if i.Listed && a.PublicID != "" {
					all = append(all, named{a.PublicName, c.groupAddress(i, a)})
				}
			}
		}
	}
	return all
}

func (c *call) groupAddress(i *world.Instance, a *world.IPConfig) rendering {
	return func() object { return c.render.groupAddress(a, i.Head["location"]) }
}
