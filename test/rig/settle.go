package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	// SettleLimit is the longest that anything takes: a creation or a deletion
	// that is stuck is seen to after half an hour.
	SettleLimit    = 90 * time.Minute
	settleInterval = 20 * time.Second

	// roomLimit is longer than a deletion takes, and than Azure withholds lists.
	roomLimit = 30 * time.Minute
)

// Converge checks guarantee 6 and the end of 2 and 5: without further faults demand is
// met, nothing is stuck, and nothing is left in the end.
func (b *Bubble) Converge() error {
	b.Sim.ClearFaults()
	for _, name := range b.setNames() {
		if err := b.Sim.SetStock(armsim.Stock{ScaleSet: name, Count: -1}); err != nil {
			return err
		}
	}
	err := b.Until("demand is not met", b.Settled)
	if err != nil && b.lowerCapacities() {
		err = b.Until("demand is not met with the capacity lowered", b.Settled)
	}
	if err != nil {
		return err
	}
	if err := b.dissolve(); err != nil {
		return err
	}
	for _, name := range b.setNames() {
		if b.unfilled(name) > 0 { // the next increase fills the capacity of those that were never created
			if err := b.fill(name); err != nil {
				return err
			}
		}
	}
	return b.Until("something is left", b.Empty)
}

// dissolve ends the use of a warm pool, whose members nobody else would remove.
func (b *Bubble) dissolve() error {
	if b.Warm == 0 {
		return nil
	}
	b.Surplussed += b.Warm
	b.Warm = 0
	b.Crash()
	if err := b.Restart(); err != nil {
		return err
	}
	return b.Until("the warm pool is left", b.Settled)
}

// makeRoom ends a job where the runner has all that it may, and more where it has been
// given more. fleeting forgets a request
// that comes before the job's instance has gone; one that it has kept is met then, which
// leaves no room again.
func (b *Bubble) makeRoom() error {
	if c := b.Provisioner.Capacity(); c.Running+c.Suspended >= c.Max {
		all := append(b.Running(), b.InState(provider.StateSuspended)...)
		for _, i := range all[:min(len(all), c.Running+c.Suspended-c.Max+1)] {
			i.Delete()
		}
	}
	for range roomLimit / settleInterval {
		if err := b.Revive(); err != nil {
			return err
		}
		if c := b.Provisioner.Capacity(); c.Running+c.Creating+c.Suspended+c.Deleting < c.Max {
			return nil
		}
		time.Sleep(settleInterval)
	}
	return nil
}

// lowerCapacities does what the plugin's error advises where no instance was ever created,
// and no operation has failed: a list that hides them all would look the same, so that
// the plugin waits for somebody who knows. It is false where there are instances.
func (b *Bubble) lowerCapacities() (lowered bool) {
	for _, name := range b.setNames() {
		lowered = b.lowerCapacity(name) || lowered
	}
	return lowered
}

func (b *Bubble) lowerCapacity(name string) bool {
	if len(b.InstancesOf(name)) > 0 || b.Sim.Stats().Capacities[name] == 0 {
		return false
	}
	none := map[string]any{"sku": map[string]any{"capacity": 0}}
	return b.Sim.Do(context.Background(), http.MethodPatch, b.Sim.ScaleSetPath(name), "2025-04-01", none) == nil
}

// Until waits until done returns no error, and returns its error after SettleLimit.
// Meanwhile the plugin is restarted where it has died.
func (b *Bubble) Until(what string, done func() error) error {
	var err error
	for begun := time.Now(); time.Since(begun) < SettleLimit; time.Sleep(settleInterval) {
		if err := errors.Join(b.Revive(), b.Invariants.Err(), b.Surplus()); err != nil {
			return err
		}
		if err = done(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s after %s: %w", what, SettleLimit, err)
}

// Settled returns what keeps the fleet from being what the runner believes.
func (b *Bubble) Settled() error {
	c := b.Provisioner.Capacity()
	if known := c.Creating + c.Running + c.Deleting + c.Suspended; c.Suspending > 0 || c.Resuming > 0 || c.Pending > 0 || c.Requested > 0 && known < c.Max || c.Creating > 0 || c.Deleting > 0 {
		return fmt.Errorf("fleeting has %+v", c)
	}
	known := map[string]provider.State{}
	for _, i := range b.Provisioner.Instances() {
		known[i.ID()] = i.State()
	}
	all := slices.DeleteFunc(b.Sim.Instances(), func(i armsim.InstanceInfo) bool { return b.isWarm(i, known) })
	for _, i := range all {
		if !isAsExpected(i, known[InstanceID(i)]) {
			return fmt.Errorf("%s is %s and %s, and fleeting knows %v", InstanceID(i), i.ProvisioningState, i.PowerState, known)
		}
	}
	if len(all) != len(known) {
		return fmt.Errorf("fleeting knows %v, Azure has %d instances", known, len(all))
	}
	return nil
}

// Empty removes all, as the runner does when it is idle.
func (b *Bubble) Empty() error {
	for _, i := range b.Provisioner.Instances() {
		i.Delete()
	}
	stats := b.Sim.Stats()
	if n := len(b.Provisioner.Instances()); n > 0 || stats.Instances > 0 {
		return fmt.Errorf("fleeting has %d instances, Azure has %d", n, stats.Instances)
	}
	for name, capacity := range stats.Capacities {
		// In Flexible orchestration nothing but lowering it ends that.
		if capacity != 0 && (!b.isFlexible(name) || !b.MayBeAbsent) {
			return fmt.Errorf("the capacity of %s is %d, and there are no instances", name, capacity)
		}
	}
	if len(stats.NotSimulated) > 0 {
		return errors.New("not simulated: " + stats.NotSimulated[0])
	}
	return nil
}

// Revive starts the plugin again if it has died.
func (b *Bubble) Revive() error {
	if !b.Conn.IsCut() {
		return nil
	}
	if b.Provisioner != nil {
		b.Crash()
	}
	return b.Restart()
}

// InstanceName is the name of some instance, the same for the same n and instances, empty where there is none.
func (b *Bubble) InstanceName(n int) string {
	all := b.Sim.Instances()
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(i, j armsim.InstanceInfo) int { return strings.Compare(i.VMID, j.VMID) })
	return all[n%len(all)].Name
}

// FinishJobs ends n jobs: taskscaler removes the instances that served.
func (b *Bubble) FinishJobs(n int) {
	for _, i := range b.Running() {
		if n--; n < 0 {
			return
		}
		i.Delete()
	}
}

// Running are the instances that run, in the order of their IDs.
func (b *Bubble) Running() []fleeting.Instance {
	all := b.Provisioner.Instances()
	slices.SortFunc(all, func(i, j fleeting.Instance) int { return strings.Compare(i.ID(), j.ID()) })
	return slices.DeleteFunc(all, func(i fleeting.Instance) bool { return i.State() != provider.StateRunning })
}

// TryDisrupt lets something happen to an instance which makes it unfit, if there
// is such an instance.
func (b *Bubble) TryDisrupt(name string, how func(string) error) {
	if name == "" {
		return
	}
	b.Invariants.MarkUnhealthy(name)
	_ = how(name) // one that is on its way out refuses it
}
