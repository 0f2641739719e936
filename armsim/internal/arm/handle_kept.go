package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// keptType is a type of resources that are kept as they are written, see
// world.Kept.
type keptType struct {
	kind   string   // as Microsoft.Compute/galleries/images
	params []string // of the path, one for each type in kind
	works  bool     // its writes are operations
	caps   bool     // these are at capsOperations (recording 33), not operations
	fill   func(c *call, model object) *problem
}

// path is a resource's in its group, of the first n params; a path of n-1 params
// and the nth type's name is what lists are of.
func (t keptType) path(c *call, n int) string {
	namespace, kinds, _ := strings.Cut(t.kind, "/")
	path := "/providers/" + namespace
	for i, kind := range strings.Split(kinds, "/") {
		if i > n {
			break
		}
		path += "/" + kind
		if i < n {
			path += "/" + c.param(t.params[i])
		}
	}
	return path
}

func (t keptType) depth() int { return len(t.params) }

// parent checks that what the resource is part of is there.
func (t keptType) parent(c *call, g *world.Group) *problem {
	n := t.depth() - 1
	path := strings.TrimSuffix(t.path(c, n), "/"+t.kind[strings.LastIndexByte(t.kind, '/')+1:])
	if n == 0 || g.Kept(path) != nil {
		return nil
	}
	act := "write"
	if c.request.Method == http.MethodGet {
		act = "read"
	}
	return azhttp.NewProblem(http.StatusNotFound, "ParentResourceNotFound",
		"Failed to perform '%s' on resource(s) of type '%s', because the parent resource '%s' could not be found.", act, t.kind, g.ID+path)
}

func (t keptType) find(c *call) (*world.Group, *world.Kept, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, nil, p
	}
	path := t.path(c, t.depth())
	k := g.Kept(path)
	if k == nil {
		return g, nil, resourceNotFound(strings.TrimPrefix(path, "/providers/"), g.Name)
	}
	return g, k, nil
}

func (t keptType) get(c *call) (*response, *problem) {
	_, k, p := t.find(c)
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: c.kept(t, k)}, nil
}

func (t keptType) list(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if p := t.parent(c, g); p != nil {
		return nil, p
	}
	name := func(k *world.Kept) string { return strings.ToLower(k.Name) }
	return page(c.pager, g.KeptBelow(t.path(c, t.depth()-1)), name, func(k *world.Kept) object { return c.kept(t, k) })
}

func (t keptType) put(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if p := c.creatable(g); p != nil {
		return nil, p
	}
	if p := t.parent(c, g); p != nil {
		return nil, p
	}
	model := jsonmap.CloneObject(c.body)
	dropReadOnly(model)
	canonicalLocation(model)
	if p := t.fill(c, model); p != nil {
		return nil, p
	}
	path, status := t.path(c, t.depth()), http.StatusOK
	if k := g.Kept(path); k == nil {
		status = http.StatusCreated
	} else if p := c.stays(k.Name, k.Model["location"]); p != nil {
		return nil, p
	}
	k, o := g.Keep(path, t.kind, model, t.works)
	return c.worked(t, o, status, c.kept(t, k)), nil
}

// delete refuses where something is below, as a gallery that holds images.
func (t keptType) delete(c *call) (*response, *problem) {
	g, k, p := t.find(c)
	if k == nil {
		if g != nil {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	path := t.path(c, t.depth())
	for _, below := range []string{"/images", "/versions"} {
		if len(g.KeptBelow(path+below)) > 0 {
			return nil, azhttp.NewProblem(http.StatusConflict, "CannotDeleteResource",
				"Can not delete resource before nested resources are deleted: '%s'.", k.ID)
		}
	}
	if !t.works {
		g.Drop(path, false)
		return &response{Status: http.StatusOK}, nil // recording 34
	}
	return c.worked(t, g.Drop(path, true), http.StatusAccepted, nil), nil
}

// worked is accepted for providers that have operations, and for those that have
// none.
func (c *call) worked(t keptType, o *world.Operation, status int, body object) *response {
	if o == nil {
		return &response{Status: status, Body: body}
	}
	a := c.accepted(o, status, body)
	if t.caps {
		for _, name := range []string{"Azure-Asyncoperation", "Location"} {
			if url := a.Header.Get(name); url != "" {
				a.Header.Set(name, strings.Replace(url, "/operations/", "/capsOperations/", 1))
			}
		}
	}
	return a
}

func (c *call) kept(t keptType, k *world.Kept) object {
	body := jsonmap.CloneObject(k.Model)
	body["name"], body["id"], body["type"] = k.Name, c.render.odd(k.ID), k.Type
	if k.Type == sshKeys.kind {
		delete(body, "type") // they have none (recording 34)
	}
	p := jsonmap.Ensure(body, "properties")
	if t.works {
		p["provisioningState"] = k.State()
	}
	c.render.unknown(p)
	return body
}
