package world

import "fmt"

// poolState is an instance's part in a standby pool of its Flexible set
// (Microsoft's pages on standby pools). The zero value is that of an instance
// that never was in one.
type poolState struct {
	Pooled bool // it is in the pool, or the scale set took it from there
	InPool bool

	kept string // how, while it is in the pool
}

// AddStandby puts a new virtual machine into the standby pool of a Flexible
// set, which keeps it running or deallocated, and returns its name. It counts
// in no capacity until the scale set takes it.
func (e *External) AddStandby(scaleSet string, running bool) (string, error) {
	set, err := e.scaleSet("add standby virtual machine to", scaleSet)
	if err != nil {
		return "", err
	}
	if set.Uniform() {
		return "", fmt.Errorf("add standby virtual machine to scale set %q: its orchestration mode is Uniform, standby pools need Flexible", scaleSet)
	}
	if set.Profile() == nil {
		return "", fmt.Errorf("add standby virtual machine to scale set %q: %s", scaleSet, makesNoMachines)
	}
	kept := PoolDeallocated
	if running {
		kept = PoolRunning
	}
	i, f := set.addStandby(kept)
	if f != nil {
		return "", fmt.Errorf("add standby virtual machine to scale set %q: %w", scaleSet, f)
	}
	return i.Name, nil
}

// addStandby makes a virtual machine for the pool. The failure says that there is no quota
// for it; then none is made.
func (s *ScaleSet) addStandby(kept string) (*Instance, *Failure) {
	w := s.world()
	if f := w.checkQuota(s.demand(s.upcoming(1))...); f != nil {
		return nil, f
	}
	i := s.newInstance()
	i.poolState = poolState{Pooled: true, InPool: true, kept: kept}
	s.Instances = append(s.Instances, i)
	w.created++
	if err := i.connect(); err != nil {
		i.fail(connectFailure(err))
		return i, nil
	}
	if f := i.allocate(); f != nil {
		i.fail(f)
		return i, nil
	}
	boot := w.draw(w.config.Boot)
	i.plan(boot/3, func() { i.Power, i.Listed = PowerStarting, true })
	i.plan(boot, func() {
		i.run()
		if kept != PoolRunning && i.State == StateSucceeded {
			i.change(poolAction(kept), nil)
		}
	})
	return i, nil
}

// poolAction is what a pool does to a virtual machine that it does not keep running.
func poolAction(kept string) PowerAction {
	if kept == PoolHibernated {
		return ActionHibernate
	}
	return ActionDeallocate
}

// ready reports whether the instance waits in the pool as the pool keeps it.
func (i *Instance) ready() bool {
	power := PowerDeallocated
	if i.kept == PoolRunning {
		power = PowerRunning
	}
	return i.InPool && i.State == StateSucceeded && i.Power == power && i.Hibernated == (i.kept == PoolHibernated)
}

// takeStandby has the capacity operation take an instance that is ready in the
// standby pool, and start it where it does not run. It reports whether there
// was one.
func (s *ScaleSet) takeStandby() bool {
	for _, i := range s.Instances {
		if i.ready() {
			s.take(i)
			return true
		}
	}
	return false
}

// readyInPool is how many instances takeStandby finds.
func (s *ScaleSet) readyInPool() int { return count(s.Instances, (*Instance).ready) }

// runningInPool is how many of them run already, and count in the quotas.
func (s *ScaleSet) runningInPool() int {
	return count(s.Instances, func(i *Instance) bool { return i.ready() && i.Power == PowerRunning })
}

func (s *ScaleSet) take(i *Instance) {
	i.InPool, i.counted = false, true
	if i.Power == PowerRunning {
		return
	}
	o := s.resize
	o.awaited++
	i.change(ActionStart, func(f *Failure) {
		o.awaited--
		o.fail(f)
		s.settle()
	})
}
