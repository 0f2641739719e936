package world

import (
	"slices"
	"strconv"
	"strings"
)

// setCapacity moves the scale set to a new capacity. A newer one supersedes an
// older one, whose operation ends as preempted (kubernetes/autoscaler#3018); on
// the way down Azure chooses what is deleted: here the newest instances that are not
// protected, in a Uniform set the highest IDs.
func (s *ScaleSet) setCapacity(want int, o *Operation) {
	w := s.world()
	w.Operations.end(s.resize, preempted())
	missing := s.missing(want)
	s.resize, s.Capacity = o, want
	live := slices.DeleteFunc(s.Live(), func(i *Instance) bool { return i.extra })
	for range missing {
		s.createInstance()
	}
	for range s.surplus(missing) {
		s.create(s.newInstance(), false)
	}
	for _, i := range victims(live, -missing) {
		i.removal = o
		i.remove(false, o.fail)
	}
	w.Clock.After(bookkeeping, s.settle)
}

// missing is how many instances a capacity asks for beyond those there are,
// negative where it is fewer. A Flexible set goes by the capacity that it had,
// which is more than its instances where some were deleted as virtual machines
// (dataplat/dbatools#10540).
func (s *ScaleSet) missing(want int) int {
	if !s.Uniform() && !s.world().config.Unknowns.FlexibleCountsInstances {
		return want - s.Capacity
	}
	return want - count(s.Instances, func(i *Instance) bool { return i.counted })
}

// Touched is how many instances a new capacity creates or deletes.
func (s *ScaleSet) Touched(capacity int) int {
	missing := s.missing(capacity)
	return max(missing, -missing) + s.surplus(missing)
}

// settle ends the capacity operation once all that it began has ended: the
// creations and deletions of its own, whatever else is under way in the scale set,
// as what a preempted operation began and deletions by others.
func (s *ScaleSet) settle() {
	s.refill()
	if s.resize != nil && s.resize.awaited > 0 {
		return
	}
	s.trim()
	if s.resize == nil {
		return
	}
	failure := s.resize.partialFailure
	for _, i := range s.Instances {
		if i.creation == s.resize && i.State == StateCreating || i.removal == s.resize && i.State == StateDeleting {
			return
		}
		if i.creation == s.resize && i.Failure != nil {
			failure = i.Failure
		}
	}
	s.world().Operations.end(s.resize, failure)
	s.resize = nil
}

// failAbsent has an instance absent that the operation should have made: after
// the time of a boot, the operation has failed.
func (s *ScaleSet) failAbsent(o *Operation, f *Failure) {
	o.awaited++
	s.world().absent++
	s.world().Clock.After(s.world().draw(s.world().config.Boot), func() {
		o.awaited--
		o.partialFailure = f
		o.set.settle()
	})
}

// Delete accepts the deletion of the scale set with all its instances, once.
func (s *ScaleSet) Delete() *Operation {
	if s.State != StateDeleting {
		s.drop(s.world().Operations.begin(s, "Delete"))
	}
	return s.deletion
}

func (s *ScaleSet) drop(o *Operation) {
	s.State, s.deletion, s.Capacity = StateDeleting, o, 0
	s.Revision++
	s.world().Operations.end(s.resize, preempted())
	s.resize = nil
	for _, i := range s.Instances {
		if i.State != StateDeleting {
			i.remove(false, nil)
		}
		i.saved.capacityReleased = i.saved.counted // the capacity fell with all of them
	}
	s.world().Clock.After(bookkeeping, s.finishDelete)
}

// finishDelete removes the scale set once its instances are gone.
func (s *ScaleSet) finishDelete() {
	if s.deletion == nil || !s.deletion.Running() || len(s.Instances) > 0 {
		return
	}
	delete(s.Group.scaleSets, strings.ToLower(s.Name))
	if !s.Standalone() { // which has no ID: all is below that
		s.world().Access.dropBelow(s.ID)
		s.world().Access.followIdentity(s.UniqueID, nil)
	}
	if s.pool != nil {
		s.Group.dropPool(s.pool)
	}
	s.world().Operations.end(s.deletion, nil)
	s.Group.finishDelete()
}

// failDelete ends the deletion of the scale set, if any, of which an instance
// failed.
func (s *ScaleSet) failDelete(f *Failure) {
	if s.deletion == nil {
		return
	}
	s.State = StateFailed
	o := s.deletion
	s.deletion = nil
	s.world().Operations.end(o, f)
	s.Group.failDelete(f)
}

// cores reads the vCPUs out of a size's name: the first number after the
// family, as 2 in Standard_D2s_v5 (Microsoft's VM size naming conventions).
func cores(size string) int {
	_, rest, _ := strings.Cut(size, "_")
	digits := strings.TrimLeft(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n == 0 {
		return 1
	}
	return n
}
