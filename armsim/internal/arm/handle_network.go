package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The Network provider's view of a scale set's instances. Its resources live
// under "microsoft.Compute" paths with their own api-version, and show up later
// than the VMs they belong to.

func listInterfaces(c *call) (*response, *problem) {
	return c.listOfEach(func(i *world.Instance, add func(rendering)) {
		for _, n := range i.Interfaces {
			add(func() object { return c.render.networkInterface(i, n) })
		}
	})
}

func getInterface(c *call) (*response, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	for _, i := range instances {
		for _, n := range i.Interfaces {
			if strings.EqualFold(n.Name, c.param("interface")) {
				return &response{Status: http.StatusOK, Body: c.render.networkInterface(i, n)}, nil
			}
		}
	}
	return nil, networkNotFound(c.request.URL.Path)
}

func listPublicAddresses(c *call) (*response, *problem) { return c.listOfEach(c.publicAddresses) }

// part is one of what an instance has.
type part struct {
	of     *world.Instance
	place  int // among the instance's
	render rendering
}

// rendering makes a resource's body when it is shown.
type rendering func() object

// listOfEach is a page of what the instances have, which each adds.
func (c *call) listOfEach(each func(i *world.Instance, add func(rendering))) (*response, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	all := make([]part, 0, len(instances))
	var next part
	add := func(render rendering) {
		next.render = render
		all = append(all, next)
		next.place++
	}
	for _, i := range instances {
		next = part{of: i}
		each(i, add)
	}
	return page(c.pager, all, func(p part) string { return sortable(p.of.Number) + sortable(p.place) }, func(p part) object { return p.render() })
}

// publicAddresses adds the instance's, of the interface and the configuration
// that the path names, if any.
func (c *call) publicAddresses(i *world.Instance, add func(rendering)) {
	for _, n := range i.Interfaces {
		for _, a := range n.Configs {
			if a.PublicID != "" && c.names("interface", n.Name) && c.names("config", jsonmap.Text(a.Model, "name")) {
				add(func() object { return c.render.publicAddress(a) })
			}
		}
	}
}
