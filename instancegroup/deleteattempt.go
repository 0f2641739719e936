package instancegroup

import (
	"context"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// freshView is how old a view may be for the plugin's own deletions: they
	// follow an update, and another list would find Azure's limit used up by it.
	freshView = 5 * time.Second

	// maxSplits bounds how often a batch that Azure refuses is split in two to
	// find the instance that is to blame.
	maxSplits = 6
)

// deleteAttempt deletes a batch. After the first attempt it relies neither on
// single reads nor on the list alone for what exists, and at the last one
// instance that Azure refuses does not harm the others.
type deleteAttempt struct {
	*Group
	ids     []string // that the runner asked for
	attempt int

	view      *View    // in which the instances are looked up
	own       []string // to delete although nobody asked
	verifyAll bool     // whether each of them is read
	splits    int      // that are left
}

// run returns the IDs that need no deletion any longer, even with an error.
func (a *deleteAttempt) run(ctx context.Context) ([]string, error) {
	if err := a.prepare(ctx); err != nil {
		return nil, err
	}
	done, selected, skipped := a.selectForDeletion(ctx)
	if len(selected) == 0 {
		return done, skipped
	}
	var instanceIDs, taken []string
	for _, m := range selected {
		instanceIDs = append(instanceIDs, m.InstanceID)
	}
	accepted, operations, err := a.send(ctx, instanceIDs)
	for _, m := range selected {
		if !slices.Contains(accepted, m.InstanceID) {
			continue
		}
		taken = append(taken, m.MemberID)
		if slices.Contains(a.ids, m.MemberID) {
			done = append(done, m.MemberID)
		}
	}
	a.recordDeletions(taken, operations)
	return done, armerr.Join(err, skipped)
}

// prepare chooses the view, those to delete that nobody asks for, and whether
// each is read. The runner's few are read, with as many of the others; of the
// others alone, an update has just shown the state.
func (a *deleteAttempt) prepare(ctx context.Context) (err error) {
	a.splits = a.splitsAllowed()
	a.view = a.last()
	a.own = a.reapable(a.view)
	switch {
	case a.attempt == 0 && len(a.ids) == 0 && a.now().Sub(a.view.At) < freshView:
		return nil
	case a.attempt == 0 && a.canVerifyEach(a.ids):
		a.own, a.verifyAll = a.own[:min(len(a.own), confirmAtOnce-len(a.ids))], true
		return nil
	}
	if a.view, err = a.forceRefresh(ctx); err != nil {
		return err
	}
	a.own, a.verifyAll = a.reapable(a.view), a.attempt > 0
	return nil
}

func (a *deleteAttempt) reapable(v *View) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.deletions.reapable(v, a.now())
}

func (a *deleteAttempt) mustRetry(m *Member) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.deletions.mustRetry(m, a.now())
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
		gone := m == nil || m.State == Deleting && !a.mustRetry(m)
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
		case gone:
		case !slices.Contains(selected, m):
			selected = append(selected, m)
		}
	}
	return done, selected, skipped
}

// splitsAllowed is how often the batch may be split: at the last attempt, or
// after some refusals one after the other.
func (a *deleteAttempt) splitsAllowed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.attempt == deleteAttempts-1 || a.deletions.backoff.failures > 1 {
		return maxSplits
	}
	return 0
}

// send deletes a batch, and if Azure refuses it as a whole, its halves.
func (a *deleteAttempt) send(ctx context.Context, ids []string) ([]string, []vmss.Operation, error) {
	accepted, operation, err := a.instances.Delete(ctx, ids)
	if err == nil || len(ids) == 1 || a.splits == 0 || a.client.Remaining(vmss.DeleteInstances) < 2 || meetsAll(err) {
		return accepted, []vmss.Operation{operation}, err
	}
	a.splits--
	middle := len(ids) / 2
	first, operations, firstErr := a.send(ctx, ids[:middle])
	second, others, secondErr := a.send(ctx, ids[middle:])
	return append(first, second...), append(operations, others...), armerr.Join(firstErr, secondErr)
}

// meetsAll reports whether a refusal is not about a single instance.
func meetsAll(err error) bool {
	return armerr.IsSystemic(err) || armerr.Is(err, armerr.Conflict, armerr.NotFound, armerr.Deleting, armerr.Unauthenticated)
}
