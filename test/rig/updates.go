package rig

import (
	"strings"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// losses is the end of guarantee 2: at most as many instances are told to have never
// been created as Azure failed to make, or removes before anybody saw them: one that is
// being deleted no longer counts in the capacity. Where an
// operation is made to fail that made its instances, Azure itself says otherwise.
func (v *Invariants) losses(told map[string]provider.State) {
	v.mu.Lock()
	for id := range told {
		if strings.HasPrefix(id, "never-created-") {
			v.neverCreated++
		}
	}
	n := v.neverCreated
	v.mu.Unlock()
	kept := 0
	for _, i := range v.bubble.Sim.Instances() {
		if i.ProvisioningState != "Deleting" {
			kept++
		}
	}
	stats := v.bubble.Sim.Stats()
	if lost := stats.Absent + stats.Created - kept; n > lost && !v.bubble.OperationsLie {
		v.violate("%d instances were never created, it says; Azure failed to make or has removed %d", n, lost)
	}
}

// NeverCreated is how many instances were told to have never been created.
func (v *Invariants) NeverCreated() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.neverCreated
}

// updated is guarantee 3: what fleeting knows alive is named, and nothing healthy is
// said to be deleted.
func (g *checkedGroup) updated(told map[string]provider.State) {
	v := g.invariants
	v.losses(told)
	exists := map[string]bool{}
	all := v.bubble.Sim.Instances()
	v.mu.Lock()
	for _, i := range all {
		exists[InstanceID(i)] = v.healthyLocked(i)
	}
	var missing []string
	for id := range g.listed {
		if told[id] == "" {
			missing = append(missing, id)
		}
	}
	for id, state := range told {
		v.known[id] = true
		if state == provider.StateDeleted && v.ran[id] && exists[id] && !v.expected[id] {
			missing = append(missing, id+", which is healthy")
		}
		if state == provider.StateRunning {
			v.ran[id] = true
		}
		g.listed[id] = true
		if state == provider.StateDeleted {
			delete(g.listed, id)
		}
	}
	v.mu.Unlock()
	if len(missing) > 0 {
		v.violate("Update dropped %v, and told of %v", missing, told)
	}
}
