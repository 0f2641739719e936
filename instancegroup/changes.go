package instancegroup

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// listing is the result of a reading, or of a page of it.
type listing struct {
	at        time.Time // when the reading began
	number    uint64    // its place among all that began
	seen      time.Time // no later than any of the instances was read
	heard     time.Time // the same by Azure Resource Graph, which is behind; zero: it was read
	base      *View     // the view that it was compared with
	instances []vmss.Instance
	confirmed confirmation // what was found out about members of base that it lacks
	spot      bool
	uniform   bool
}

// all are the instances of a listing, those that the list lacked included.
func (l *listing) all() []vmss.Instance {
	return slices.Concat(l.instances, l.confirmed.kept, l.confirmed.ours)
}

// changes are what a new view shows against the one before it.
type changes struct {
	gone     []string
	departed int             // left the capacity, other than by a deletion that was accepted before
	served   int             // serve for the first time
	boots    []time.Duration // how long those took that were seen being created
	settled  []settlement    // have come up, or no longer will
	failed   int             // died without ever having served
	reason   string          // of one of the failed
	evicted  int             // Spot instances that Azure took back soon after they came up
}

// observeChanges compares members with what they were in the last view: one that
// leaves lowers the capacity, and one that dies without ever having served is a failed
// start.
func observeChanges(members []Member, last *View, isDeleted func(id string) bool) (c changes) {
	for n := range members {
		m, before := &members[n], last.Find(members[n].MemberID)
		if before != nil && m.State == Deleting && counts(before, isDeleted) {
			c.departed++
		}
		if m.State != Creating && (before == nil || before.State == Creating) {
			c.settled = append(c.settled, settlement{m.State, m.seen.Sub(lastSeen(m, before, last))})
		}
		switch {
		case m.served && (before == nil || !before.served):
			c.served++
			if took, ok := bootTime(m, before); ok {
				c.boots = append(c.boots, took)
			}
		case m.State == Dead && !m.served && (before == nil || before.State != Dead):
			c.failed++
			c.reason = m.Reason
		}
	}
	return c
}

// settlement is of an instance that has left the state Creating, at most so long before
// it was seen to.
type settlement struct {
	state  State
	within time.Duration
}

// lastSeen is when a member was looked for before. A page of the same list is no look
// before it.
func lastSeen(m, before *Member, last *View) time.Time {
	if before == nil || before.reading == m.reading {
		return last.At
	}
	return before.seen
}

// bootTime is how long a member took from its creation until it served, as near as two
// readings tell it. It is false where that is not known.
func bootTime(m, before *Member) (time.Duration, bool) {
	if before == nil || m.created.IsZero() {
		return 0, false
	}
	return before.seen.Add(m.seen.Sub(before.seen) / 2).Sub(m.created), true
}

// departures counts the members of last that are in a view no longer.
func departures(v, last *View, isDeleted func(id string) bool) (n int) {
	for i := range last.Members {
		if before := &last.Members[i]; counts(before, isDeleted) && v.Find(before.MemberID) == nil {
			n++
		}
	}
	return n
}

// counts reports whether a member counts in the capacity: one that the plugin deletes
// left it when Azure accepted that.
func counts(m *Member, isDeleted func(id string) bool) bool {
	return m.State != Deleting && !isDeleted(m.MemberID)
}
