package rig

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// setNames are the names of the scale sets, in the order of the plugin's configuration.
func (b *Bubble) setNames() []string {
	names := []string{ScaleSetName}
	for _, spec := range b.more {
		names = append(names, spec.Name)
	}
	return names
}

// CutOff has every request of the plugin to a scale set, or for its instances, fail with
// status 503, until it is undone.
func (b *Bubble) CutOff(name string, is bool) {
	b.Invariants.mu.Lock()
	defer b.Invariants.mu.Unlock()
	b.cutOff[name] = is
}

// isCutOff reports whether a request is for a scale set that cannot be reached.
func (b *Bubble) isCutOff(r *http.Request) bool {
	b.Invariants.mu.Lock()
	defer b.Invariants.mu.Unlock()
	for name, is := range b.cutOff {
		if is && concerns(r, name) {
			return true
		}
	}
	return false
}

// concerns reports whether a request is to a scale set, or for its instances.
func concerns(r *http.Request, name string) bool {
	path, name := strings.ToLower(r.URL.Path)+"/", strings.ToLower(name)
	filter := strings.ToLower(r.URL.Query().Get("$filter"))
	return strings.Contains(path, "/virtualmachinescalesets/"+name+"/") || strings.Contains(filter, "/virtualmachinescalesets/"+name+"'") ||
		strings.Contains(path, "/virtualmachines/"+name+"_")
}

// setOf is the scale set whose path a request has; empty: none.
func setOf(r *http.Request) string {
	_, rest, found := strings.Cut(strings.ToLower(r.URL.Path), "/virtualmachinescalesets/")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// InstancesOf are the instances of a scale set.
func (b *Bubble) InstancesOf(name string) []armsim.InstanceInfo {
	return slices.DeleteFunc(b.Sim.Instances(), func(i armsim.InstanceInfo) bool { return !strings.EqualFold(i.ScaleSet, name) })
}

// RunningOf is how many instances of a scale set run.
func (b *Bubble) RunningOf(name string) (n int) {
	for _, i := range b.InstancesOf(name) {
		if i.PowerState == "running" && i.ProvisioningState == "Succeeded" {
			n++
		}
	}
	return n
}

// isFlexible reports whether a scale set is in Flexible orchestration.
func (b *Bubble) isFlexible(name string) bool {
	if name == ScaleSetName {
		return b.Flexible
	}
	return slices.ContainsFunc(b.more, func(s armsim.ScaleSetSpec) bool { return s.Name == name && s.OrchestrationMode == "Flexible" })
}

// unfilled is how much capacity of a scale set no instance has.
func (b *Bubble) unfilled(name string) int {
	return b.Sim.Stats().Capacities[name] - len(b.InstancesOf(name))
}

// fill has a Uniform scale set create what its capacity lacks: the next increase does, if
// it goes there. The others have no machines meanwhile.
func (b *Bubble) fill(name string) error {
	if b.isFlexible(name) && len(b.more) > 0 {
		return nil
	}
	for _, other := range b.setNames() {
		if other != name {
			if err := b.Sim.SetStock(armsim.Stock{ScaleSet: other, AtOnce: true}); err != nil {
				return err
			}
			defer b.Sim.SetStock(armsim.Stock{ScaleSet: other, Count: -1})
		}
	}
	// What the runner could not have so far takes the room at once.
	if err := b.makeRoom(); err != nil || b.unfilled(name) <= 0 {
		return err
	}
	b.Provisioner.Request(1)
	time.Sleep(settleInterval)
	err := b.Until("the last demand is not met", b.Settled)
	if err != nil && b.lowerCapacity(name) {
		err = b.Until("the last demand is not met with the capacity lowered", b.Settled)
	}
	return err
}
