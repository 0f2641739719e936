package rig

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Replace has somebody delete the scale set and create it again under its name, in
// that mode and with that capacity. It does nothing where Azure refuses that now.
func (b *Bubble) Replace(mode string, capacity int) error {
	b.Sim.ClearFaults() // who deletes a scale set sees to it that it goes
	before := b.InstancesOf(ScaleSetName)
	if b.deleteScaleSet() != nil {
		return nil
	}
	for _, i := range before {
		b.Invariants.MarkUnhealthy(i.Name)
	}
	spec := b.spec
	spec.OrchestrationMode, spec.Capacity = mode, capacity
	var err error
	for range 60 { // it cannot be created before it is gone
		time.Sleep(30 * time.Second)
		if _, err = b.Sim.CreateScaleSet(context.Background(), spec); err == nil {
			b.Flexible, b.External = mode == "Flexible", b.External+capacity
			b.Invariants.ForgetUnhealthy()
			return nil
		}
		_ = b.deleteScaleSet() // where an instance could not be deleted, it is still there
	}
	return fmt.Errorf("the scale set could not be created again: %w", err)
}

func (b *Bubble) deleteScaleSet() error {
	return b.Sim.Do(context.Background(), http.MethodDelete, b.Sim.ScaleSetPath(ScaleSetName), "2025-04-01", struct{}{})
}

// surplusLag is how long more instances may run than were asked for: those that the
// plugin is about to remove, or that Azure makes again of what it was told to delete.
const surplusLag = 5 * time.Minute

// Surplus is an error if for longer than surplusLag more instances run than anybody can
// have asked for: all that the runner may have, and what others made. A runner that
// begins anew while Azure hides what runs may ask for all of it once more. What a
// Uniform scale set failed to create it creates along with the next increase, which is
// by one at least. Those that have failed are on their way out. While Azure hides all
// from the identity, none can be deleted: what there was may stay.
func (b *Bubble) Surplus() error {
	running := 0
	for _, i := range b.Sim.Instances() {
		if i.PowerState == "running" && i.ProvisioningState == "Succeeded" {
			running++
		}
	}
	limit := b.MaxInstances + b.External + b.Invariants.NeverCreated()
	if b.crashed {
		limit += b.MaxInstances
	}
	if limit = max(limit, b.Hidden) + b.Warm + b.Surplussed; running <= limit {
		b.surplusSince = time.Time{}
		return nil
	}
	if b.surplusSince.IsZero() {
		b.surplusSince = time.Now()
	}
	if time.Since(b.surplusSince) > surplusLag {
		return fmt.Errorf("%d instances run, and no more than %d can have been asked for", running, limit)
	}
	return nil
}
