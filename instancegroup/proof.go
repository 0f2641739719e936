package instancegroup

import (
	"context"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// proofAge is how long ago a page may have shown an instance that is deleted by it.
	proofAge = 10 * time.Second

	// proofPatience is how long a deletion waits for a page before its instance is read.
	proofPatience = 10 * time.Second
)

// planProofs decides how it is made sure that the number of an instance has not been
// given to another (F17). A few are read singly. Of many, and where a list is long, a
// page proves it that was read just now and after the last write of the plugin's: a
// number is given to another when that is created, which takes a write of the capacity
// after the first has gone. The name of an instance of a Flexible scale set is never
// given to another. The other deletions wait for their page, unless no list is to be
// had: deletions never wait for one.
func (a *deleteAttempt) planProofs(ctx context.Context) {
	room, reads := a.listRoom(), a.reach().ReadsRemaining()
	a.proven = a.unwrittenSince(ctx, room)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reads, a.waits = map[string]bool{}, map[string]bool{}
	unproven := a.unprovenLocked(room)
	if a.goesByPages(room) && a.attempt == 0 && a.expectsPagesLocked(room) {
		unproven = a.deferLocked(unproven)
	}
	for n, id := range unproven {
		if n < min(reads, confirmAtOnce) {
			a.reads[id] = true
			continue
		}
		a.waits[id] = true
	}
	a.deletions.waiting = len(a.waits) > 0
}

// goesByPages is false where instances are read singly.
func (a *deleteAttempt) goesByPages(room vmss.ListRoom) bool {
	return !isShort(room) || len(a.ids)+len(a.own) > confirmAtOnce
}

// unprovenLocked are the IDs of members to delete of which nothing proves yet that they
// are still the same, first those that the runner asks for.
func (a *deleteAttempt) unprovenLocked(room vmss.ListRoom) (unproven []string) {
	seen := map[string]bool{}
	for _, ids := range [][]string{a.ids, a.own} {
		for _, id := range ids {
			if m := a.view.Find(id); m != nil && !seen[id] && !a.isProvenLocked(m, room) {
				unproven = append(unproven, id)
			}
			seen[id] = true
		}
	}
	return unproven
}

func (a *deleteAttempt) isProvenLocked(m *Member, room vmss.ListRoom) bool {
	switch {
	case a.attempt > 0 || m.assumed || !a.goesByPages(room):
		return false
	case a.admission.set.Mode == vmss.Flexible:
		return true
	}
	if !a.proven.IsZero() && !m.seen.Before(a.proven) {
		return true
	}
	return a.ledger.uncertain == nil && m.seen.After(a.ledger.wrote) && a.now().Sub(m.seen) <= proofAge
}

// unwrittenSince is the time of the last list if the scale set has not been written since:
// then no instance was created, and no number can have been given to another. Each write
// of the capacity moves the ETag, whoever makes it; instances are also created by repairs
// and by the restoring of evicted ones, and a scale set that has those on is refused. The
// zero Time where that is not so, or not known.
func (a *deleteAttempt) unwrittenSince(ctx context.Context, room vmss.ListRoom) time.Time {
	a.mu.Lock()
	etag, at, sound := a.index.etag, a.index.listed, len(a.ledger.increases) == 0 && a.ledger.uncertain == nil
	a.mu.Unlock()
	if etag == "" || !sound || !a.goesByPages(room) || a.attempt > 0 || a.client.Remaining(vmss.ReadScaleSet) < 2 {
		return time.Time{}
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	set, err := a.readScaleSet(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || a.admission.refusal != nil || set.ETag != etag {
		a.index.etag = ""
		return time.Time{}
	}
	return at
}

// expectsPagesLocked reports whether pages are being read, or may be.
func (a *deleteAttempt) expectsPagesLocked(room vmss.ListRoom) bool {
	if a.current != nil {
		return a.current.resumes.Sub(a.now()) < proofPatience
	}
	if a.index.serves(room) {
		return room.Pages > 0 || a.now().Sub(a.index.lastRead()) < proofPatience
	}
	return room.Pages >= pagesNeeded(due, room)
}

// deferLocked has the IDs wait for their page that have not waited for long.
func (a *deleteAttempt) deferLocked(unproven []string) (left []string) {
	now := a.now()
	for _, id := range unproven {
		if now.Sub(a.deletions.askedAt(id, now)) < proofPatience {
			a.waits[id] = true
			continue
		}
		left = append(left, id)
	}
	return left
}
