package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// raiseAttempts bounds how often a lost race for the capacity is run again.
const raiseAttempts = 4

// errLater says that this is no time to write, and that nothing is wrong.
var errLater = errors.New("not now")

// Increase raises the capacity by n, or by what limits and quota leave room
// for, and returns by how many at acceptance. The write is relative to a fresh
// read and conditional on it: it never lowers the capacity. While Azure's
// request limits are used up, or after a refusal, it returns zero without an
// error: the runner keeps its demand and comes back with the sum. An error means
// that nothing was accepted; there is one in an episode of refusals.
func (g *Group) Increase(ctx context.Context, n int) (int, error) {
	if n <= 0 {
		return 0, nil
	}
	if wait, news := g.notNow(); wait {
		return 0, news
	}
	ctx, done, err := g.writing(ctx, fmt.Sprintf("increase scale set %q by %d", g.set.Name, n))
	if err != nil {
		return 0, err
	}
	defer done()
	accepted, err := g.raiseOrLess(ctx, n)
	return accepted, g.raised(n, accepted, err)
}

// notNow says whether to leave the demand with the runner for now. What went
// wrong since the last call is told along with that, once: the runner shows
// nothing else of the plugin to everybody.
func (g *Group) notNow() (bool, error) {
	room := g.writeRoom()
	g.mu.Lock()
	defer g.mu.Unlock()
	if news := g.news; news != nil {
		g.news = nil
		return true, news
	}
	now := g.now()
	return room < 1 || g.refusals.held(now) || g.troubles.held(now) || g.births.held(now), nil
}

// writeRoom is how many writes Azure would take now, each with the read that it
// is relative to.
func (g *Group) writeRoom() int {
	return min(g.client.Remaining(vmss.WriteScaleSet), g.client.Remaining(vmss.ReadScaleSet))
}

// raiseOrLess raises by n, or where a quota is in the way by what it leaves.
func (g *Group) raiseOrLess(ctx context.Context, n int) (int, error) {
	accepted, err := g.race(ctx, n)
	quota, ok := armerr.HeadroomOf(err)
	if !ok || quota.Fits(n) == 0 {
		return accepted, err
	}
	accepted, again := g.race(ctx, quota.Fits(n))
	if again != nil {
		return 0, again
	}
	return accepted, err
}

// race tries until nobody else writes in between.
func (g *Group) race(ctx context.Context, n int) (int, error) {
	for range raiseAttempts {
		accepted, err := g.raise(ctx, n)
		if !armerr.Is(err, armerr.Precondition) {
			return accepted, err
		}
		if g.writeRoom() < 1 {
			return 0, errLater
		}
	}
	return 0, fmt.Errorf("increase scale set %q by %d: somebody else changed it %d times in between; nothing was changed; fix: let nothing else scale it", g.set.Name, n, raiseAttempts)
}

// raised keeps account of how an increase ended, and returns what the runner is
// to be told of it.
func (g *Group) raised(n, accepted int, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil || errors.Is(err, errLater) {
		if failures := g.refusals.release() + g.troubles.release(); err == nil && failures > 0 {
			g.log.Info("Azure accepts again", "operation", "increase", "count", accepted, "failures", failures)
		}
		return nil
	}
	b := &g.refusals
	if passing(err) {
		b = &g.troubles
	}
	first := b.fail(g.now(), err)
	switch {
	case isStranger(err):
		return err // each time: nobody but the operator can mend it
	case !first:
		g.log.Debug("Azure goes on refusing", "operation", "increase", "count", n, "failures", b.failures, "error", err)
		return nil
	case accepted > 0:
		g.news = err
	case !armerr.Is(err, armerr.Throttled, armerr.Conflict):
		return err
	}
	g.log.Warn("scale set could not be increased; trying again at growing intervals", "operation", "increase", "count", n-accepted, "error", err)
	return nil
}

// passing says whether an error is likely to pass within a minute.
func passing(err error) bool {
	return lasting(err) || armerr.Is(err, armerr.Conflict, armerr.Preempted, armerr.Precondition)
}

// raise makes one attempt.
func (g *Group) raise(ctx context.Context, n int) (int, error) {
	set, err := g.client.ScaleSet(ctx)
	if err != nil {
		return 0, err
	}
	if !set.HasCapacity || set.ETag == "" {
		return 0, fmt.Errorf("increase scale set %q by %d: Azure's answer holds no capacity or no ETag, and a guess could delete instances; nothing was changed", g.set.Name, n)
	}
	if err := g.refuseStranger(set); err != nil {
		return 0, err
	}
	if accepted := g.settleDoubt(set, n); accepted > 0 {
		return accepted, nil
	}
	if g.lags(ctx, set) {
		g.log.Debug("Azure's answer is older than the last change; waiting for a newer one", "operation", "increase", "capacity", set.Capacity)
		return 0, errLater
	}
	more, err := g.seats(ctx, set, &n)
	if err != nil {
		return 0, err
	}
	return g.writeCapacity(ctx, set, n, more)
}

// seats is by how much the capacity is to rise for n more instances, less where
// it is above their number already: an allocation that failed leaves such seats,
// and a scale set in Uniform orchestration fills them along with new ones. It
// lowers n to what Azure's limit on the size leaves.
func (g *Group) seats(ctx context.Context, set vmss.ScaleSet, n *int) (int64, error) {
	room := g.set.MaxSize() - int(set.Capacity)
	if room <= 0 {
		return 0, fmt.Errorf("increase scale set %q by %d: its capacity of %d is all that Azure allows; fix: lower max_instances or use a further scale set; if it has fewer instances than that, set sku.capacity to their number while nothing is under way",
			g.set.Name, *n, set.Capacity)
	}
	vacant := g.vacant(set)
	if vacant > 0 && g.instances.ListsRemaining() > 0 { // be sure
		if _, err := g.reread(ctx); err != nil {
			return 0, err
		}
		vacant = g.vacant(set)
	}
	more := max(1, *n-vacant)
	if more > room {
		*n -= more - room
		more = room
	}
	return int64(more), nil
}

// writeCapacity sends the new capacity, for n instances.
func (g *Group) writeCapacity(ctx context.Context, set vmss.ScaleSet, n int, more int64) (int, error) {
	target := set.Capacity + more
	at := g.now()
	operation, err := g.client.SetCapacity(ctx, target, set.ETag)
	if err != nil && !g.took(ctx, doubt{set.ETag, target, n}, err) {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doubt = nil
	g.owe(n, target, operation, at)
	return n, nil
}

// owe notes an accepted increase; the lock must be held.
func (g *Group) owe(n int, target int64, o vmss.Operation, at time.Time) {
	g.owed += n
	g.goal = goal{target, at}
	g.pursuits = append(g.pursuits, &pursuit{operation: o, count: n, began: at})
	g.log.Info("scale set increased", "operation", "increase", "count", n, "capacity", target)
}

// doubt is a write of which nobody knows whether Azure carried it out.
type doubt struct {
	etag   string // before it
	target int64
	count  int
}

// carriedOut says whether a scale set shows that the write took effect. It was
// sent once and under If-Match, so a capacity that has arrived at the target
// with another ETag is ours: a foreign write would have had to move it there by
// itself.
func (d doubt) carriedOut(set vmss.ScaleSet) bool {
	return set.HasCapacity && set.ETag != d.etag && set.Capacity == d.target
}

// took says whether a write whose answer was lost took effect. If that cannot be
// read now, the next increase begins with it.
func (g *Group) took(ctx context.Context, d doubt, cause error) bool {
	if !armerr.MayHaveTakenEffect(cause) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	after, err := g.client.ScaleSet(ctx)
	if err != nil || !after.HasCapacity || after.ETag == d.etag { // the write may still be on its way
		g.mu.Lock()
		defer g.mu.Unlock()
		g.doubt = &d
		return false
	}
	g.log.Warn("answer to a capacity write was lost", "operation", "increase", "wanted", d.target, "capacity", after.Capacity, "error", cause)
	return d.carriedOut(after)
}

// settleDoubt counts a write as accepted after all, up to n.
func (g *Group) settleDoubt(set vmss.ScaleSet, n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.doubt
	if d == nil || set.ETag == d.etag { // the next write has the same condition: only one can succeed
		return 0
	}
	g.doubt = nil
	if !d.carriedOut(set) || d.count <= 0 {
		return 0
	}
	n = min(n, d.count)
	g.owe(n, d.target, "", g.now())
	return n
}

// goal is the capacity of the last accepted write, less what has gone since.
type goal struct {
	capacity int64
	at       time.Time
}

// lagLimit is how long an answer that shows less than the goal counts as old
// news. It was seconds where it was seen (kubernetes/autoscaler#3510, #4685).
const lagLimit = time.Minute

// lags says whether a scale set shows less than what Azure accepted lately, and
// no instance that has gone explains it. Its ETag does not tell: nothing says
// that capacity and ETag come from the same moment.
func (g *Group) lags(ctx context.Context, set vmss.ScaleSet) bool {
	if !g.below(set) {
		return false
	}
	if g.instances.ListsRemaining() > 0 {
		_, _ = g.reread(ctx) // without it the doubt stands
	}
	return g.below(set)
}

func (g *Group) below(set vmss.ScaleSet) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return set.Capacity < g.goal.capacity && g.now().Sub(g.goal.at) < lagLimit
}

// vacant is how many seats of the capacity nobody has or is about to take. A
// Flexible set goes by its capacity alone (dataplat/dbatools#10540).
func (g *Group) vacant(set vmss.ScaleSet) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.set.Mode == vmss.Flexible || g.view == nil || g.owed > 0 || g.raising() || set.IsUpdating() {
		return 0
	}
	return max(0, int(set.Capacity)-g.view.seats())
}
