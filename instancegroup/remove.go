package instancegroup

import (
	"context"
	"fmt"
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// removeAttempts bounds how often a batch is sent again that Azure refused
// because one of its instances had gone meanwhile.
const removeAttempts = 3

// Decrease deletes exactly the instances of these IDs and returns those that
// Azure accepted or that exist no more, even with an error beside them. Each is
// looked up in a fresh list first: a number that Azure gave to another instance
// since then is another instance.
func (g *Group) Decrease(ctx context.Context, ids []string) ([]string, error) {
	ctx, end, err := g.writing(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var done []string
	for attempt := range removeAttempts {
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
	v, err := g.refreshAnew(ctx)
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
	splits := 0
	if attempt == removeAttempts-1 {
		splits = maxSplits
	}
	accepted, err := g.send(ctx, instanceIDs, &splits)
	for _, m := range victims {
		if slices.Contains(accepted, m.InstanceID) {
			taken = append(taken, m.MemberID)
		}
	}
	g.accepted(taken)
	if len(taken) > 0 {
		g.log.Info("instances are being deleted", "operation", "decrease", "count", len(taken), "instances", taken)
	}
	return append(done, taken...), joined(err, doubt)
}

// victims parts IDs into those that need no deletion and the members to delete.
// With ask it does not rely on the view for what exists. There are no victims
// beside an error that would meet the deletion, too; other errors each cost the
// member that could not be told.
func (g *Group) victims(ctx context.Context, v *View, ids []string, ask bool) (done []string, victims []*Member, doubt error) {
	for _, id := range ids {
		m := v.Find(id)
		gone := m == nil || m.State == Deleting || g.isRemoving(id)
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

// send deletes a batch, and if Azure refuses it as a whole, its halves.
func (g *Group) send(ctx context.Context, ids []string, splits *int) ([]string, error) {
	accepted, err := g.mode.remove(ctx, ids)
	if len(ids) == 1 || *splits == 0 || !armerr.Is(err, armerr.InstanceGone, armerr.Invalid) {
		return accepted, err
	}
	*splits--
	middle := len(ids) / 2
	first, firstErr := g.send(ctx, ids[:middle], splits)
	second, secondErr := g.send(ctx, ids[middle:], splits)
	return append(first, second...), joined(firstErr, secondErr)
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
	case identify(i) == "":
		return false, fmt.Errorf("delete instance %q of scale set %q: Azure tells no vmId, and its number may belong to another by now; nothing was changed; fix: none needed, it is tried again", m.MemberID, g.set.Name)
	}
	return identify(i) != m.MemberID, nil
}

func (g *Group) accepted(ids []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		g.removing[id] = g.now()
	}
}

// Bury deletes the dead members of a view. The runner is told that they are
// gone, so nobody but the plugin would ever delete them. What Azure refuses
// stays in the list and is tried again after the next Refresh.
func (g *Group) Bury(ctx context.Context, v *View) error {
	var ids []string
	for _, m := range v.Members {
		if m.State == Dead && !g.isRemoving(m.MemberID) {
			g.log.Warn("removing a dead instance", "instance", m.MemberID, "reason", m.Reason)
			ids = append(ids, m.MemberID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := g.Decrease(ctx, ids)
	return err
}

// Check reads an instance anew and returns an error if no job can run on it:
// it exists no more, failed, was evicted, or lost its power. Trouble with
// Azure's API says nothing of the instance, and is no error here.
func (g *Group) Check(ctx context.Context, id string) error {
	m := g.last().Find(id)
	if m == nil {
		v, err := g.Refresh(ctx)
		if err != nil {
			g.log.Warn("instance could not be checked", "instance", id, "error", err)
			return nil
		}
		if m = v.Find(id); m == nil {
			return fmt.Errorf("check instance %q: it exists no more", id)
		}
	}
	state, reason, err := g.probe(ctx, m)
	if err != nil {
		g.log.Warn("instance could not be checked", "instance", id, "error", err)
		return nil
	}
	if state == Dead || state == Deleting {
		return fmt.Errorf("check instance %q: %s", id, reason)
	}
	return nil
}

// probe asks Azure for one instance. What exists no more counts as Dead. An
// error is one of asking.
func (g *Group) probe(ctx context.Context, m *Member) (State, string, error) {
	now, err := g.mode.get(ctx, m.InstanceID)
	switch {
	case armerr.Is(err, armerr.NotFound):
		return Dead, "it exists no more", nil
	case err != nil:
		return 0, "", err
	case now.VMID != "" && identify(now) != m.MemberID:
		return Dead, "it exists no more, its number belongs to another instance", nil
	}
	now.Spot = g.set.spot()
	state, reason := classify(now, m, true)
	switch {
	case state == Deleting:
		reason = "it is being deleted"
	case reason == "":
		reason = "it is " + state.String()
	}
	return state, reason, nil
}
