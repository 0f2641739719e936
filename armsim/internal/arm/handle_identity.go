package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// User-assigned identities: there at once (recording 35), though role
// assignments may not know them yet.

var userIdentities = networkKind{kind: world.KindIdentity, param: "identity"}

// identity finds the one of the path.
func (c networks) identity() (*world.Group, *world.Resource, *problem) {
	return c.resource(userIdentities)
}

func getIdentity(c networks) (*response, *problem) {
	_, r, p := c.identity()
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.render.resource(r)}, nil
}

func putIdentity(c networks) (*response, *problem) {
	g, r, p := c.identity()
	if g == nil {
		return nil, p
	}
	if g.Deleting != nil {
		return nil, groupBeingDeleted(g.Name)
	}
	if jsonmap.Text(c.body, "location") == "" {
		return nil, locationRequired()
	}
	if r != nil {
		if p := c.stays(r.Name, r.Body["location"]); p != nil {
			return nil, p
		}
	}
	body := object{"location": catalog.CanonicalLocation(jsonmap.Text(c.body, "location")), "tags": object{}}
	if tags, ok := c.body["tags"].(object); ok {
		body["tags"] = jsonmap.Clone(tags)
	}
	if r != nil {
		body["properties"] = r.Body["properties"]
		r, _ = g.PutNow(world.KindIdentity, r.Name, body)
		return &response{Status: http.StatusOK, Body: c.render.resource(r)}, nil
	}
	principal := c.world.NewID()
	body["properties"] = object{"tenantId": c.front.config.TenantID, "principalId": principal, "clientId": c.world.NewID()}
	c.world.Access.AddPrincipal(principal, false)
	r, _ = g.PutNow(world.KindIdentity, c.param("identity"), body)
	return &response{Status: http.StatusCreated, Body: c.render.resource(r), Header: http.Header{"Location": {identityID(r)}}}, nil
}

func deleteIdentity(c networks) (*response, *problem) {
	g, r, p := c.identity()
	switch {
	case g == nil:
		return nil, p
	case r == nil:
		return &response{Status: http.StatusNoContent}, nil
	}
	r.DeleteNow()
	return &response{Status: http.StatusOK}, nil
}

// listAssociated are the scale sets and machines that have the identity.
func listAssociated(c networks) (*response, *problem) {
	_, r, p := c.identity()
	if p != nil {
		return nil, p
	}
	value := []any{}
	add := func(id, kind string, model any) {
		identities, _ := jsonmap.At(model, "identity.userAssignedIdentities").(object)
		for one := range identities {
			if strings.EqualFold(one, r.ID) {
				value = append(value, object{"id": id, "name": id[strings.LastIndexByte(id, '/')+1:], "type": kind})
			}
		}
	}
	for _, g := range c.world.Groups() {
		for _, set := range g.ScaleSets() {
			add(set.ID, "microsoft.compute/virtualmachinescalesets", set.Model)
		}
		for _, i := range g.VirtualMachines() {
			add(i.ID, "microsoft.compute/virtualmachines", i.Head)
		}
	}
	return &response{Status: http.StatusOK, Body: object{"totalCount": len(value), "value": value}}, nil
}
