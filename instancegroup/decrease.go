package instancegroup

import (
	"context"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Decrease deletes exactly the instances of these IDs and returns those that
// Azure accepted or that no longer exist, even alongside an error. Each of them
// is read first, or many are looked up in a fresh list: a number that was given
// to another instance since then is another instance. While Azure's request
// limits are used up, or after a refusal, IDs are left out without an error, and
// the runner asks again.
func (g *Group) Decrease(ctx context.Context, ids []string) ([]string, error) {
	done, ids := g.withoutDeleted(ids)
	b := &g.deletions.backoff
	if len(ids) == 0 || g.deferDeletion(b) {
		return done, nil
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("decrease scale set %q by %d", g.name, len(ids)))
	if err != nil {
		return done, err
	}
	defer leave()
	if err := g.checkLease(ctx, decreaseCheck); err != nil {
		return done, g.finishDeletion(b, 0, len(ids), err)
	}
	more, accepted, err := g.deleteAll(ctx, ids)
	return append(done, more...), g.finishDeletion(b, accepted, len(ids)-len(more), err)
}

// withoutDeleted takes out the IDs whose deletion Azure has accepted before:
// seeing to it is the plugin's own affair from then on.
func (g *Group) withoutDeleted(ids []string) (done, left []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		if g.deletions.has(id) || g.inventory.isGone(id) {
			done = append(done, id)
			continue
		}
		left = append(left, id)
	}
	return done, left
}

// gatherScarce and gatherPlenty are how long deletions gather where a list is long, so
// that one call serves them all: where pages are scarce, each call costs a read of the
// scale set as well, of which Azure allows 12 a minute; where they are plenty, each costs
// what could have been a page. It is short against the time that a deletion takes. The
// runner's scaler counts an instance twice for as long.
const (
	gatherScarce = 5 * time.Second
	gatherPlenty = 12 * time.Second
)

// gathering is how long deletions gather.
func gathering(r vmss.ListRoom) time.Duration {
	switch {
	case isShort(r):
		return 0
	case r.PerMinute > steadyPages:
		return gatherPlenty
	}
	return gatherScarce
}

// deferDeletion reports whether deletions wait for now.
func (g *Group) deferDeletion(b *backoff) bool {
	remaining, wait := g.client.Remaining(vmss.DeleteInstances), gathering(g.listRoom())
	g.mu.Lock()
	defer g.mu.Unlock()
	return remaining < 1 || b.active(g.now()) || g.now().Sub(g.deletions.sent) < wait
}

// finishDeletion keeps account of how a deletion ended, and returns what the
// runner is to be told: one error in an episode. Where Azure accepted anything,
// there is no reason to wait.
func (g *Group) finishDeletion(b *backoff, accepted, left int, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := b.failures == 0
	switch {
	case err == nil:
		b.reset()
		return nil
	case accepted > 0 && !armerr.IsSystemic(err):
		b.reset()
	default:
		b.fail(g.now(), err)
	}
	if isLeaseLost(err) || first && !armerr.Is(err, armerr.Throttled, armerr.Conflict) {
		return err
	}
	g.log.Info("instances could not be deleted yet; trying again at growing intervals", "operation", "decrease", "count", left, "failures", b.failures, "error", err)
	return nil
}

// deleteAttempts bounds how often a batch is sent again that Azure refused
// because one of its instances had gone meanwhile.
const deleteAttempts = 3

// deleteAll deletes instances, and along with them those that the plugin has to
// delete by itself: each call counts against Azure's limit. It returns the IDs
// that need no deletion any longer, and how many deletions Azure accepted.
func (g *Group) deleteAll(ctx context.Context, ids []string) (done []string, accepted int, err error) {
	for attempt := range deleteAttempts {
		if attempt > 0 && g.client.Remaining(vmss.DeleteInstances) < 1 {
			break
		}
		a := deleteAttempt{Group: g, ids: ids, attempt: attempt}
		done, err = a.run(ctx)
		if accepted += len(a.taken); armerr.KindOf(err) != armerr.InstanceGone {
			return done, accepted, err
		}
	}
	return done, accepted, fmt.Errorf("decrease scale set %q by %d: %w", g.name, len(ids), err)
}
