package instancegroup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// removeAttempts bounds how often a batch is sent again that Azure refused
// because one of its instances had gone meanwhile.
const removeAttempts = 3

// Decrease deletes exactly the instances of these IDs and returns those that
// Azure accepted or that exist no more, even with an error beside them. Each is
// looked up in a fresh list first: a number that Azure gave to another instance
// since then is another instance. While Azure's request limits are used up, or
// after a refusal, IDs are left out without an error, and the runner asks again.
func (g *Group) Decrease(ctx context.Context, ids []string) ([]string, error) {
	done, ids := g.parted(ids)
	if len(ids) == 0 || g.keepsRemovals() {
		return done, nil
	}
	ctx, end, err := g.writing(ctx, fmt.Sprintf("decrease scale set %q by %d", g.set.Name, len(ids)))
	if err != nil {
		return done, err
	}
	defer end()
	more, err := g.removeAll(ctx, ids)
	return append(done, more...), g.removed(len(ids)-len(more), err)
}

// parted takes out the IDs whose deletion Azure has accepted before: seeing to
// it is the plugin's own affair from then on.
func (g *Group) parted(ids []string) (done, left []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		_, went := g.gone[id]
		if g.removing[id] != nil || went {
			done = append(done, id)
			continue
		}
		left = append(left, id)
	}
	return done, left
}

// keepsRemovals says whether deletions wait for now.
func (g *Group) keepsRemovals() bool {
	room := min(g.cloud.Room(DeleteBatch), g.cloud.Room(g.mode.listing()))
	g.mu.Lock()
	defer g.mu.Unlock()
	return room < 1 || g.removals.held(g.now())
}

// removed keeps account of how a deletion ended, and returns what the runner is
// to be told: one error in an episode.
func (g *Group) removed(left int, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.removals.release()
		return nil
	}
	first := g.removals.fail(g.now())
	if wait := armerr.RetryAfter(err); wait > 0 {
		g.removals.hold(g.now(), wait)
	}
	if isStranger(err) || first && !armerr.Is(err, armerr.Throttled, armerr.Conflict) {
		return err
	}
	g.log.Info("instances could not be deleted yet; trying again at growing intervals", "operation", "decrease", "count", left, "failures", g.removals.failures, "error", err)
	return nil
}

// removeAll deletes instances, and with them those that the plugin has to delete
// by itself: each call counts against Azure's limit.
func (g *Group) removeAll(ctx context.Context, ids []string) (done []string, err error) {
	if err := g.stillMine(ctx, removeCheck); err != nil {
		return nil, err
	}
	for attempt := range removeAttempts {
		if attempt > 0 && g.keepsRemovals() {
			break
		}
		if done, err = g.remove(ctx, ids, attempt); armerr.KindOf(err) != armerr.InstanceGone {
			return done, err
		}
	}
	return done, fmt.Errorf("decrease scale set %q by %d: %w", g.set.Name, len(ids), err)
}

// remove makes one attempt. On an error it still returns the IDs that need no
// deletion. After the first it does not rely on the list for what exists, and at
// the last one instance that Azure refuses does not harm the others.
func (g *Group) remove(ctx context.Context, ids []string, attempt int) ([]string, error) {
	v, err := g.reread(ctx)
	if err != nil {
		return nil, err
	}
	done, victims, doubt := g.victims(ctx, v, ids, attempt > 0)
	if len(victims) == 0 {
		return done, doubt
	}
	var instanceIDs, taken []string
	for _, m := range victims {
		instanceIDs = append(instanceIDs, m.InstanceID)
	}
	splits := g.splits(attempt)
	accepted, operations, err := g.send(ctx, instanceIDs, &splits)
	for _, m := range victims {
		if !slices.Contains(accepted, m.InstanceID) {
			continue
		}
		taken = append(taken, m.MemberID)
		if slices.Contains(ids, m.MemberID) {
			done = append(done, m.MemberID)
		}
	}
	g.accepted(taken, operations)
	return done, joined(err, doubt)
}

// victims parts IDs into those that need no deletion and the members to delete,
// to which it adds those that nobody asks for and that must go. With ask it does
// not rely on the view for what exists. There are no victims beside an error
// that would meet the deletion, too; other errors each cost the member that
// could not be told.
func (g *Group) victims(ctx context.Context, v *View, ids []string, ask bool) (done []string, victims []*Member, doubt error) {
	for _, id := range slices.Concat(ids, g.own(v)) {
		m := v.Find(id)
		gone := m == nil || m.State == Deleting && !g.isDue(m)
		if !gone && (ask || m.assumed) {
			var err error
			gone, err = g.isAnother(ctx, m)
			if lasting(err) {
				return done, nil, err
			}
			if err != nil {
				doubt = err
				continue
			}
		}
		switch {
		case gone:
			done = append(done, id)
		case !slices.Contains(victims, m):
			victims = append(victims, m)
		}
	}
	return done, victims, doubt
}

// maxSplits bounds how often a batch that Azure refuses is split in two to find
// the instance that is to blame.
const maxSplits = 6

// splits is how often a batch may be split: at the last attempt, or after some
// refusals one after the other.
func (g *Group) splits(attempt int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if attempt == removeAttempts-1 || g.removals.failures > 1 {
		return maxSplits
	}
	return 0
}

// send deletes a batch, and if Azure refuses it as a whole, its halves.
func (g *Group) send(ctx context.Context, ids []string, splits *int) ([]string, []Operation, error) {
	accepted, operation, err := g.mode.remove(ctx, ids)
	if err == nil || len(ids) == 1 || *splits == 0 || g.cloud.Room(DeleteBatch) < 2 || ofAll(err) {
		return accepted, []Operation{operation}, err
	}
	*splits--
	middle := len(ids) / 2
	first, operations, firstErr := g.send(ctx, ids[:middle], splits)
	second, others, secondErr := g.send(ctx, ids[middle:], splits)
	return append(first, second...), append(operations, others...), joined(firstErr, secondErr)
}

// ofAll says whether a refusal is none of a single instance.
func ofAll(err error) bool {
	return lasting(err) || armerr.Is(err, armerr.Conflict, armerr.NotFound, armerr.Deleting, armerr.Unauthenticated)
}

// lasting says whether an error would meet every other call, too.
func lasting(err error) bool {
	return armerr.Is(err, armerr.Network, armerr.Throttled, armerr.Transient, armerr.Canceled)
}

// isAnother asks Azure if the number of a member belongs to nobody or to
// somebody else by now. Where no vmId says so it is an error: what is not
// known for certain is not deleted (F17).
func (g *Group) isAnother(ctx context.Context, m *Member) (bool, error) {
	i, err := g.mode.get(ctx, m.InstanceID)
	switch {
	case armerr.Is(err, armerr.NotFound):
		return true, nil
	case err != nil:
		return false, err
	case m.stray() && identify(i) == "" && !strings.EqualFold(i.PowerState, "running"):
		return false, nil
	case identify(i) == "":
		return false, fmt.Errorf("delete instance %q of scale set %q: Azure tells no vmId, and its number may belong to another by now; nothing was changed; fix: none needed, it is tried again", m.MemberID, g.set.Name)
	}
	return identify(i) != m.MemberID, nil
}

// Bury deletes the members of a view that the plugin has to delete by itself.
// What Azure refuses stays in the list and is tried again after the next view.
func (g *Group) Bury(ctx context.Context, v *View) error {
	dead, stuck := g.own(v), g.stuck(v)
	if len(dead)+len(stuck) == 0 || g.keepsRemovals() {
		return nil
	}
	ctx, end, err := g.writing(ctx, fmt.Sprintf("remove dead instances of scale set %q", g.set.Name))
	if err != nil {
		return err
	}
	defer end()
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
	if len(ids) == 0 || g.cloud.Room(DeleteBatch) < 1 {
		return
	}
	var instanceIDs []string
	for _, id := range ids {
		instanceIDs = append(instanceIDs, v.Find(id).InstanceID)
	}
	g.log.Warn("instances hang in their deletion; sending it again", "operation", "decrease", "count", len(ids), "instances", ids, "duration", stuckDeleting)
	_, operation, err := g.mode.remove(ctx, instanceIDs)
	if err != nil {
		g.log.Info("the deletion was refused", "operation", "decrease", "instances", ids, "error", err)
	}
	g.accepted(ids, []Operation{operation}) // tried: not again for a while
}
