package instancegroup

import (
	"context"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

const (
	// refreshTimeout bounds a whole refresh; fleeting's loop has no deadline of
	// its own, and stands still meanwhile.
	refreshTimeout = 45 * time.Second

	// reserve is how many lists there have to be in Azure's limit for another
	// refresh, as deletions need some, unless the last view is older than
	// oldView. The runner asks every two seconds while something is under way,
	// and Azure answers ten pages a minute once its burst of thirty is used up.
	reserve = 2
	oldView = 30 * time.Second
)

// Refresh reads the group anew, as often as Azure's request limits allow: else
// the last view is the result. Concurrent callers share one reading. The result
// is complete, or there is an error and the last view still stands.
func (g *Group) Refresh(ctx context.Context) (*View, error) {
	if v := g.paced(); v != nil {
		return v, nil
	}
	v, err := g.share(ctx)
	if last := g.last(); last.reading > 0 && armerr.Is(err, armerr.Throttled) {
		g.serveStale(true, err)
		return last, nil
	}
	g.serveStale(false, err)
	return v, err
}

// Observe is Refresh for the runner's updates: before it reads the instances it
// asks what has become of the changes that are under way. It changes nothing the
// first time, which belongs to the start of the plugin.
func (g *Group) Observe(ctx context.Context) (*View, error) {
	if g.last().reading > 0 {
		g.claim(ctx)
		_ = g.stillMine(ctx, idleCheck) // it is logged; a change is refused
	}
	g.follow(ctx)
	return g.Refresh(ctx)
}

// paced is the last view, if Azure's limit on lists is almost used up.
func (g *Group) paced() *View {
	room, last := g.instances.ListsRemaining(), g.last()
	if last.reading == 0 || room >= reserve || room > 0 && g.now().Sub(last.At) >= oldView {
		return nil
	}
	return last
}

// serveStale logs the beginning and the end of a time in which Azure's limits
// leave nothing but the last view.
func (g *Group) serveStale(stale bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if stale && !g.stale {
		g.log.Warn("Azure's request limit is used up; the last complete view serves", "operation", "update", "error", err)
	}
	if g.stale && !stale && err == nil {
		g.log.Info("Azure answers again", "operation", "update")
	}
	g.stale = stale
}

func (g *Group) share(ctx context.Context) (*View, error) {
	return g.await(ctx, g.flight.DoChan("view", func() (any, error) { return g.read(ctx) }))
}

// reread makes a reading that begins now, whatever is left of the limits.
func (g *Group) reread(ctx context.Context) (*View, error) {
	g.flight.Forget("view")
	return g.share(ctx)
}
