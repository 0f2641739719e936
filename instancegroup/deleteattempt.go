package instancegroup

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// maxSplits bounds how often a batch that Azure refuses is split in two to
	// find the instance that is to blame.
	maxSplits = 6

	// suspectsAtOnce bounds how many instances that Azure has refused to delete
	// before are tried again, each by itself, in one attempt.
	suspectsAtOnce = 2
)

// deleteAttempt deletes instances. After the first attempt each is read before, and at
// the last one instance that Azure refuses does not harm the others.
type deleteAttempt struct {
	*Group
	ids     []string // that the runner asked for
	attempt int

	view   *View           // in which the instances are looked up
	own    []string        // to delete although nobody asked
	reads  map[string]bool // that are read before
	waits  map[string]bool // that wait for a list, or for room to be read
	proven time.Time       // what was seen since then is still the same
	splits int             // that are left
	taken  []*Member       // whose deletion Azure accepted
}

// run returns the IDs that need no deletion any longer, even with an error.
func (a *deleteAttempt) run(ctx context.Context) ([]string, error) {
	if err := a.prepare(ctx); err != nil {
		return nil, err
	}
	done, selected, skipped := a.selectForDeletion(ctx)
	batch, suspects := a.withoutSuspects(selected)
	var err error
	if len(batch) > 0 {
		err = a.send(ctx, batch)
	}
	if !meetsAll(err) {
		a.sendSuspects(ctx, suspects)
	}
	for _, m := range a.taken {
		if slices.Contains(a.ids, m.MemberID) {
			done = append(done, m.MemberID)
		}
	}
	return done, armerr.Join(err, skipped)
}

// prepare chooses the view, those to delete that nobody asks for, and how it is made
// sure that a number still belongs to the same instance.
func (a *deleteAttempt) prepare(ctx context.Context) error {
	a.splits = a.splitsAllowed()
	a.view = a.last()
	a.own = a.reapable(a.view)
	if room := a.listRoom(); a.view.reading == 0 || a.goesByPages(room) && isShort(room) && room.Lists() > 0 {
		if _, err := a.forceRefresh(ctx); err != nil && (a.view.reading == 0 || !isListTrouble(err)) {
			return err
		}
		a.view = a.last()
		a.own = a.reapable(a.view)
	}
	a.planProofs(ctx)
	return nil
}

// isListTrouble reports whether an error is about lists alone: deletions go on without.
func isListTrouble(err error) bool {
	return errors.Is(err, errSlow) || armerr.Is(err, armerr.Throttled)
}

// reapable are the members of a view to delete although nobody asks; none along
// with the runner's while deletions fail.
func (a *deleteAttempt) reapable(v *View) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ids) > 0 && a.deletions.isTroubled() {
		return nil
	}
	return a.deletions.reapable(v, a.now())
}

// selectForDeletion divides the IDs into those that need no deletion and the
// members to delete, to which own is added. None are selected alongside an error
// that would meet the deletion, too; other errors each cost the member that
// could not be verified.
func (a *deleteAttempt) selectForDeletion(ctx context.Context) (done []string, selected []*Member, skipped error) {
	all := slices.Concat(a.ids, a.own)
	verified := a.verify(ctx, all)
	for _, id := range all {
		m := a.view.Find(id)
		gone, waits := a.disposition(m)
		waits = waits || a.waits[id]
		if v, ok := verified[id]; ok && !gone {
			if armerr.IsSystemic(v.err) {
				return done, nil, v.err
			}
			if v.err != nil {
				skipped = v.err
				continue
			}
			gone = v.gone
		}
		switch {
		case gone && slices.Contains(a.ids, id):
			done = append(done, id)
		case gone, waits:
		case !slices.Contains(selected, m):
			selected = append(selected, m)
		}
	}
	return done, selected, skipped
}

// disposition reports whether a member needs no deletion, and whether it has to wait
// for one, as Azure has refused it.
func (a *deleteAttempt) disposition(m *Member) (gone, waits bool) {
	if m == nil {
		return true, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return m.State == Deleting && !a.deletions.mustRetry(m, a.now()), a.deletions.isRefused(m.MemberID, a.now())
}

// withoutSuspects takes out the members that Azure has refused to delete before.
func (a *deleteAttempt) withoutSuspects(selected []*Member) (batch, suspects []*Member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range selected {
		if a.deletions.isSuspect(m.MemberID) {
			suspects = append(suspects, m)
			continue
		}
		batch = append(batch, m)
	}
	return batch, suspects
}

// sendSuspects deletes members each by itself. Their errors are logged.
func (a *deleteAttempt) sendSuspects(ctx context.Context, suspects []*Member) {
	for _, m := range suspects[:min(len(suspects), suspectsAtOnce)] {
		if a.client.Remaining(vmss.DeleteInstances) < 2 {
			return
		}
		_ = a.send(ctx, []*Member{m})
	}
}

// splitsAllowed is how often the batch may be split: at the last attempt, or
// after a refusal.
func (a *deleteAttempt) splitsAllowed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.attempt == deleteAttempts-1 || a.deletions.isTroubled() {
		return maxSplits
	}
	return 0
}

// send deletes a batch, and if Azure refuses it as a whole, its halves. What is
// refused by itself is kept out of further batches.
func (a *deleteAttempt) send(ctx context.Context, batch []*Member) error {
	accepted, operation, err := a.reach().Delete(ctx, instanceIDs(batch))
	a.take(batch, accepted, operation)
	switch {
	case err == nil || meetsAll(err):
		return err
	case len(batch) == 1:
		a.noteRefused(batch[0], err)
		return err
	case a.splits == 0 || a.client.Remaining(vmss.DeleteInstances) < 2:
		return err
	}
	a.splits--
	middle := len(batch) / 2
	return armerr.Join(a.send(ctx, batch[:middle]), a.send(ctx, batch[middle:]))
}

func instanceIDs(members []*Member) []string {
	ids := make([]string, 0, len(members))
	for _, m := range members {
		ids = append(ids, m.InstanceID)
	}
	return ids
}

// take records what Azure accepted of a batch.
func (a *deleteAttempt) take(batch []*Member, accepted []string, operation vmss.Operation) {
	var ids []string
	for _, m := range batch {
		if slices.Contains(accepted, m.InstanceID) {
			a.taken = append(a.taken, m)
			ids = append(ids, m.MemberID)
		}
	}
	a.recordDeletions(ids, operation)
}

// noteRefused keeps a member out of further batches. Where Azure says that it
// does not exist, the next attempt looks again first.
func (a *deleteAttempt) noteRefused(m *Member, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if armerr.Is(err, armerr.InstanceGone) && a.attempt < deleteAttempts-1 && !a.deletions.isSuspect(m.MemberID) {
		return
	}
	if a.deletions.refuse(m.MemberID, a.now(), err) {
		a.log.Warn("Azure refuses to delete an instance; it is tried by itself at growing intervals", "operation", "decrease", "instance", m.MemberID, "error", err)
	}
}

// meetsAll reports whether a refusal is not about a single instance. A lock on
// the scale set or above it, or a missing role, meets all; Azure names the scope.
func meetsAll(err error) bool {
	return armerr.IsSystemic(err) || armerr.Is(err, armerr.Conflict, armerr.NotFound, armerr.GroupNotFound, armerr.SubscriptionNotFound, armerr.Deleting, armerr.Unauthenticated, armerr.Linked, armerr.APIVersion) ||
		armerr.Is(err, armerr.Forbidden) && !namesInstance.MatchString(err.Error())
}

// namesInstance finds the resource ID of an instance in either mode.
var namesInstance = regexp.MustCompile(`(?i)/virtualMachines/[^/\s'"]`)
