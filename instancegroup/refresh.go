package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

const (
	// refreshTimeout bounds a whole reading, which may have many pages, each with
	// a deadline of its own.
	refreshTimeout = 5 * time.Minute

	// patience is how long anybody waits for a reading, which goes on meanwhile:
	// fleeting's loop has no deadline of its own, and blocks. Nothing serves
	// instead of the first one, for which the runner waits a minute.
	patience      = 40 * time.Second
	firstPatience = 55 * time.Second

	// listReserve is how many lists there have to be in Azure's limit for
	// another refresh, as deletions need some, unless the last view is older
	// than oldView. The runner asks every two seconds while something is under
	// way, and Azure serves ten pages a minute once its burst of thirty is used
	// up.
	listReserve = 2
	oldView     = 30 * time.Second
)

// errSlow is the cause where a reading takes longer than anybody waits.
var errSlow = errors.New("Azure lists the instances slowly, and goes on; the result serves as soon as it is complete")

// Refresh reads the group anew, as often as Azure's request limits allow: else, and
// while a reading takes long, the last view is the result. Concurrent callers share
// one reading. The result is complete, or there is an error and the last view still
// stands.
func (g *Group) Refresh(ctx context.Context) (*View, error) {
	if !g.mayList() {
		return g.last(), nil
	}
	v, err := g.share(ctx)
	if last := g.last(); last.reading > 0 && (armerr.Is(err, armerr.Throttled) || errors.Is(err, errSlow)) {
		g.serveStale(true, err)
		return last, nil
	}
	g.serveStale(false, err)
	return v, err
}

// Observe is Refresh for the runner's updates: before it reads the instances it
// polls the operations that are under way. It changes nothing the first time,
// which belongs to the start of the plugin.
func (g *Group) Observe(ctx context.Context) (*View, error) {
	if g.last().reading > 0 {
		g.acquireLease(ctx)
		_ = g.checkLease(ctx, idleCheck) // it is logged; a change is refused
	}
	operationPoll{g}.run(ctx)
	v, err := g.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	if g.isForeign(v) {
		_ = g.checkLease(ctx, 0)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v = g.lease.visible(v)
	g.inventory.observe(v)
	return v, nil
}

// isForeign reports whether a view has more new instances than are pending: then
// somebody else makes some.
func (g *Group) isForeign(v *View) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inventory.observed != nil && g.inventory.countNew(v) > g.ledger.pending()
}

// mayList is false while Azure's limit on lists is almost used up, and the last
// view has to serve.
func (g *Group) mayList() bool {
	remaining, last := g.reach().ListsRemaining(), g.last()
	return last.reading == 0 || remaining >= listReserve || remaining > 0 && g.now().Sub(last.At) >= oldView
}

// serveStale logs the beginning and the end of a time in which Azure's limits
// leave nothing but the last view.
func (g *Group) serveStale(stale bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.inventory.stale
	if stale && !was {
		g.log.Warn("the last complete view serves", "operation", "update", "error", err)
	}
	if was && !stale && err == nil {
		g.log.Info("a new view serves again", "operation", "update")
	}
	g.inventory.stale = stale
}

// last is the latest view, an empty one before the first.
func (g *Group) last() *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inventory.last()
}

func (g *Group) share(ctx context.Context) (*View, error) {
	return g.await(ctx, g.flight.DoChan("view", func() (any, error) { return newReading(g).run(ctx) }))
}

// forceRefresh makes a reading that begins now, whatever is left of the limits.
func (g *Group) forceRefresh(ctx context.Context) (*View, error) {
	g.flight.Forget("view")
	return g.share(ctx)
}

// await waits for a shared reading with patience, as long as the caller's own context
// lasts.
func (g *Group) await(ctx context.Context, result <-chan singleflight.Result) (*View, error) {
	limit := patience
	if g.last().reading == 0 {
		limit = firstPatience
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read scale set %q: %w", g.name, context.Cause(ctx))
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*View), nil
	}
}
