package azure

import (
	"fmt"
	"os"
	"sync"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
)

// reporter reports instances to fleeting, and remembers what it reported.
// fleeting takes an ID that it does not know for a new instance, in whatever
// state: one that was reported deleted must not be named again.
type reporter struct {
	mu       sync.Mutex
	reported map[string]provider.State
	lost     int // instances that were never created
}

// report calls fn for what a view holds, and returns the instances that fleeting did not
// know before.
func (r *reporter) report(v *instancegroup.View, fn func(string, provider.State)) (discovered []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reported := make(map[string]provider.State, len(v.Members))
	for _, m := range v.Members {
		reported[m.MemberID] = r.reportMember(m, fn)
	}
	for _, id := range v.Gone {
		reported[id] = r.reportDeath(id, fn)
	}
	for id := range reported {
		if _, before := r.reported[id]; !before {
			discovered = append(discovered, id)
		}
	}
	r.reported = reported
	return discovered
}

// reportNeverCreated reports n instances that Azure accepted and never created:
// they appear and are gone. fleeting matches its requests with instances that it
// discovers and with nothing else, in whatever order (provisioner.go, reconcile).
func (r *reporter) reportNeverCreated(n int, fn func(string, provider.State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range n {
		r.lost++
		r.reportDeath(fmt.Sprintf("never-created-%d-%d", os.Getpid(), r.lost), fn)
	}
}

func (r *reporter) reportMember(m instancegroup.Member, fn func(string, provider.State)) provider.State {
	state := fleetingState(m.State)
	if before := r.reported[m.MemberID]; before == provider.StateDeleted && (state == before || state == provider.StateDeleting) {
		return before // else it has come back, and is another one to fleeting
	}
	if state == provider.StateDeleted {
		return r.reportDeath(m.MemberID, fn)
	}
	fn(m.MemberID, state)
	return state
}

// reportDeath reports once that an instance is deleted. If it died before fleeting
// ever heard of it, it is introduced first: fleeting matches requests by
// discovered instances alone, and unheard of, the request would stay pending for
// ever.
func (r *reporter) reportDeath(id string, fn func(string, provider.State)) provider.State {
	before, known := r.reported[id]
	if !known {
		fn(id, provider.StateCreating)
	}
	if before != provider.StateDeleted {
		fn(id, provider.StateDeleted)
	}
	return provider.StateDeleted
}

func fleetingState(s instancegroup.State) provider.State {
	switch s {
	case instancegroup.Running:
		return provider.StateRunning
	case instancegroup.Deleting:
		return provider.StateDeleting
	case instancegroup.Dead:
		return provider.StateDeleted
	case instancegroup.Suspending:
		return provider.StateSuspending
	case instancegroup.Suspended:
		return provider.StateSuspended
	case instancegroup.Resuming:
		return provider.StateResuming
	}
	return provider.StateCreating
}
