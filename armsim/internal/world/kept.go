package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Kept is a resource that stays as it was written and does nothing by itself:
// a gallery with what is in it, an image, a public key.
type Kept struct {
	ID      string
	Name    string
	Type    string // as Microsoft.Compute/galleries
	Model   map[string]any
	Created time.Time

	operation *Operation // that made or changed it; nil: it was done at once
}

// State is the provisioning state.
func (k *Kept) State() string {
	switch {
	case k.operation == nil || k.operation.Status() == StateSucceeded:
		return StateSucceeded
	case k.operation.Running():
		return StateCreating
	}
	return StateFailed
}

// keeping is what a resource group keeps. The zero value is empty.
type keeping struct{ byPath map[string]*Kept }

// Keep keeps a resource under its path in the group, as
// "/providers/Microsoft.Compute/galleries/g"; one that is there takes the new
// model. Where its provider works through operations, one is begun.
func (g *Group) Keep(path, kind string, model map[string]any, works bool) (*Kept, *Operation) {
	if g.keeping.byPath == nil {
		g.keeping.byPath = map[string]*Kept{}
	}
	k := g.Kept(path)
	if k == nil {
		k = &Kept{ID: g.ID + path, Name: path[strings.LastIndexByte(path, '/')+1:], Type: kind, Created: g.world.Clock.Now()}
		g.keeping.byPath[strings.ToLower(path)] = k
	}
	k.Model = model
	if works {
		k.operation = g.world.Operations.begin(nil, "Write "+kind)
		g.world.Operations.endSoon(k.operation)
	}
	return k, k.operation
}

// Kept finds a kept resource by its path in the group, in any case; nil: there
// is none.
func (g *Group) Kept(path string) *Kept { return g.keeping.byPath[strings.ToLower(path)] }

// KeptBelow are the kept resources that are right below a path, in the order of
// their names in lower case.
func (g *Group) KeptBelow(path string) []*Kept {
	all := []*Kept{}
	for _, key := range slices.Sorted(maps.Keys(g.keeping.byPath)) {
		if rest, ok := strings.CutPrefix(key, strings.ToLower(path)+"/"); ok && !strings.Contains(rest, "/") {
			all = append(all, g.keeping.byPath[key])
		}
	}
	return all
}

// KeptAnywhere are all kept resources, in the order of their paths in lower case.
func (g *Group) KeptAnywhere() []*Kept {
	var all []*Kept
	for _, key := range slices.Sorted(maps.Keys(g.keeping.byPath)) {
		all = append(all, g.keeping.byPath[key])
	}
	return all
}

// FullName is the name with those of what the resource is part of, as in
// "gallery/image": lists over several types have it so.
func (k *Kept) FullName() string {
	parts := strings.Split(strings.Trim(k.ID, "/"), "/")
	names := []string{}
	for n := 7; n < len(parts); n += 2 {
		names = append(names, parts[n])
	}
	return strings.Join(names, "/")
}

// FindKept finds a kept resource by its ID, in any case; nil: there is none.
func (w *World) FindKept(id string) *Kept {
	g, parts := w.groupOf(id)
	if g == nil {
		return nil
	}
	return g.Kept("/" + strings.Join(parts, "/"))
}

// Drop removes a kept resource with all that is below it, and what was assigned
// and locked on these; it returns the operation where its provider works through one.
func (g *Group) Drop(path string, works bool) *Operation {
	path = strings.ToLower(path)
	g.world.Access.dropBelow(g.ID + path)
	maps.DeleteFunc(g.keeping.byPath, func(key string, _ *Kept) bool { return key == path || strings.HasPrefix(key, path+"/") })
	if !works {
		return nil
	}
	o := g.world.Operations.begin(nil, "Delete")
	g.world.Operations.endSoon(o)
	return o
}
