package instancegroup

import "time"

// Snapshot is what a group is like now, for metrics.
type Snapshot struct {
	Capacity    int64         // of the scale set, as last read and found fit to serve
	Instances   map[State]int // of the last complete view, with a key for each state
	Viewed      time.Time     // when the reading of that began; zero: there is none yet
	Pending     int           // instances that Azure accepted and the runner has not discovered
	Unaccounted int           // instances that the capacity counts and no list shows

	LeaseHeld bool // the scale set's tag names this process
	LeaseLost bool // another manager has taken the scale set over

	// How long increases still pause, for what; zero: they do not.
	PauseFailedStarts time.Duration // instances that did not come up (the circuit breaker)
	PauseRefused      time.Duration // increases that Azure refused
	PauseTransient    time.Duration // errors that are likely to pass within a minute
}

// States returns all states, in a fresh slice.
func States() []State {
	return []State{Creating, Running, Suspending, Suspended, Resuming, Deleting, Dead}
}

// SnapshotOf asks Azure nothing. It waits for nothing but the lock, which is never
// held during a request.
func SnapshotOf(g *Group) Snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, v := g.now(), g.inventory.last()
	s := Snapshot{
		Capacity: g.admission.set.Capacity, Instances: map[State]int{}, Viewed: v.At,
		Pending: g.ledger.pending(), Unaccounted: g.ledger.hold.unaccounted,
		LeaseHeld: g.lease.acquired && g.lease.lost == nil, LeaseLost: g.lease.lost != nil,
		PauseFailedStarts: max(0, g.backoffs.start.until.Sub(now)),
		PauseRefused:      max(0, g.backoffs.rejection.until.Sub(now)),
		PauseTransient:    max(0, g.backoffs.transient.until.Sub(now)),
	}
	for _, state := range States() {
		s.Instances[state] = 0
	}
	for n := range v.Members {
		s.Instances[v.Members[n].State]++
	}
	return s
}
