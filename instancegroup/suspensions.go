package instancegroup

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// suspensions owns what this process does to the power of instances: which it suspends
// and resumes, and what it has marked on Azure. What it knows is ahead of any list.
type suspensions struct {
	hibernate bool
	known     map[string]*suspension // by member ID
	batches   []*powerBatch
	marks     map[string]writtenMark // by member ID: what was written last
	backoff   backoff                // of what the plugin does by itself
}

func newSuspensions() suspensions {
	return suspensions{known: map[string]*suspension{}, marks: map[string]writtenMark{}, backoff: backoff{shortest: 15 * time.Second, longest: 5 * time.Minute}}
}

// phase is what this process last did to the power of an instance.
type phase int

const (
	untouched  phase = iota
	doubtful         // it was to be deallocated, and the response was lost
	suspending       // Azure has accepted its deallocation
	suspended        // it was seen deallocated after that
	resuming         // Azure has accepted its start
	resumed          // it was seen running after that
	lost             // it cannot be started again
)

// suspension is that of one instance.
type suspension struct {
	phase  phase
	since  time.Time
	by     *operation // nil: Azure named none
	reason string     // why it is lost
	marked *vmss.Mark // what this process wrote as its mark; nil: nothing
}

// powerBatch is an operation that deallocates or starts members.
type powerBatch struct {
	operation
	ids []string
}

type writtenMark struct {
	mark vmss.Mark
	at   time.Time
}

const (
	// outdated is how long a list may show what was so before the power of an instance
	// changed (azure-sdk-for-net#36946).
	outdated = 2 * time.Minute

	// powerLag is how long an instance may look untouched after Azure has accepted to
	// change its power, where no operation tells how that ended.
	powerLag = 3 * time.Minute
)

// of returns the suspension of a member, the zero value where there is none.
func (s *suspensions) of(id string) suspension {
	var of suspension
	if known := s.known[id]; known != nil {
		of = *known
	}
	if written, ok := s.marks[id]; ok {
		of.marked = &written.mark
	}
	return of
}

// begin notes what Azure has accepted.
func (s *suspensions) begin(ids []string, p phase, o vmss.Operation, now time.Time) {
	var by *operation
	if o != "" {
		b := &powerBatch{operation: operation{id: o, began: now}, ids: ids}
		s.batches, by = append(s.batches, b), &b.operation
	}
	for _, id := range ids {
		s.known[id] = &suspension{phase: p, since: now, by: by}
	}
}

// lose notes that a member cannot be started again.
func (s *suspensions) lose(id, reason string, now time.Time) {
	s.known[id] = &suspension{phase: lost, since: now, reason: reason}
}

func (s *suspensions) operations() []*operation {
	all := make([]*operation, 0, len(s.batches))
	for _, b := range s.batches {
		all = append(all, &b.operation)
	}
	return all
}

// finish drops an operation that has ended, and returns its members; nil where it is none
// of these. Each suspension keeps how it ended.
func (s *suspensions) finish(o *operation) []string {
	at := slices.IndexFunc(s.batches, func(b *powerBatch) bool { return &b.operation == o })
	if at < 0 {
		return nil
	}
	ids := s.batches[at].ids
	s.batches = slices.Delete(s.batches, at, at+1)
	return ids
}

// hasFailed reports whether what was begun has come to nothing, for an instance that was
// seen at a time to be as before.
func (s *suspension) hasFailed(seen time.Time) bool {
	switch {
	case s.by == nil:
		return seen.Sub(s.since) >= powerLag
	case s.by.ended.IsZero():
		return false
	case s.by.failure != nil:
		return seen.After(s.by.ended)
	}
	return seen.Sub(s.by.ended) >= powerLag
}

// cause is why it came to nothing.
func (s *suspension) cause() string {
	if s.by != nil && s.by.failure != nil {
		return s.by.failure.Error()
	}
	return "Azure does not say why"
}

// settle takes over what a view shows of the members.
func (s *suspensions) settle(v *View, now time.Time) {
	for id, known := range s.known {
		m := v.Find(id)
		switch {
		case m == nil:
		case m.State == Suspended && (known.phase == suspending || known.phase == doubtful):
			*known = suspension{phase: suspended, since: now}
		case m.State == Running && known.phase == resuming:
			*known = suspension{phase: resumed, since: now}
		case m.State == Running && known.phase != resumed, known.phase == resumed && now.Sub(known.since) >= outdated, m.Reason != "":
			if known.phase != doubtful || now.Sub(known.since) >= deletionLag {
				delete(s.known, id)
			}
		}
	}
}

// need is how much a list can tell of them.
func (s *suspensions) need(now time.Time, after time.Duration) need {
	n := quiet
	for _, known := range s.known {
		if known.phase != suspending && known.phase != resuming {
			continue
		}
		if n = max(n, underway); now.Sub(known.since) >= after {
			return due
		}
	}
	return n
}

// isChanging reports whether the power of a member is being changed.
func (s *suspensions) isChanging(id string) bool {
	p := s.of(id).phase
	return p == suspending || p == resuming
}

// forget drops members that are gone.
func (s *suspensions) forget(ids []string) {
	for _, id := range ids {
		delete(s.known, id)
		delete(s.marks, id)
	}
	s.batches = slices.DeleteFunc(s.batches, func(b *powerBatch) bool {
		return !slices.ContainsFunc(b.ids, func(id string) bool { return s.known[id] != nil })
	})
}

// noteMark notes what was written as the mark of a member.
func (s *suspensions) noteMark(id string, mark vmss.Mark, now time.Time) {
	s.marks[id] = writtenMark{mark, now}
}

// isMarked reports whether this process has marked a member as suspended.
func (s *suspensions) isMarked(id string) bool { return s.marks[id].mark == vmss.Suspended }

// adopt takes the marks of members that this process resumes for its own, so that they go
// once the members run.
func (s *suspensions) adopt(members []*Member, now time.Time) {
	for _, m := range members {
		if _, known := s.marks[m.MemberID]; !known && m.Mark == vmss.Suspended {
			s.noteMark(m.MemberID, m.Mark, now)
		}
	}
}

// markPatience is how long the mark of an instance that runs stays: the runner asks again
// within a minute to suspend what could not be.
const markPatience = 5 * time.Minute

// isSpent reports whether a member has a mark that no longer says anything. One that is a
// protection policy is removed only if this process has set or adopted it: somebody
// else may have protected the instance.
func (s *suspensions) isSpent(m *Member, now time.Time) bool {
	written, known := s.marks[m.MemberID]
	switch p := s.of(m.MemberID).phase; {
	case m.State != Running || m.Mark != vmss.Suspended, p != untouched && p != resumed:
		return false
	case !known:
		return !m.ByPolicy
	case written.mark == vmss.Unmarked:
		return false // the view is from before
	case p == resumed:
		return true
	}
	return now.Sub(written.at) >= markPatience
}

// isHalted reports whether a member was stopped on its way to be deallocated, and stays
// so: it costs as much as one that runs.
func (s *suspensions) isHalted(m *Member) bool {
	known := s.of(m.MemberID)
	if m.State != Suspending || isChanged(m.Instance) || m.IsOn() || powerOf(m.Instance) == "deallocated" {
		return false
	}
	return known.phase != suspending || known.hasFailed(m.seen)
}
