package bench

import (
	"sync"
	"time"
)

// Fleet is the way from 0 to many instances at once, and back to 0.
type Fleet struct {
	Setting
	Size int // of each scale set
}

// phaseLimit is how long one way may take.
const phaseLimit = 2 * time.Hour

// Play plays the scenario with a plugin, in a synctest bubble.
func (s Fleet) Play(plugin string) (Figures, error) {
	var f Figures
	sub, err := newSubscription(s.Setting)
	if err != nil {
		return f, err
	}
	defer sub.end()
	all, err := sub.runners(s.Setting, plugin, 0)
	defer endAll(all)
	if err != nil {
		return f, err
	}
	begun := time.Now()
	f.Done = together(all, s.move)
	f.Total = time.Since(begun)
	for _, r := range all {
		f.countRequests(r, 0)
		f.countInstances(r)
	}
	f.Created = sub.Stats().Created
	f.Unneeded = f.Created - s.Size*s.Sets
	return f, nil
}

// move takes a runner up and down again. It reports whether it got there.
func (s Fleet) move(r *runner) bool {
	if r.schedule(s.Size, time.Hour) != nil {
		return false
	}
	up := await(phaseLimit, func() bool {
		available, _ := r.Capacity()
		return available >= s.Size
	})
	if r.schedule(0, time.Nanosecond) != nil {
		return false
	}
	return await(phaseLimit, func() bool { return r.group.knows() == 0 && r.instances() == 0 }) && up
}

// instances is how many its scale set has.
func (r *runner) instances() int {
	n := 0
	for _, i := range r.sub.Instances() {
		if i.ScaleSet == r.set {
			n++
		}
	}
	return n
}

// runners starts a runner for each scale set.
func (s *subscription) runners(o Setting, plugin string, maxUse int) (all []*runner, err error) {
	for i := range o.Sets {
		r, err := newRunner(s, o, plugin, setName(i), maxUse)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

func endAll(all []*runner) {
	together(all, func(r *runner) bool { r.end(); return true })
}

// together does something with all runners at once, and reports whether all did.
func together(all []*runner, do func(*runner) bool) bool {
	var wait sync.WaitGroup
	done := make([]bool, len(all))
	for i, r := range all {
		wait.Go(func() { done[i] = do(r) })
	}
	wait.Wait()
	for _, ok := range done {
		if !ok {
			return false
		}
	}
	return true
}

// await waits until done reports true, or for limit.
func await(limit time.Duration, done func() bool) bool {
	for begun := time.Now(); !done(); time.Sleep(time.Second) {
		if time.Since(begun) > limit {
			return false
		}
	}
	return true
}
