package azure

import (
	"errors"
	"fmt"
	"time"
)

const (
	// settleLimit is the longest that anything takes: a creation or a deletion
	// that is stuck is seen to after half an hour.
	settleLimit = 90 * time.Minute
	settleTick  = 20 * time.Second
)

// converge is promise 6 and the end of 2 and 5: without further faults demand is
// met, nothing is stuck, and nothing is left in the end.
func (m *model) converge() error {
	m.sim.ClearFaults()
	if err := m.until("demand is not met", m.settled); err != nil {
		return err
	}
	if m.vacant() > 0 { // the next increase fills the seats of those that were never made
		m.provisioner.Request(1)
		time.Sleep(settleTick)
		if err := m.until("the last demand is not met", m.settled); err != nil {
			return err
		}
	}
	return m.until("something is left", m.empty)
}

func (m *model) until(what string, done func() error) error {
	var err error
	for begun := time.Now(); time.Since(begun) < settleLimit; time.Sleep(settleTick) {
		if err := errors.Join(m.revive(), m.watch.err()); err != nil {
			return err
		}
		if err = done(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s after %s: %w", what, settleLimit, err)
}

// settled says what keeps the fleet from being what the runner believes.
func (m *model) settled() error {
	c := m.provisioner.Capacity()
	if known := c.Creating + c.Running + c.Deleting; c.Pending > 0 || c.Requested > 0 && known < c.Max || c.Creating > 0 || c.Deleting > 0 {
		return fmt.Errorf("fleeting has %+v", c)
	}
	known := map[string]bool{}
	for _, i := range m.provisioner.Instances() {
		known[i.ID()] = true
	}
	all := m.sim.Instances()
	for _, i := range all {
		if !known[idOf(i)] || i.PowerState != "running" {
			return fmt.Errorf("%s is %s and %s, and fleeting knows %v", idOf(i), i.ProvisioningState, i.PowerState, known)
		}
	}
	if len(all) != len(known) {
		return fmt.Errorf("fleeting knows %v, Azure has %d instances", known, len(all))
	}
	return nil
}

func (m *model) vacant() int {
	stats := m.sim.Stats()
	return stats.Capacity - stats.Instances
}

// empty removes all, as the runner does when it is idle.
func (m *model) empty() error {
	for _, i := range m.provisioner.Instances() {
		i.Delete()
	}
	stats := m.sim.Stats()
	if n := len(m.provisioner.Instances()); n > 0 || stats.Instances > 0 {
		return fmt.Errorf("fleeting has %d instances, Azure has %d", n, stats.Instances)
	}
	// In Flexible orchestration nothing but lowering it takes such seats away.
	if stats.Capacity != 0 && (!m.flexible || !m.absent) {
		return fmt.Errorf("the capacity is %d, and there are no instances", stats.Capacity)
	}
	if len(stats.NotSimulated) > 0 {
		return errors.New("not simulated: " + stats.NotSimulated[0])
	}
	return nil
}
