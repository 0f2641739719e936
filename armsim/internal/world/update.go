package world

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"

// InstanceUpdate is what a client changes of a scale set's instance; nil keeps what there is.
type InstanceUpdate struct {
	Protection map[string]any
	Tags       map[string]any // replaced whole
}

// Apply changes an instance in the way that is meant for Uniform sets. Its scale set is
// Updating meanwhile; a PUT of an instance leaves the ETag (recording 37).
func (i *Instance) Apply(p InstanceUpdate) *Operation {
	if p.Protection != nil {
		i.Extra["protectionPolicy"] = jsonmap.Clone(p.Protection)
	}
	if p.Tags != nil {
		i.Head["tags"] = jsonmap.Clone(p.Tags)
		i.ownTags = true
	}
	o := i.world().Operations.begin(i.Set, "Update instance")
	i.updateUntilEnd(o)
	return o
}

// Tags are the instance's own, or else those of its scale set; nil: none.
func (i *Instance) Tags() any {
	if i.ownTags || !i.Set.Uniform() {
		return i.Head["tags"]
	}
	return i.Set.Model["tags"]
}

// Update changes the model of a virtual machine.
func (i *Instance) Update(head, profile map[string]any) *Operation {
	i.Head, i.Profile = head, profile
	i.Revision++
	o := i.world().Operations.begin(nil, "Update virtual machine")
	i.updateUntilEnd(o)
	return o
}

// updateUntilEnd has the instance Updating until o ends, which it does soon.
func (i *Instance) updateUntilEnd(o *Operation) {
	was := i.State
	if was == StateSucceeded || was == StateFailed { // else something longer is under way
		i.State = StateUpdating
		i.plan(bookkeeping, func() { i.State = was })
	}
	i.world().Operations.endSoon(o)
}
