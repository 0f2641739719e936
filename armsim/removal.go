package armsim

import "slices"

// standing is what an instance was before its deletion.
type standing struct {
	state   string
	power   string
	seat    bool
	vacated bool // the deletion lowered the capacity
}

// standing is what the instance goes back to when nothing comes of an action
// that starts now.
func (i *instance) standing() standing {
	was := standing{state: i.state, power: i.power, seat: i.seat}
	if was.state == stateCreating {
		was.power = powerStarting
	}
	if was.state != stateFailed {
		was.state = stateSucceeded // what was under way is over
	}
	switch was.power {
	case powerStopping:
		was.power = powerStopped
	case powerDeallocating:
		was.power = powerDeallocated
	}
	return was
}

// removed is an operation that deletes instances of a scale set.
type removed struct {
	operation *operation
	instances []*instance
}

// batchLowers says whether deleting instances of the set lowers its capacity.
func (s *Server) batchLowers(set *scaleSet) bool {
	return set.uniform() || !s.config.Unknowns.FlexibleDeleteKeepsCapacity
}

// removeAll deletes instances in one operation. The capacity falls by their
// number, when Azure does so is believed: at acceptance, as cluster-autoscaler
// counts it; and the ETag with it.
func (s *Server) removeAll(set *scaleSet, targets []*instance, lowers bool) *operation {
	s.supersede(set)
	o := s.begin(set, "Delete instances")
	set.deletion = &removed{o, targets}
	if !s.config.Unknowns.DeleteKeepsETag {
		set.revision++
	}
	done := s.all(len(targets), o)
	for _, i := range targets {
		s.remove(i, lowers, done)
	}
	return o
}

// remove accepts the deletion of an instance: what runs on it dies at once, the
// resource is listed as Deleting for a while, done runs when it is gone, or when
// its deletion failed. lowers says whether the capacity falls with it.
func (s *Server) remove(i *instance, lowers bool, done func(*problem)) {
	e := s.instanceFault(opDelete, i)
	i.interrupt()
	i.before = i.standing()
	i.state = stateDeleting
	switch {
	case !lowers:
		i.seat = false
	case !s.config.Unknowns.CapacityFallsLate && e.Fail == nil:
		s.vacate(i)
	}
	if i.power == powerRunning {
		i.power = powerStopping
	}
	end := func() { s.bury(i, done) }
	if e.Fail != nil {
		end = func() { s.notRemoved(i, e.Fail.problem(), done) }
	}
	s.halt(i, func() {
		s.unlessStuck(i, e, func() { s.plan(i, e.slowed(s.config.Delete.draw(s.rand)), end) })
	})
}

// unlessStuck goes on at once, or when the faults are cleared.
func (s *Server) unlessStuck(i *instance, e *Effect, then func()) {
	if !e.Stuck {
		then()
		return
	}
	life := i.life
	s.held = append(s.held, func() {
		if i.life == life {
			then()
		}
	})
}

// vacate gives up the instance's part of the capacity, once.
func (s *Server) vacate(i *instance) {
	if !i.seat {
		return
	}
	i.seat, i.before.vacated = false, true
	i.set.capacity = max(0, i.set.capacity-1) // a newer goal may have been nearer to none
	if !s.config.Unknowns.DeleteKeepsETag {
		i.set.revision++
	}
}

// bury removes the instance once its machine is gone, so that nobody gets its
// address while something of it still answers there.
func (s *Server) bury(i *instance, done func(*problem)) {
	i.buried = true
	gone := func() {
		i.gone = true
		s.vacate(i)
		s.releaseAddresses(i)
		s.lived += s.time.now().Sub(i.created)
		i.set.instances = slices.DeleteFunc(i.set.instances, func(other *instance) bool { return other == i })
		if done != nil {
			done(nil)
		}
		s.settle(i.set)
		s.dropped(i.set)
	}
	if i.machine == nil {
		gone()
		return
	}
	s.background(func() {
		i.machine.Destroy()
		s.mu.Lock()
		defer s.mu.Unlock()
		gone()
	})
}

// notRemoved ends a deletion that failed. The instance stands as it was, but
// its machine stays down.
func (s *Server) notRemoved(i *instance, p *problem, done func(*problem)) {
	up := i.before.up()
	s.restore(i)
	if up {
		i.power = powerStopped
	}
	if done != nil {
		done(p)
	}
	s.notDropped(i.set, p)
	s.settle(i.set)
}

func (w standing) up() bool { return w.power == powerRunning || w.power == powerStarting }

// restore takes the instance out of its deletion, and gives the capacity back
// what that took.
func (s *Server) restore(i *instance) {
	was := i.before
	i.life++
	i.state, i.power, i.seat = was.state, was.power, was.seat
	if was.vacated {
		i.set.capacity++
		i.set.revision++
	}
}

// notDropped ends the deletion of a scale set, if any, of which an instance
// failed.
func (s *Server) notDropped(set *scaleSet, p *problem) {
	if set.removal == nil {
		return
	}
	set.state = stateFailed
	o := set.removal
	set.removal = nil
	s.end(o, p)
	if g := set.group; g.deleting != nil {
		s.end(g.deleting, p)
		g.deleting = nil
	}
}
