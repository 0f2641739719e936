package world

import "slices"

// savedState is what an instance goes back to when an action comes to nothing.
type savedState struct {
	state            string
	power            string
	counted          bool
	capacityReleased bool // the deletion lowered the capacity
}

func (s savedState) up() bool { return s.power == PowerRunning || s.power == PowerStarting }

// savedStatus is what the instance goes back to when nothing comes of an action
// that starts now.
func (i *Instance) savedStatus() savedState {
	s := savedState{state: i.State, power: i.Power, counted: i.counted}
	if s.state == StateCreating {
		s.power = PowerStarting
	}
	if s.state != StateFailed {
		s.state = StateSucceeded // what was under way is over
	}
	switch s.power {
	case PowerStopping:
		s.power = PowerStopped
	case PowerDeallocating:
		s.power = PowerDeallocated
	}
	return s
}

// deletion is that of an instance, the latest one.
type deletion struct {
	saved       savedState
	irrevocable bool // nothing takes it back any longer
	gone        bool
}

// batchDeletion is an operation that deletes instances of a scale set.
type batchDeletion struct {
	operation *Operation
	instances []*Instance
}

// BatchLowersCapacity reports whether deleting instances of the set lowers its
// capacity.
func (s *ScaleSet) BatchLowersCapacity() bool {
	return s.Uniform() || !s.world().config.Unknowns.FlexibleDeleteKeepsCapacity
}

// DeleteInstances accepts the deletion of instances in one operation. Where
// lowers is set the capacity falls by their number, and the ETag moves with it:
// when is believed, at acceptance, as cluster-autoscaler counts it.
func (s *ScaleSet) DeleteInstances(targets []*Instance, lowers bool) *Operation {
	s.supersedeBatch()
	was := s.State
	o := s.world().Operations.begin(s, "Delete instances")
	if s.world().config.Unknowns.CapacityFallsUnseen {
		s.State = was
	}
	s.batch = &batchDeletion{o, targets}
	if !s.world().config.Unknowns.DeleteKeepsETag {
		s.Revision++
	}
	done := s.world().Operations.endAfter(len(targets), o)
	for _, i := range targets {
		i.remove(lowers, done)
	}
	return o
}

// supersedeBatch ends a running deletion of instances where a newer one does
// so. Those that are not gone go back to what they were.
func (s *ScaleSet) supersedeBatch() {
	w, old := s.world(), s.batch
	if w.config.ParallelWrites != ParallelPreempt || old == nil || !old.operation.Running() {
		return
	}
	for _, i := range old.instances {
		if i.State == StateDeleting && !i.irrevocable {
			i.undelete()
		}
	}
	w.Operations.end(old.operation, preempted())
}

// DeleteMachine accepts the deletion of a virtual machine by itself.
func (i *Instance) DeleteMachine() *Operation {
	w := i.world()
	o := w.Operations.begin(nil, "Delete virtual machine")
	i.remove(w.config.Unknowns.VMDeleteLowersCapacity, w.Operations.endAfter(1, o))
	return o
}

// remove accepts the deletion of the instance: what runs on it dies at once, the
// resource is listed as Deleting for a while, done runs when it is gone, or when
// its deletion failed. lowers says that the capacity falls with it.
func (i *Instance) remove(lowers bool, done func(*Failure)) {
	w := i.world()
	outcome := w.config.Faults.ForInstance(ChangeDelete, i)
	i.interrupt()
	i.saved = i.savedStatus()
	i.State = StateDeleting
	switch {
	case !lowers:
		i.counted = false
	case !w.config.Unknowns.fallsLate() && outcome.Fail == nil:
		i.releaseCapacity()
	}
	if i.Power == PowerRunning {
		i.Power = PowerStopping
	}
	end := func() { i.destroy(done) }
	if outcome.Fail != nil {
		end = func() { i.failDelete(outcome.Fail, done) }
	}
	i.halt(func() {
		i.unlessStuck(outcome, func() { i.plan(outcome.slowed(w.draw(w.config.Delete)), end) })
	})
}

// unlessStuck goes on at once, or when the faults are cleared.
func (i *Instance) unlessStuck(outcome Outcome, then func()) {
	if !outcome.Stuck {
		then()
		return
	}
	i.world().stuck = append(i.world().stuck, i.unlessVoid(then))
}

// releaseCapacity gives up the instance's part of the capacity, once.
func (i *Instance) releaseCapacity() {
	if !i.counted {
		return
	}
	i.counted, i.saved.capacityReleased = false, true
	i.Set.Capacity = max(0, i.Set.Capacity-1) // a newer one may have been nearer to 0
	if !i.world().config.Unknowns.DeleteKeepsETag {
		i.Set.Revision++
	}
}

// destroy removes the instance once its machine is gone, so that nobody gets
// its address while something of it still listens there.
func (i *Instance) destroy(done func(*Failure)) {
	i.irrevocable = true
	if i.machine == nil {
		i.finishDelete(done)
		return
	}
	i.world().config.Async(i.machine.Destroy, func() { i.finishDelete(done) })
}

func (i *Instance) finishDelete(done func(*Failure)) {
	w := i.world()
	i.gone = true
	i.releaseCapacity()
	w.addresses.release(i)
	w.Access.dropBelow(i.ID)
	w.Access.followIdentity(i.VMID, nil)
	i.free()
	w.allocated += i.allocation.spent
	w.lived += w.Clock.Now().Sub(i.Created)
	i.Set.Instances = slices.DeleteFunc(i.Set.Instances, func(other *Instance) bool { return other == i })
	if done != nil {
		done(nil)
	}
	i.Set.settle()
	i.Set.finishDelete()
}

// failDelete ends a deletion that failed. The instance is as it was, but its
// machine stays off.
func (i *Instance) failDelete(f *Failure, done func(*Failure)) {
	up := i.saved.up()
	i.restore()
	if up {
		i.Power = PowerStopped
	}
	if done != nil {
		done(f)
	}
	i.Set.failDelete(f)
	i.Set.settle()
}

// undelete takes the instance out of its deletion as if that had never reached
// it, but for what ran on it.
func (i *Instance) undelete() {
	up := i.saved.up()
	i.restore()
	if up {
		i.Power = PowerStarting
		i.halt(i.run)
	}
}

// restore takes the instance out of its deletion, and gives the capacity back
// what that took.
func (i *Instance) restore() {
	i.epoch++
	i.State, i.Power, i.counted = i.saved.state, i.saved.power, i.saved.counted
	if i.saved.capacityReleased {
		i.Set.Capacity++
		i.Set.Revision++
	}
}
