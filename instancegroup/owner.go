package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// ownerTag is the tag by which the managers of a scale set see each other. Its
// value names the process that manages the scale set now.
const ownerTag = "fleeting-plugin-azure"

// lookTimeout bounds a look at the scale set by the way: for the tag, or after a
// lost answer. It must not hold an update or a change up for long.
const lookTimeout = 10 * time.Second

// claim marks the scale set as managed by this process, once. Each manager takes
// all instances for its own and deletes those it does not need: two of them
// would be at war (jenkinsci/azure-vm-agents-plugin#634). The one that comes
// later has the scale set; the other one finds the tag changed. Nothing depends
// on it: where the tag cannot be written, work goes on.
func (g *Group) claim(ctx context.Context) {
	if !g.claimable() {
		return
	}
	ctx, done, err := g.writing(ctx, fmt.Sprintf("tag scale set %q", g.set.Name))
	if err != nil {
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err = g.tag(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.claimed, g.looked = true, g.now()
	case g.claims.fail(g.now(), nil) && !armerr.Is(err, armerr.Precondition):
		g.log.Warn("scale set could not be tagged; a second manager of it would not be seen", "operation", "claim", "tag", ownerTag, "error", err)
	}
}

const (
	// removeCheck and idleCheck are how old the last look at the tag may be for
	// a deletion, and while nothing is written. An increase always looks.
	removeCheck = time.Minute
	idleCheck   = 5 * time.Minute
)

// stillMine looks at the tag, if the last look is older than that. Trouble with
// looking stops nothing.
func (g *Group) stillMine(ctx context.Context, old time.Duration) error {
	room := g.client.Remaining(vmss.ReadScaleSet)
	g.mu.Lock()
	known, rest := g.stranger, !g.claimed || room < 2 || g.now().Sub(g.looked) < old
	if !rest {
		g.looked = g.now()
	}
	g.mu.Unlock()
	switch {
	case rest && known != nil:
		return known
	case rest:
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	set, err := g.client.ScaleSet(ctx)
	if err != nil {
		return nil //nolint:nilerr // it says nothing of the tag
	}
	return g.refuseStranger(set)
}

func (g *Group) claimable() bool {
	room := g.writeRoom()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owner != "" && !g.claimed && !g.claims.held(g.now()) && room > 1 // demand goes first
}

// tag writes the tag beside those that are there. Its condition is the ETag, so
// that none is lost.
func (g *Group) tag(ctx context.Context) error {
	set, err := g.client.ScaleSet(ctx)
	if err != nil {
		return err
	}
	if set.ETag == "" {
		return fmt.Errorf("tag scale set %q: Azure's answer holds no ETag; nothing was changed", g.set.Name)
	}
	before := set.Tags[ownerTag]
	if before == g.owner {
		return nil
	}
	tags := maps.Clone(set.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[ownerTag] = g.owner
	if err := g.client.SetTags(ctx, tags, set.ETag); err != nil {
		return err
	}
	if before != "" {
		g.log.Info("taking the scale set over", "operation", "claim", "tag", ownerTag, "before", before, "now", g.owner)
	}
	return nil
}

// stranger is the error of a manager that has lost its scale set.
type stranger struct{ text string }

func (s *stranger) Error() string { return s.text }

func isStranger(err error) bool {
	_, is := errors.AsType[*stranger](err)
	return is
}

// refuseStranger is an error if another manager has taken the scale set over. A
// tag that is gone says nothing: tools that keep a model remove tags that are
// not theirs.
func (g *Group) refuseStranger(set vmss.ScaleSet) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.looked = g.now()
	other := set.Tags[ownerTag]
	if !g.claimed || other == "" || other == g.owner {
		g.stranger = nil
		return nil
	}
	known := g.stranger != nil
	g.stranger = &stranger{fmt.Sprintf("change scale set %q: another manager has taken it over: its tag %s says %q, and this one is %q; nothing was changed; fix: give each runner a scale set of its own, end the process that is not wanted, and restart this runner if it is to have the scale set",
		g.set.Name, ownerTag, other, g.owner)}
	if !known {
		g.log.Error("this plugin has lost its scale set and changes nothing any more", "operation", "claim", "tag", ownerTag, "error", g.stranger)
	}
	return g.stranger
}
