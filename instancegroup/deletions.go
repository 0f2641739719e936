package instancegroup

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// A deletion is sent again if the instance does not even begin to go for
	// deletionLag after Azure has accepted it, or does not end for
	// stuckDeleting.
	deletionLag   = 10 * time.Minute
	stuckDeleting = 30 * time.Minute
)

// deletions owns the deletions that Azure accepted, and those that it refuses.
// The runner takes accepted ones for done, so the plugin sees to them until the
// instances are gone.
type deletions struct {
	accepted map[string]*deletion // by member ID
	refused  map[string]*backoff  // by member ID: instances that Azure refuses to delete
	batches  []*deletionBatch
	backoff  backoff // of what the runner asked for
	reaping  backoff // of what the plugin deletes by itself
	reaped   int     // dead instances that were deleted, ever
}

func newDeletions() deletions {
	b := backoff{shortest: 5 * time.Second, longest: 2 * time.Minute}
	return deletions{accepted: map[string]*deletion{}, refused: map[string]*backoff{}, backoff: b, reaping: b}
}

// refuse notes that Azure refuses to delete this very instance.
func (d *deletions) refuse(id string, now time.Time, err error) (first bool) {
	if d.refused[id] == nil {
		d.refused[id] = &backoff{shortest: 30 * time.Second, longest: 5 * time.Minute}
	}
	return d.refused[id].fail(now, err)
}

// isRefused reports whether an instance that Azure refused to delete has to wait.
func (d *deletions) isRefused(id string, now time.Time) bool {
	b := d.refused[id]
	return b != nil && b.active(now)
}

// isSuspect reports whether Azure has refused to delete the instance: it must not
// get into a batch with others, which would be refused along with it.
func (d *deletions) isSuspect(id string) bool { return d.refused[id] != nil }

// isTroubled reports whether deletions have failed lately: then the runner's are
// sent without others.
func (d *deletions) isTroubled() bool { return d.backoff.failures > 0 || d.reaping.failures > 0 }

// deletion is the accepted deletion of one instance.
type deletion struct {
	first     time.Time // acceptance
	sent      time.Time // latest acceptance
	retry     bool      // the operation has failed
	preempted bool      // by a later one
}

// deletionBatch is the operation that deletes members.
type deletionBatch struct {
	operation
	ids []string
}

func (d *deletions) has(id string) bool { return d.accepted[id] != nil }

// mustRetry reports whether the deletion of a member has to be sent again. One that a
// later deletion preempted waits for that to end: sent at once they would preempt
// each other in turn (F15).
func (d *deletions) mustRetry(m *Member, now time.Time) bool {
	a := d.accepted[m.MemberID]
	if a == nil || m.Is("Deleting") {
		return false
	}
	waits := a.preempted && len(d.batches) > 0
	return a.retry && !waits || now.Sub(a.sent) >= deletionLag
}

// record stores what Azure accepted, and returns the members whose deletion is
// new.
func (d *deletions) record(ids []string, o vmss.Operation, now time.Time) (added []string) {
	for _, id := range ids {
		first := now
		if before := d.accepted[id]; before != nil {
			first = before.first
		} else {
			added = append(added, id)
		}
		d.accepted[id] = &deletion{first: first, sent: now}
		delete(d.refused, id)
	}
	if o != "" {
		d.batches = append(d.batches, &deletionBatch{operation: operation{id: o, began: now}, ids: ids})
	}
	return added
}

func (d *deletions) operations() []*operation {
	all := make([]*operation, 0, len(d.batches))
	for _, b := range d.batches {
		all = append(all, &b.operation)
	}
	return all
}

// finish drops an operation that has ended. If it failed, the deletions that
// were not sent again since are to be retried, and their number is the result.
func (d *deletions) finish(o *operation) (unfinished int) {
	at := slices.IndexFunc(d.batches, func(b *deletionBatch) bool { return &b.operation == o })
	if at < 0 {
		return 0
	}
	ids := d.batches[at].ids
	d.batches = slices.Delete(d.batches, at, at+1)
	if o.failure == nil {
		return 0
	}
	for _, id := range ids {
		if a := d.accepted[id]; a != nil && !a.sent.After(o.began) {
			a.retry, a.preempted = true, armerr.Is(o.failure, armerr.Preempted)
			unfinished++
		}
	}
	return unfinished
}

// forget drops members that are gone.
func (d *deletions) forget(ids []string) {
	for _, id := range ids {
		delete(d.accepted, id)
		delete(d.refused, id)
	}
}

// reapable are the members that the plugin deletes although nobody asks: the
// dead, which are gone to the runner, and those whose deletion
// has failed.
func (d *deletions) reapable(v *View, now time.Time) []string {
	var ids []string
	for n := range v.Members {
		m := &v.Members[n]
		if m.isUnidentified() && m.IsOn() {
			continue // it has come up after all, and may have a job
		}
		if d.isRefused(m.MemberID, now) {
			continue
		}
		if !d.has(m.MemberID) && m.State == Dead || d.mustRetry(m, now) {
			ids = append(ids, m.MemberID)
		}
	}
	return ids
}

// stuck are the members whose deletion does not end, whoever began it: after a
// restart nobody knows.
func (d *deletions) stuck(v *View, now time.Time) []string {
	var ids []string
	for n := range v.Members {
		m := &v.Members[n]
		since := m.deleting
		if a := d.accepted[m.MemberID]; a != nil && a.sent.After(since) {
			since = a.sent
		}
		if !m.deleting.IsZero() && now.Sub(since) >= stuckDeleting {
			ids = append(ids, m.MemberID)
		}
	}
	return ids
}
