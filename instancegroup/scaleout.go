package instancegroup

import (
	"context"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// raiseAttempts bounds how often a lost race for the capacity is run again.
const raiseAttempts = 4

// Increase raises the capacity by n, or by what the scale set's limit leaves
// room for, and returns by how many at acceptance. The write is relative to a
// fresh read and conditional on it: it never lowers the capacity. An error
// means that nothing was accepted.
func (g *Group) Increase(ctx context.Context, n int) (int, error) {
	if n <= 0 {
		return 0, nil
	}
	ctx, done, err := g.writing(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	for range raiseAttempts {
		var accepted int
		if accepted, err = g.raise(ctx, n); armerr.KindOf(err) != armerr.Precondition {
			return accepted, err
		}
	}
	return 0, fmt.Errorf("increase scale set %q by %d: somebody else changed it %d times in between; fix: let nothing else scale it: %w", g.set.Name, n, raiseAttempts, err)
}

// raise makes one attempt.
func (g *Group) raise(ctx context.Context, n int) (int, error) {
	set, err := g.cloud.ScaleSet(ctx)
	if err != nil {
		return 0, err
	}
	if !set.HasCapacity || set.ETag == "" {
		return 0, fmt.Errorf("increase scale set %q by %d: Azure's answer holds no capacity or no ETag, and a guess could delete instances; nothing was changed", g.set.Name, n)
	}
	room := g.MaxSize() - int(set.Capacity)
	if room <= 0 {
		return 0, fmt.Errorf("increase scale set %q by %d: its capacity of %d is all that Azure allows; fix: lower max_instances or use a further scale set", g.set.Name, n, set.Capacity)
	}
	n = min(n, room)
	target := set.Capacity + int64(n)
	if err := g.cloud.SetCapacity(ctx, target, set.ETag); err != nil && !g.took(ctx, set, target, err) {
		return 0, err
	}
	g.log.Info("scale set increased", "operation", "increase", "count", n, "capacity", target)
	return n, nil
}

// took says whether a write whose answer was lost took effect. The write was
// sent once and under If-Match, so a capacity that has arrived at the target
// with another ETag is ours: a foreign write would have had to move it there by
// itself. What is doubtful counts as not taken, and the runner asks again.
func (g *Group) took(ctx context.Context, before ScaleSet, target int64, cause error) bool {
	if !armerr.MayHaveTakenEffect(cause) {
		return false
	}
	after, err := g.cloud.ScaleSet(context.WithoutCancel(ctx))
	if err != nil || !after.HasCapacity || after.ETag == before.ETag {
		return false
	}
	g.log.Warn("answer to a capacity write was lost", "operation", "increase", "wanted", target, "capacity", after.Capacity, "error", cause)
	return after.Capacity == target
}
