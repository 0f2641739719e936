package world

import (
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// NewID draws a GUID.
func (w *World) NewID() string { return w.Random.uuid() }

// FindResource finds a resource by its ID, in any case; nil: there is none.
func (w *World) FindResource(id string) *Resource {
	g, parts := w.groupOf(id)
	if g == nil {
		return nil
	}
	r := g.Resource(parts[1]+"/"+parts[2], parts[3])
	for n := 4; n < len(parts) && r != nil; n += 2 {
		r = r.Child(parts[n+1])
		if r != nil && !strings.EqualFold(r.Kind[strings.LastIndexByte(r.Kind, '/')+1:], parts[n]) {
			return nil
		}
	}
	return r
}

// HasPart reports whether there is the part of a resource that an ID names: an
// element of one of its lists, as a load balancer's backend pool is.
func (w *World) HasPart(id string) bool {
	g, parts := w.groupOf(id)
	if g == nil || len(parts) != 6 {
		return false
	}
	r := g.Resource(parts[1]+"/"+parts[2], parts[3])
	if r == nil {
		return false
	}
	p, _ := r.Body["properties"].(map[string]any)
	for key := range p {
		if strings.EqualFold(key, parts[4]) {
			return slices.ContainsFunc(jsonmap.List(p, key), func(one any) bool { return strings.EqualFold(jsonmap.Text(one, "name"), parts[5]) })
		}
	}
	return false
}

// groupOf is the group of a resource ID, and the parts of the ID from "providers"
// on; nil: there is no such group, or it is no such ID.
func (w *World) groupOf(id string) (*Group, []string) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	if len(parts) < 8 || len(parts)%2 != 0 || !strings.EqualFold(parts[2], "resourceGroups") || !strings.EqualFold(parts[1], w.config.SubscriptionID) {
		return nil, nil
	}
	return w.Group(parts[3]), parts[4:]
}
