package instancegroup

import (
	"context"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Bury deletes the members of a view that the plugin has to delete by itself.
// What Azure refuses stays in the list and is tried again after the next view.
func (g *Group) Bury(ctx context.Context, v *View) error {
	dead, stuck := g.own(v), g.stuck(v)
	if len(dead)+len(stuck) == 0 || g.keepsRemovals(nil) {
		return nil
	}
	ctx, end, err := g.writing(ctx, fmt.Sprintf("remove dead instances of scale set %q", g.set.Name))
	if err != nil {
		return err
	}
	defer end()
	if err := g.stillMine(ctx, removeCheck); err != nil {
		return g.removed(len(dead), err)
	}
	if len(dead) > 0 {
		_, err = g.removeAll(ctx, nil)
		err = g.removed(0, err)
	}
	g.nudge(ctx, v, stuck)
	return err
}

// nudge sends the deletion of instances again that hang in theirs, by itself:
// Azure may refuse it, and others must not suffer.
func (g *Group) nudge(ctx context.Context, v *View, ids []string) {
	if len(ids) == 0 || g.client.Remaining(vmss.DeleteInstances) < 1 {
		return
	}
	var instanceIDs, stuck []string
	for _, id := range ids[:min(len(ids), askAtOnce)] {
		m := v.Find(id)
		if i, err := g.instances.Get(ctx, m.InstanceID); err == nil && identify(i) == id && i.Is("Deleting") {
			instanceIDs, stuck = append(instanceIDs, m.InstanceID), append(stuck, id)
		}
	}
	if len(stuck) == 0 {
		return
	}
	g.log.Warn("instances hang in their deletion; sending it again", "operation", "decrease", "count", len(stuck), "instances", stuck, "duration", stuckDeleting)
	_, operation, err := g.instances.Delete(ctx, instanceIDs)
	if err != nil {
		g.log.Info("the deletion was refused", "operation", "decrease", "instances", stuck, "error", err)
	}
	g.accepted(stuck, []vmss.Operation{operation}) // tried: not again for a while
}
