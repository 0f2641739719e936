package instancegroup

import (
	"errors"
	"time"
)

const (
	// earlyEviction is how soon an eviction comes that speaks against making more: Azure
	// has no capacity to spare where it takes instances back that it has just given.
	earlyEviction = 15 * time.Minute

	// repeatedEvictions of that kind within evictionWindow count as a refusal. A single
	// one may happen to any Spot instance.
	repeatedEvictions = 2
	evictionWindow    = 15 * time.Minute

	// evictionMemory is after how long without any the pauses are short again.
	evictionMemory = time.Hour

	// persistentFailures is how often in a row an increase has to fail for reasons that
	// mostly pass by themselves, until it had better not be waited for.
	persistentFailures = 3

	// uncertainTime is how long a write of unknown outcome is waited for: what it may have
	// made would come in addition to what another scale set makes. A list shows that by then.
	uncertainTime = 2 * time.Minute
)

var (
	errNotComingUp = errors.New("its instances do not come up")
	errUnaccounted = errors.New("its capacity and its instances do not add up")
	errEvicted     = errors.New("Azure evicts its Spot instances soon after they come up")
)

// shortage owns what speaks for another scale set although this one takes increases:
// Azure accepts them where it has no machines, and its refusal comes later. It delays
// nothing by itself.
type shortage struct {
	starts    backoff // of instances that did not come up
	evictions backoff // of instances that were taken back early
	evicted   []time.Time
}

func newShortage() shortage {
	return shortage{
		starts:    backoff{shortest: 15 * time.Second, longest: 10 * time.Minute},
		evictions: backoff{shortest: 2 * time.Minute, longest: 30 * time.Minute},
	}
}

// recordStarts counts instances that came up or failed to. What comes to light during a
// pause is of increases before it.
func (s *shortage) recordStarts(now time.Time, served, failed int, cause error) {
	switch {
	case s.starts.active(now):
	case failed > 0:
		s.starts.fail(now, cause)
	case served > 0:
		s.starts.ease()
	}
}

// recordEvictions counts n instances that Azure took back early.
func (s *shortage) recordEvictions(now time.Time, n int) {
	if n == 0 {
		return
	}
	if len(s.evicted) > 0 && now.Sub(s.evicted[len(s.evicted)-1]) >= evictionMemory {
		s.evictions.reset()
	}
	recent := s.evicted[:0]
	for _, at := range s.evicted {
		if now.Sub(at) < evictionWindow {
			recent = append(recent, at)
		}
	}
	for range n {
		recent = append(recent, now)
	}
	s.evicted = recent
	if len(recent) >= repeatedEvictions && !s.evictions.active(now) {
		s.evictions.fail(now, errEvicted)
	}
}

// err is what speaks for another scale set now.
func (s *shortage) err(now time.Time) error {
	switch {
	case s.evictions.active(now):
		return s.evictions.cause
	case s.starts.active(now):
		return s.starts.cause
	}
	return nil
}

// Shortage returns why an increase had better go to another scale set, if there is one;
// nil where it had not. It is none that Azure's request limits are used up for now, nor
// what mostly passes within a minute.
func (g *Group) Shortage() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, b := g.now(), &g.backoffs
	switch {
	case g.lease.lost != nil:
		return g.lease.lost
	case g.admission.refusal != nil:
		return g.admission.refusal
	case g.ledger.uncertain != nil && now.Sub(g.ledger.wrote) < uncertainTime:
		return nil
	case g.ledger.hold.unaccounted > 0:
		return errUnaccounted
	case b.rejection.active(now):
		return b.rejection.cause
	case b.transient.active(now) && b.transient.failures >= persistentFailures:
		return b.transient.cause
	}
	if err := g.shortage.err(now); err != nil {
		return err
	}
	if b.start.active(now) || b.isProbing() && g.ledger.pending() > 0 {
		return errNotComingUp
	}
	return nil
}

// earlyEvictions counts the instances that the view before a listing had running, which
// came up lately, and which Azure has taken back by v.
func earlyEvictions(l listing, v *View, isDeleted func(id string) bool, now time.Time) (n int) {
	if !l.spot {
		return 0
	}
	for i := range l.base.Members {
		m := &l.base.Members[i]
		if m.State == Running && now.Sub(m.first) < earlyEviction && !isDeleted(m.MemberID) && isEvicted(v.Find(m.MemberID)) {
			n++
		}
	}
	return n
}

// isEvicted reports whether Azure has taken back what ran: an instance of eviction policy
// Delete just goes.
func isEvicted(m *Member) bool {
	return m == nil || m.State == Deleting || m.State == Dead && removalOf(m.Reason) == Evicted
}
