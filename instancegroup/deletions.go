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

	// disbelief is how long after the end of its deletion an instance may be listed.
	disbelief = 2 * time.Minute

	// followedFirst is how long the operation of a deletion has to tell that an instance
	// is gone before Azure is asked for that one.
	followedFirst = 2 * time.Minute
)

// deletions owns the deletions that Azure accepted, and those that it refuses.
// The runner takes accepted ones for done, so the plugin sees to them until the
// instances are gone.
type deletions struct {
	accepted map[string]*deletion // by member ID
	believed map[string]*deletion // by member ID: taken for gone, which the last list has yet to bear out
	refused  map[string]*backoff  // by member ID: instances that Azure refuses to delete
	batches  []*deletionBatch
	backoff  backoff   // of what the runner asked for
	reaping  backoff   // of what the plugin deletes by itself
	reaped   int       // dead instances that were deleted, ever
	sent     time.Time // when Azure accepted the last one

	asked   map[string]time.Time // by member ID: since when its deletion waits for a page
	waiting bool                 // some deletion does, or for room to read its instance
}

func newDeletions() deletions {
	b := backoff{shortest: 5 * time.Second, longest: 2 * time.Minute}
	return deletions{accepted: map[string]*deletion{}, believed: map[string]*deletion{}, refused: map[string]*backoff{}, asked: map[string]time.Time{}, backoff: b, reaping: b}
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
	first     time.Time  // acceptance
	sent      time.Time  // latest acceptance
	ended     time.Time  // when the operation was seen to have succeeded, or the instance to be gone; zero: neither
	retry     bool       // the operation has failed
	preempted bool       // by a later one
	absent    uint64     // the reading whose list lacked the instance first
	by        *operation // the latest; nil: Azure named none
}

// deletionBatch is the operation that deletes members.
type deletionBatch struct {
	operation
	ids      []string
	hastened bool
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
	d.sent = now
	var by *operation
	if o != "" {
		later := now.Add(pollInterval) // no deletion ends sooner
		b := &deletionBatch{operation: operation{id: o, began: now, polled: later}, ids: ids}
		d.batches, by = append(d.batches, b), &b.operation
	}
	for _, id := range ids {
		first := now
		if before := d.accepted[id]; before != nil {
			first = before.first
		} else {
			added = append(added, id)
		}
		d.accepted[id] = &deletion{first: first, sent: now, by: by}
		delete(d.refused, id)
		delete(d.asked, id)
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

// finish drops an operation that has ended, and returns the members that it deleted, if
// it says so itself. If it failed, the deletions that were not sent again since are to
// be retried.
func (d *deletions) finish(o *operation) (deleted []string, unfinished int) {
	at := slices.IndexFunc(d.batches, func(b *deletionBatch) bool { return &b.operation == o })
	if at < 0 {
		return nil, 0
	}
	ids := d.batches[at].ids
	d.batches = slices.Delete(d.batches, at, at+1)
	for _, id := range ids {
		a := d.accepted[id]
		switch {
		case a == nil || a.by != o:
		case o.failure == nil && o.id != "":
			a.ended = o.ended
			deleted = append(deleted, id)
		case o.failure == nil: // that is what the scale set's state says, which proves nothing
		default:
			a.retry, a.preempted = true, armerr.Is(o.failure, armerr.Preempted)
			unfinished++
		}
	}
	return deleted, unfinished
}

// askedAt is since when the deletion of a member waits for a page.
func (d *deletions) askedAt(id string, now time.Time) time.Time {
	if _, ok := d.asked[id]; !ok {
		d.asked[id] = now
	}
	return d.asked[id]
}

// need is how much a list can tell of the deletions.
func (d *deletions) need(now time.Time) need {
	n := quiet
	if d.waiting {
		return due
	}
	for _, a := range d.accepted {
		if n = underway; a.absent != 0 {
			return due
		}
	}
	return n
}

// absence is what it means that a list lacks a member.
type absence int

const (
	absenceUnexplained absence = iota
	absenceExpected            // it is being deleted, and may be gone
	absenceProven              // it is gone
)

// isFollowed reports whether the operation is about to tell how the deletion ends.
func (a *deletion) isFollowed(now time.Time) bool {
	return a.by != nil && a.by.id != "" && a.by.ended.IsZero() && now.Sub(a.sent) < followedFirst
}

// absent is told that the list of a reading lacks a member. A second such list proves
// the absence only where nothing else is affordable: Azure may have given the deletion
// up in favour of another one, and an identity that may not read instances gets an
// empty list each time.
func (d *deletions) absent(id string, reading uint64, listsProve bool, now time.Time) absence {
	a := d.accepted[id]
	switch {
	case a == nil || a.retry:
		return absenceUnexplained
	case !a.ended.IsZero():
		return absenceProven
	case a.absent == 0 || a.absent == reading:
		a.absent = reading
		return absenceExpected
	case listsProve:
		return absenceProven
	case a.isFollowed(now):
		return absenceExpected
	}
	return absenceUnexplained
}

// hasten has the operations polled that a list shows to be about to end: it lacks all
// that they delete.
func (d *deletions) hasten() {
	for _, b := range d.batches {
		isListed := func(id string) bool { a := d.accepted[id]; return a != nil && a.absent == 0 }
		if !b.hastened && !slices.ContainsFunc(b.ids, isListed) {
			b.polled, b.hastened = b.began, true
		}
	}
}

// forget drops members that are gone, and the operations that deleted nothing else.
func (d *deletions) forget(ids []string) {
	if len(ids) == 0 {
		return
	}
	for _, id := range ids {
		delete(d.accepted, id)
		delete(d.refused, id)
		delete(d.asked, id)
	}
	d.batches = slices.DeleteFunc(d.batches, func(b *deletionBatch) bool {
		return !slices.ContainsFunc(b.ids, d.has)
	})
}

// believe drops members that are gone, until a list contradicts about those whose
// deletion Azure accepted: the operation has ended, or two lists lacked them.
func (d *deletions) believe(ids []string, now time.Time) {
	for _, id := range ids {
		if a := d.accepted[id]; a != nil {
			if a.ended.IsZero() {
				a.ended = now
			}
			d.believed[id] = a
		}
	}
	d.forget(ids)
}

// contradicted are the members that were believed to be gone, and that a whole list
// shows alive: Azure had the same deletion twice, say, and a later one undid the first
// (kubernetes/autoscaler#9505). They are to be deleted again.
func (d *deletions) contradicted(l listing) (alive []string) {
	if len(d.believed) == 0 {
		return nil
	}
	listed := map[string]vmss.Instance{}
	for _, i := range l.instances {
		listed[identify(i)] = i
	}
	for id, a := range d.believed {
		i, ok := listed[id]
		switch age := l.at.Sub(a.ended); {
		case !ok && age > 0:
			delete(d.believed, id)
		case ok && age >= disbelief && !i.Is("Deleting"):
			delete(d.believed, id)
			d.accepted[id] = &deletion{first: a.first, sent: a.sent, retry: true}
			alive = append(alive, id)
		}
	}
	return alive
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
