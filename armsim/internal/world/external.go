package world

import (
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// External is what others do behind a client's back: somebody in the portal,
// another program, Azure itself. Instances are named by resource name or vmId;
// errors say that there is no such thing, or that it is in no state for it.
type External struct {
	world   *World
	planned uint64 // events ever
}

func (e *External) instance(verb, name string) (*Instance, error) {
	if i := e.world.find(name); i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("%s instance %q: there is none of that name", verb, name)
}

// live is instance, less what is being deleted.
func (e *External) live(verb, name string) (*Instance, error) {
	i, err := e.instance(verb, name)
	if err == nil && i.State == StateDeleting {
		return nil, fmt.Errorf("%s instance %q: it is being deleted", verb, name)
	}
	return i, err
}

// Kill cuts the power of an instance that runs or is on its way to or from there, and
// returns its machine, if any, for the caller to switch off.
func (e *External) Kill(name string) (*machine.Machine, error) {
	i, err := e.instance("kill", name)
	if err != nil {
		return nil, err
	}
	if !i.poweredOn() {
		return nil, fmt.Errorf("kill instance %q: it has no virtual machine that runs", name)
	}
	i.cutPower()
	return i.machine, nil
}

// Evict takes away the capacity of a Spot instance.
func (e *External) Evict(name string) error {
	i, err := e.instance("evict", name)
	if err != nil {
		return err
	}
	if err := i.checkEvictable(); err != nil {
		return fmt.Errorf("evict instance %q: %w", name, err)
	}
	i.evict()
	return nil
}

// Deallocate stops an instance and gives its capacity back to Azure.
func (e *External) Deallocate(name string) error {
	return e.change("deallocate", name, ActionDeallocate)
}

// Start starts an instance.
func (e *External) Start(name string) error { return e.change("start", name, ActionStart) }

func (e *External) change(verb, name string, a PowerAction) error {
	i, err := e.live(verb, name)
	if err != nil {
		return err
	}
	if f := i.checkPower(a); f != nil {
		return fmt.Errorf("%s instance %q: %w", verb, name, f)
	}
	i.change(a, nil)
	return nil
}

// Delete deletes an instance as its scale set's API would; the capacity falls.
func (e *External) Delete(name string) error {
	i, err := e.live("delete", name)
	if err != nil {
		return err
	}
	removeExternally(i)
	return nil
}

func removeExternally(i *Instance) {
	if i.Set.Standalone() {
		i.remove(false, nil)
		return
	}
	i.Set.DeleteInstances([]*Instance{i}, i.Set.BatchLowersCapacity())
}

// Raise adds n to a scale set's capacity.
func (e *External) Raise(scaleSet string, n int) error {
	set, err := e.scaleSet("raise", scaleSet)
	if err != nil {
		return err
	}
	return set.raise(n)
}

// Tag sets a tag of a scale set. Its ETag moves.
func (e *External) Tag(scaleSet, key, value string) error {
	set, err := e.scaleSet("tag", scaleSet)
	if err != nil {
		return err
	}
	set.tag(key, value)
	return nil
}

// scaleSet finds a scale set that is not being deleted by name, in any group.
func (e *External) scaleSet(verb, name string) (*ScaleSet, error) {
	for _, set := range e.scaleSets() {
		if strings.EqualFold(set.Name, name) {
			return set, nil
		}
	}
	return nil, fmt.Errorf("%s scale set %q: there is none of that name, or it is being deleted", verb, name)
}

// scaleSets are those that are not being deleted, in an order that replays.
func (e *External) scaleSets() []*ScaleSet {
	var all []*ScaleSet
	for _, g := range e.world.Groups() {
		for _, set := range g.ScaleSets() {
			if set.State != StateDeleting {
				all = append(all, set)
			}
		}
	}
	return all
}
