package world

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// InstanceUpdate is what a client changes of a scale set's instance; nil keeps what there is.
type InstanceUpdate struct {
	Protection map[string]any
	Tags       map[string]any // replaced whole
	Properties map[string]any // what else it names, which is laid over what there is
}

// Apply changes an instance in the way that is meant for Uniform sets. Its scale set is
// Updating meanwhile; a PUT of an instance leaves the ETag (recording 37).
func (i *Instance) Apply(p InstanceUpdate) *Operation {
	if p.Protection != nil {
		i.Extra = maps.Clone(i.Extra) // Resource Graph goes on showing the one that was
		i.Extra["protectionPolicy"] = jsonmap.Clone(p.Protection)
	}
	if p.Tags != nil {
		i.setTags(jsonmap.Clone(p.Tags))
	}
	if len(p.Properties) > 0 {
		i.customise(jsonmap.CloneObject(p.Properties))
	}
	o := i.world().Operations.begin(i.Set, "Update instance")
	i.updateUntilEnd(o)
	return o
}

// customise lays properties over those of the instance, which then has a model of its own:
// data disks and interfaces are a part of the profile, the rest stands by itself.
func (i *Instance) customise(properties object) {
	i.Customised = true
	i.Profile, i.Extra = jsonmap.CloneObject(i.Profile), jsonmap.CloneObject(i.Extra) // as in Apply
	if disks, ok := jsonmap.At(properties, "storageProfile.dataDisks").([]any); ok {
		disks = slices.DeleteFunc(disks, func(disk any) bool { return jsonmap.Bool(disk, "toBeDetached") })
		jsonmap.Ensure(i.Profile, "storageProfile")["dataDisks"] = disks
	}
	if network, ok := properties["networkProfileConfiguration"].(object); ok {
		jsonmap.Merge(jsonmap.Ensure(i.Profile, "networkProfile"), network)
		i.remodel()
	}
	delete(properties, "storageProfile")
	delete(properties, "networkProfileConfiguration")
	jsonmap.Merge(i.Extra, properties)
}

// remodel gives the interfaces that the instance has what its profile now says of them.
// Interfaces and public addresses that are new to the profile are not made.
func (i *Instance) remodel() {
	for _, n := range i.Interfaces {
		model := namedIn(jsonmap.List(i.Profile, "networkProfile.networkInterfaceConfigurations"), jsonmap.Text(n.Model, "name"))
		if model == nil {
			continue
		}
		n.Model = model
		for _, c := range n.Configs {
			config := namedIn(jsonmap.List(model, "properties.ipConfigurations"), jsonmap.Text(c.Model, "name"))
			if config != nil && (jsonmap.At(config, "properties.publicIPAddressConfiguration") == nil) == (c.PublicID == "") {
				c.Model = config
			}
		}
	}
}

// namedIn finds the object of that name; nil: there is none.
func namedIn(all []any, name string) any {
	at := slices.IndexFunc(all, func(one any) bool { return strings.EqualFold(jsonmap.Text(one, "name"), name) })
	if at < 0 {
		return nil
	}
	return all[at]
}

// Tags are the instance's own, or else those of its scale set; nil: none.
func (i *Instance) Tags() any {
	if i.ownTags || !i.Set.Uniform() {
		return i.Head["tags"]
	}
	return i.Set.Model["tags"]
}

// CheckSize refuses a size for which a quota has no room beyond what the instance uses of it;
// nil: go on.
func (i *Instance) CheckSize(size string) *Failure {
	if size == "" || strings.EqualFold(size, i.Size) || !i.usesQuota() {
		return nil
	}
	return i.world().checkQuota(demand{size, i.Spot(), 1, i.Size})
}

// Update changes the model of a virtual machine, and its size where that has one.
func (i *Instance) Update(head, profile map[string]any) *Operation {
	i.Head, i.Profile = head, profile
	i.Size = cmp.Or(jsonmap.Text(profile, "hardwareProfile.vmSize"), i.Size)
	i.Revision++
	i.world().Access.followIdentity(i.VMID, head)
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
