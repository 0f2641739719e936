package instancegroup

import (
	"context"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Reap deletes the members of a view that the plugin has to delete by itself.
// What Azure refuses stays in the list and is tried again after the next view.
func (g *Group) Reap(ctx context.Context, v *View) error {
	v = v.whole()
	g.mu.Lock()
	dead, stuck := g.deletions.reapable(v, g.now()), g.deletions.stuck(v, g.now())
	b := &g.deletions.reaping
	g.mu.Unlock()
	if len(dead)+len(stuck) == 0 || g.deferDeletion(b) {
		return nil
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("remove dead instances of scale set %q", g.name))
	if err != nil {
		return err
	}
	defer leave()
	if err := g.checkLease(ctx, decreaseCheck); err != nil {
		return g.finishDeletion(b, 0, len(dead), err)
	}
	if len(dead) > 0 {
		var accepted int
		_, accepted, err = g.deleteAll(ctx, nil)
		err = g.finishDeletion(b, accepted, len(dead)-accepted, err)
	}
	g.retryDeletion(ctx, v, stuck)
	return err
}

// retryDeletion sends deletions again that do not end, separately from others:
// Azure may refuse them, and others must not suffer.
func (g *Group) retryDeletion(ctx context.Context, v *View, ids []string) {
	if len(ids) == 0 || g.client.Remaining(vmss.DeleteInstances) < 1 {
		return
	}
	var instanceIDs, stuck []string
	for _, id := range ids[:min(len(ids), confirmAtOnce)] {
		m := v.Find(id)
		if i, err := g.reach().Get(ctx, m.InstanceID); err == nil && identify(i) == id && i.Is("Deleting") {
			instanceIDs, stuck = append(instanceIDs, m.InstanceID), append(stuck, id)
		}
	}
	if len(stuck) == 0 {
		return
	}
	g.log.Warn("instances are stuck in their deletion; sending it again", "operation", "decrease", "count", len(stuck), "instances", stuck, "duration", stuckDeleting)
	_, operation, err := g.reach().Delete(ctx, instanceIDs)
	if err != nil {
		g.log.Info("the deletion was refused", "operation", "decrease", "instances", stuck, "error", err)
	}
	g.recordDeletions(stuck, operation) // even if refused: not again for a while
}

// recordDeletions keeps account of deletions that Azure has accepted.
func (g *Group) recordDeletions(ids []string, o vmss.Operation) {
	if len(ids) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var present []string
	for _, id := range ids {
		if !g.inventory.isGone(id) {
			present = append(present, id)
		}
	}
	for _, id := range g.deletions.record(present, o, g.now()) {
		m := g.inventory.last().Find(id)
		g.watch.removed(m)
		if m != nil && m.State != Deleting {
			g.ledger.departed(1)
		}
	}
	for _, id := range present {
		g.logReapedLocked(id)
	}
	g.log.Info("instances are being deleted", "operation", "decrease", "count", len(ids), "instances", ids)
}

// logReapedLocked logs why the plugin deletes what nobody asked for, and counts
// it.
func (g *Group) logReapedLocked(id string) {
	m := g.inventory.last().Find(id)
	if m == nil || m.Reason == "" {
		return
	}
	g.deletions.reaped++
	g.log.Warn("removing a dead instance", "instance", id, "operation", "reap", "reason", m.Reason, "total", g.deletions.reaped)
}
