package armsim

import "fmt"

// What Config.ParallelWrites may be: how a scale set takes a new capacity or a
// deletion of instances while another operation on it runs.
const (
	ParallelQueue    = "queue"    // it takes both
	ParallelConflict = "conflict" // it refuses the second with 409 Conflict
	ParallelPreempt  = "preempt"  // a newer deletion ends an older one, whose instances stay (kubernetes/autoscaler#9505)
)

func (c Config) checkParallel() error {
	switch c.ParallelWrites {
	case "", ParallelQueue, ParallelConflict, ParallelPreempt:
		return nil
	}
	return fmt.Errorf("parallel writes %q: there is nothing of that name; known: queue, conflict, preempt", c.ParallelWrites)
}

// conflicting refuses a write to a scale set on which something runs, where
// that is asked for.
func (s *Server) conflicting(set *scaleSet) *problem {
	if s.config.ParallelWrites == ParallelConflict && set.busy > 0 {
		return concurrentRequest()
	}
	return nil
}

// supersede ends a running deletion of instances where a newer one does so.
// Those that are not gone go back to what they were.
func (s *Server) supersede(set *scaleSet) {
	old := set.deletion
	if s.config.ParallelWrites != ParallelPreempt || old == nil || !old.operation.running() {
		return
	}
	for _, i := range old.instances {
		if i.state == stateDeleting && !i.buried {
			s.revive(i)
		}
	}
	s.end(old.operation, preempted())
}

// revive takes an instance out of its deletion as if that had never reached it,
// but for what ran on it.
func (s *Server) revive(i *instance) {
	up := i.before.up()
	s.restore(i)
	if up {
		i.power = powerStarting
		s.halt(i, func() { s.running(i) })
	}
}

// miss has an instance absent that the operation should have made: after the
// time of a boot, the operation has failed.
func (s *Server) miss(o *operation, p *problem) {
	o.absent++
	s.time.after(s.config.Boot.draw(s.rand), func() {
		o.absent--
		o.unmet = p
		s.settle(o.set)
	})
}

// lowestFree is the lowest number that no instance has.
func (s *scaleSet) lowestFree() int {
	used := map[int]bool{}
	for _, i := range s.instances {
		used[i.id] = true
	}
	n := 0
	for used[n] {
		n++
	}
	return n
}

// SetCoreQuota changes the regional limit of vCPUs; 0 ends it. What exists
// stays.
func (s *Server) SetCoreQuota(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.CoreQuota = max(0, n)
}
