package world

import (
	"maps"
	"strings"
)

// Tagged is what has tags: the subscription, a resource group or a resource.
type Tagged struct {
	get func() any
	set func(any)
}

// Tags are the present ones, which the caller may change.
func (t *Tagged) Tags() map[string]any {
	tags, _ := t.get().(map[string]any)
	if tags == nil {
		return map[string]any{}
	}
	return maps.Clone(tags)
}

// SetTags replaces them; none removes them.
func (t *Tagged) SetTags(tags map[string]any) { t.set(tags) }

// Tagged finds what has tags by its ID, in any case; nil: there is none. An ID of two
// segments is the subscription's.
func (w *World) Tagged(id string) *Tagged {
	switch parts := strings.Split(strings.Trim(id, "/"), "/"); len(parts) {
	case 2:
		return &Tagged{func() any { return w.tags }, func(tags any) { w.tags, _ = tags.(map[string]any) }}
	case 4:
		if g := w.Group(parts[3]); g != nil {
			return &Tagged{func() any { return g.Tags }, g.SetTags}
		}
		return nil
	}
	if r := w.FindResource(id); r != nil {
		return taggedBody(&r.Body, &r.Revision)
	}
	if k := w.FindKept(id); k != nil {
		return taggedBody(&k.Model, new(int))
	}
	return w.taggedCompute(id)
}

// taggedCompute finds scale sets, their instances, virtual machines and interfaces.
func (w *World) taggedCompute(id string) *Tagged {
	g, parts := w.groupOf(id)
	if g == nil {
		return nil
	}
	switch kind := strings.ToLower(parts[1] + "/" + parts[2]); {
	case kind == "microsoft.compute/virtualmachinescalesets" && g.ScaleSet(parts[3]) != nil:
		set := g.ScaleSet(parts[3])
		if len(parts) == 4 {
			return taggedBody(&set.Model, &set.Revision)
		}
		if i := set.Find(parts[5]); i != nil && len(parts) == 6 && set.Uniform() {
			return &Tagged{i.Tags, i.setTags}
		}
	case len(parts) != 4:
	case kind == "microsoft.compute/virtualmachines" && g.VirtualMachine(parts[3]) != nil:
		i := g.VirtualMachine(parts[3])
		return taggedBody(&i.Head, &i.Revision)
	case kind == "microsoft.network/networkinterfaces" && g.Interface(parts[3]) != nil:
		return taggedBody(&g.Interface(parts[3]).Body, new(int))
	}
	return nil
}

// taggedBody has tags in a body, which is replaced with them: others may share it.
func taggedBody(body *map[string]any, revision *int) *Tagged {
	return &Tagged{func() any { return (*body)["tags"] }, func(tags any) {
		changed := maps.Clone(*body)
		changed["tags"] = tags
		*body = changed
		*revision++
	}}
}

// setTags gives a Uniform set's instance tags of its own.
func (i *Instance) setTags(tags any) {
	changed := maps.Clone(i.Head)
	changed["tags"] = tags
	i.Head, i.ownTags = changed, true
}
