package instancegroup

import "time"

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
