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
	return c.listOfEach(func(i *world.Instance) []object {
		var all []object
		for _, n := range i.Interfaces {
			all = append(all, c.render.networkInterface(i, n))
		}
		return all
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

// listOfEach is a page of what the instances have.
func (c *call) listOfEach(has func(*world.Instance) []object) (*response, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	var all []named
	for _, i := range instances {
		for place, body := range has(i) {
			all = append(all, named{sortable(i.Number) + sortable(place), body})
		}
	}
	return c.listNamed(all)
}

// publicAddresses are the instance's, of the interface and the configuration
// that the path names, if any.
func (c *call) publicAddresses(i *world.Instance) []object {
	var all []object
	for _, n := range i.Interfaces {
		for _, a := range n.Configs {
			if a.Public.IsValid() && c.names("interface", n.Name) && c.names("config", jsonmap.Text(a.Model, "name")) {
				all = append(all, c.render.publicAddress(a))
			}
		}
	}
	return all
}
