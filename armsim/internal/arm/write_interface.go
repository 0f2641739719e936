package arm

import (
	"cmp"
	"net/http"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// putGroupInterface writes an interface; it is done at once (recording 04).
func putGroupInterface(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if g.Deleting != nil {
		return nil, groupBeingDeleted(g.Name)
	}
	if jsonmap.Text(c.body, "location") == "" {
		return nil, locationRequired()
	}
	if g.InterfaceOwner(c.param("interface")) != nil {
		return nil, notSimulated("PUT of", "an interface of a scale set's virtual machine")
	}
	if n := g.Interface(c.param("interface")); n != nil {
		if p := cmp.Or(c.stays(n.Name, n.Body["location"]), c.precondition(interfaceETag(n))); p != nil {
			return nil, p
		}
	}
	body := jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	dropSecrets(body)
	canonicalLocation(body)
	n, created, err := g.PutInterface(c.param("interface"), body)
	if err != nil {
		return nil, azhttp.NewProblem(http.StatusBadRequest, "SubnetIsFull", "%s", err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &response{Status: status, Body: c.render.standaloneInterface(g, n)}, nil
}

// deleteGroupInterface responds with 200 and an operation (recording 04); an
// interface in use stays.
func deleteGroupInterface(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	n, id := g.Interface(c.param("interface")), g.InterfaceID(c.param("interface"))
	user := g.InterfaceOwner(c.param("interface"))
	if n != nil {
		user = g.InterfaceUser(id)
	}
	if user != nil {
		return nil, interfaceInUse(id, user.ID)
	}
	if n == nil {
		return &response{Status: http.StatusNoContent}, nil
	}
	return c.acceptedByNetwork(g.DeleteInterface(n), http.StatusOK), nil
}
