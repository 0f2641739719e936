package instancegroup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// removeAttempts bounds how often a batch is sent again that Azure refused
// because one of its instances had gone meanwhile.
const removeAttempts = 3

// Decrease deletes exactly the instances of these IDs and returns those that
// Azure accepted or that exist no more, even with an error beside them. Azure is
// asked for each of them first, or many are looked up in a fresh list: a number
// that was given to another instance since then is another instance. While
// Azure's request limits are used up, or after a refusal, IDs are left out
// without an error, and the runner asks again.
func (g *Group) Decrease(ctx context.Context, ids []string) ([]string, error) {
	done, ids := g.parted(ids)
	if len(ids) == 0 || g.keepsRemovals(ids) {
		return done, nil
	}
	ctx, end, err := g.writing(ctx, fmt.Sprintf("decrease scale set %q by %d", g.set.Name, len(ids)))
	if err != nil {
		return done, err
	}
	defer end()
	if err := g.stillMine(ctx, removeCheck); err != nil {
		return done, g.removed(len(ids), err)
	}
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
func (g *Group) keepsRemovals(ids []string) bool {
	room := g.client.Remaining(vmss.DeleteInstances)
	if !g.askable(ids) {
		room = min(room, g.instances.ListsRemaining())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return room < 1 || g.removals.held(g.now())
}

// askable says whether Azure can be asked for each of these instances, which
// spares the list for the updates: a few that the last view shows.
func (g *Group) askable(ids []string) bool {
	v := g.last()
	return v.reading > 0 && len(ids) <= askAtOnce && !slices.ContainsFunc(ids, func(id string) bool { return v.Find(id) == nil })
}

// freshView is how old a view may be for the plugin's own deletions: they follow
// an update, and another list would find Azure's limit used up by it.
const freshView = 5 * time.Second

// removed keeps account of how a deletion ended, and returns what the runner is
// to be told: one error in an episode.
func (g *Group) removed(left int, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.removals.release()
		return nil
	}
	first := g.removals.fail(g.now(), err)
	if isStranger(err) || first && !armerr.Is(err, armerr.Throttled, armerr.Conflict) {
		return err
	}
	g.log.Info("instances could not be deleted yet; trying again at growing intervals", "operation", "decrease", "count", left, "failures", g.removals.failures, "error", err)
	return nil
}

// removeAll deletes instances, and with them those that the plugin has to delete
// by itself: each call counts against Azure's limit.
func (g *Group) removeAll(ctx context.Context, ids []string) (done []string, err error) {
	for attempt := range removeAttempts {
		if attempt > 0 && (g.keepsRemovals(ids) || g.instances.ListsRemaining() < 1) {
			break
		}
		if done, err = g.remove(ctx, ids, attempt); armerr.KindOf(err) != armerr.InstanceGone {
			return done, err
		}
	}
	return done, fmt.Errorf("decrease scale set %q by %d: %w", g.set.Name, len(ids), err)
}

// remove makes one attempt. On an error it still returns the IDs that need no
// deletion. After the first it relies neither on asking nor on the list alone for
// what exists, and at the last one instance that Azure refuses does not harm the
// others.
func (g *Group) remove(ctx context.Context, ids []string, attempt int) ([]string, error) {
	v, own, ask, err := g.candidates(ctx, ids, attempt)
	if err != nil {
		return nil, err
	}
	done, victims, doubt := g.victims(ctx, v, ids, own, ask)
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

// candidates is the view in which to look instances up, those to delete that
// nobody asks for, and whether Azure is to be asked for each. The runner's few
// are asked for, with as many of the others; of the others alone, an update has
// just shown the state.
func (g *Group) candidates(ctx context.Context, ids []string, attempt int) (v *View, own []string, ask bool, err error) {
	v = g.last()
	own = g.own(v)
	switch {
	case attempt == 0 && len(ids) == 0 && g.now().Sub(v.At) < freshView:
		return v, own, false, nil
	case attempt == 0 && g.askable(ids):
		return v, own[:min(len(own), askAtOnce-len(ids))], true, nil
	}
	if v, err = g.reread(ctx); err != nil {
		return nil, nil, false, err
	}
	return v, g.own(v), attempt > 0, nil
}

// victims parts IDs into those that need no deletion and the members to delete,
// to which own is added. With ask it does not rely on the view for what exists.
// There are no victims beside an error that would meet the deletion, too; other
// errors each cost the member that could not be told.
func (g *Group) victims(ctx context.Context, v *View, ids, own []string, ask bool) (done []string, victims []*Member, doubt error) {
	all := slices.Concat(ids, own)
	answers := g.askFor(ctx, v, all, ask)
	for _, id := range all {
		m := v.Find(id)
		gone := m == nil || m.State == Deleting && !g.isDue(m)
		if answer, asked := answers[id]; asked && !gone {
			if lasting(answer.err) {
				return done, nil, answer.err
			}
			if answer.err != nil {
				doubt = answer.err
				continue
			}
			gone = answer.gone
		}
		switch {
		case gone && slices.Contains(ids, id):
			done = append(done, id)
		case gone:
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
func (g *Group) send(ctx context.Context, ids []string, splits *int) ([]string, []vmss.Operation, error) {
	accepted, operation, err := g.instances.Delete(ctx, ids)
	if err == nil || len(ids) == 1 || *splits == 0 || g.client.Remaining(vmss.DeleteInstances) < 2 || ofAll(err) {
		return accepted, []vmss.Operation{operation}, err
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
