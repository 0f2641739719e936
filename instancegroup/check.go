package instancegroup

import (
	"context"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

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
	now, err := g.instances.Get(ctx, m.InstanceID)
	switch {
	case armerr.Is(err, armerr.NotFound):
		return Dead, "it exists no more", nil
	case err != nil:
		return 0, "", err
	case now.VMID != "" && identify(now) != m.MemberID:
		return Dead, "it exists no more, its number belongs to another instance", nil
	}
	state, reason := classify(now, m, true, g.set.IsSpot())
	switch {
	case state == Deleting:
		reason = "it is being deleted"
	case reason == "":
		reason = "it is " + state.String()
	}
	return state, reason, nil
}
