package armsim

import (
	"cmp"
	"net/http"
	"strings"
)

// powerAction is what stopping, deallocating, starting and restarting do.
type powerAction struct {
	operation string
	during    string
	after     string
}

var (
	actionPowerOff   = powerAction{"PowerOff", powerStopping, powerStopped}
	actionDeallocate = powerAction{"Deallocate", powerDeallocating, powerDeallocated}
	actionStart      = powerAction{"Start", powerStarting, powerRunning}
	actionRestart    = powerAction{"Restart", powerRunning, powerRunning}
)

// change carries an instance through a power action; done runs at its end.
func (s *Server) change(i *instance, a powerAction, done func(*problem)) {
	i.interrupt()
	wasRunning := i.power == powerRunning
	e := &Effect{}
	if a == actionStart && !wasRunning {
		e = s.instanceFault(opStart, i)
	}
	was := i.standing()
	i.state, i.power, i.pending = stateUpdating, a.during, done
	finish := func() {
		if e.Fail != nil {
			i.state, i.power = was.state, was.power
			if was.up() {
				i.power = powerStopped // it was on its way, and is no more
			}
			i.release(e.Fail.problem())
			return
		}
		i.state, i.power, i.nic = stateSucceeded, a.after, true
		if a == actionEvict && s.config.Unknowns.EvictionFailsInstance {
			i.state = stateFailed
		}
		if a.after == powerRunning {
			s.running(i)
		}
		i.release(nil)
		s.settle(i.set)
	}
	if e.Stuck {
		return
	}
	if a == actionStart && wasRunning {
		i.power = powerRunning // starting what runs disturbs nothing
		s.plan(i, s.config.Power.draw(s.rand), finish)
		return
	}
	s.halt(i, func() { s.plan(i, e.slowed(s.config.Power.draw(s.rand)), finish) })
}

// halt switches the instance's machine off and goes on to then, unless the
// instance's life has changed meanwhile.
func (s *Server) halt(i *instance, then func()) {
	if i.machine == nil {
		then()
		return
	}
	life := i.life
	s.background(func() {
		i.machine.PowerOff()
		s.mu.Lock()
		defer s.mu.Unlock()
		if i.life == life {
			then()
		}
	})
}

// powerScaleSet is a power action on the named instances of a scale set, or on
// all of them where none are named.
func powerScaleSet(a powerAction) func(*call) (*answer, *problem) {
	return func(c *call) (*answer, *problem) {
		set, p := c.scaleSet()
		if p != nil {
			return nil, p
		}
		if !set.uniform() && c.server.config.Unknowns.FlexibleBatchPowerRefused {
			return nil, flexibleNotAllowed("VirtualMachineScaleSets."+strings.ToLower(a.operation)+".POST", set.name)
		}
		targets, p := c.named(set, "instanceIds", false)
		if p != nil {
			return nil, p
		}
		return c.power(set, a, targets), nil
	}
}

func powerInstance(a powerAction) func(*call) (*answer, *problem) {
	return func(c *call) (*answer, *problem) {
		i, p := c.instance()
		if p != nil {
			return nil, p
		}
		return c.powerOne(i.set, a, i)
	}
}

// powerMachine is a power action on a virtual machine of the group. It leaves
// the state of its scale set alone.
func powerMachine(a powerAction) func(*call) (*answer, *problem) {
	return func(c *call) (*answer, *problem) {
		i, p := c.machine()
		if p != nil {
			return nil, p
		}
		return c.powerOne(nil, a, i)
	}
}

func (c *call) powerOne(set *scaleSet, a powerAction, i *instance) (*answer, *problem) {
	if i.state == stateDeleting {
		return nil, markedForDeletion(a.operation+" Virtual Machine", i.name)
	}
	return c.power(set, a, []*instance{i}), nil
}

func (c *call) power(set *scaleSet, a powerAction, targets []*instance) *answer {
	s := c.server
	o := s.begin(set, a.operation)
	done := s.all(len(targets), o)
	for _, i := range targets {
		s.change(i, a, done)
	}
	return c.accepted(o, http.StatusAccepted, nil)
}

// all returns a function that ends o after it was called n times, with the first
// problem it was given; at once, less some bookkeeping, where n is none.
func (s *Server) all(n int, o *operation) func(*problem) {
	if n == 0 {
		s.time.after(bookkeeping, func() { s.end(o, nil) })
	}
	return func(p *problem) {
		o.unmet = cmp.Or(o.unmet, p)
		if n--; n == 0 {
			s.end(o, o.unmet)
		}
	}
}

// Kill cuts an instance's power from outside, as a host failure or somebody in
// the portal does: what runs on it dies, and Azure lists it as stopped. It
// returns when nothing of it runs any more.
func (s *Server) Kill(name string) error {
	s.mu.Lock()
	i, err := s.target("kill", name)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	s.cut(i)
	m := i.machine
	s.mu.Unlock()
	if m != nil {
		m.PowerOff()
	}
	return nil
}

// cut is Kill's effect on the resource. A deletion under way goes on.
func (s *Server) cut(i *instance) {
	i.power = powerStopped
	if i.state == stateDeleting {
		return
	}
	i.interrupt()
	if i.state == stateCreating || i.state == stateUpdating {
		i.state, i.nic = stateSucceeded, true
	}
	s.settle(i.set)
}

// byName finds an instance by resource name or vmId.
func (s *Server) byName(name string) *instance {
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			if i.name == name || i.vmID == name {
				return i
			}
		}
	}
	return nil
}
