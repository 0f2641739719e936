package instancegroup

// observeChanges compares a view with the one before it: an instance that leaves
// lowers the capacity (for one that we delete, that was counted at acceptance),
// and one that dies without ever having served is a failed start.
func observeChanges(v, last *View, isDeleted func(id string) bool) changes {
	c := changes{departed: departures(v, last, isDeleted)}
	for n := range v.Members {
		m, before := &v.Members[n], last.Find(v.Members[n].MemberID)
		switch {
		case m.served && (before == nil || !before.served):
			c.served++
		case m.State == Dead && !m.served && (before == nil || before.State != Dead):
			c.failed++
			c.reason = m.Reason
		}
	}
	return c
}

// departures counts the members of last that no longer count in the capacity.
func departures(v, last *View, isDeleted func(id string) bool) (n int) {
	for i := range last.Members {
		before := &last.Members[i]
		if before.State == Deleting || isDeleted(before.MemberID) {
			continue
		}
		if m := v.Find(before.MemberID); m == nil || m.State == Deleting {
			n++
		}
	}
	return n
}
