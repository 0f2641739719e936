package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// refreshTimeout bounds a whole reading, which may have many pages, each with
	// a deadline of its own.
	refreshTimeout = 10 * time.Minute

	// patience is how long anybody waits for a reading, which goes on meanwhile:
	// fleeting's loop has no deadline of its own, blocks, and neither increases nor
	// decreases in that time. Nothing serves instead of the first one, for which the
	// runner waits a minute.
	// It is longer than the SDK's tries of a call that fails at once.
	patience      = 15 * time.Second
	firstPatience = 55 * time.Second
)

// errSlow is the cause where a reading takes longer than anybody waits.
var errSlow = errors.New("Azure lists the instances slowly, and goes on; what it has shown serves meanwhile")

// Refresh reads the group anew, as often as there is something to learn and Azure's
// request limits allow. Else, and while a reading takes long, the result is the last
// complete view with what has been read since. Concurrent callers share one reading.
func (g *Group) Refresh(ctx context.Context) (*View, error) {
	r, err := schedule{g}.dueReading(ctx)
	if r == nil {
		return g.last(), err
	}
	err = g.await(ctx, r)
	last, failed := g.last(), g.lastFailure()
	if failed != nil && errors.Is(err, errSlow) {
		return nil, failed // Azure does not respond, rather than slowly
	}
	if last.reading > 0 && (armerr.Is(err, armerr.Throttled) || errors.Is(err, errSlow)) {
		g.serveStale(!errors.Is(err, errSlow), err)
		return last, nil
	}
	g.serveStale(false, err)
	if err != nil {
		return nil, err
	}
	return last, nil
}

// Observe is Refresh for the runner's updates: before it reads the instances it
// polls the operations that are under way. It changes nothing the first time,
// which belongs to the start of the plugin.
func (g *Group) Observe(ctx context.Context) (*View, error) {
	if g.last().reading > 0 {
		g.acquireLease(ctx)
		_ = g.checkLease(ctx, idleCheck) // it is logged; a change is refused
	}
	operationPoll{g, g.listRoom()}.run(ctx)
	v, err := g.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	if g.isForeign(v) {
		_ = g.checkLease(ctx, 0)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	known, waiting := g.inventory.observedOrNil(), g.ledger.pending()
	g.ledger.harvest(func(n int, from *origin) int { return g.pool.claim(v, known, waiting, n, from) })
	v = g.lease.visible(g.pool.visible(v, g.now()))
	g.inventory.observe(v)
	return v, nil
}

// isForeign reports whether a view has more new instances than are pending: then
// somebody else makes some.
func (g *Group) isForeign(v *View) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inventory.observed != nil && g.inventory.countNew(v) > g.ledger.pending()+g.ledger.warming()+len(g.pool.members(v))
}

// usualPage is how many instances a page holds as long as none was full.
const usualPage = 50

// listRoom is what the limits leave for lists, of as many pages as the instances take
// that are known or pending.
func (g *Group) listRoom() vmss.ListRoom {
	room := g.reach().ListRoom()
	g.mu.Lock()
	defer g.mu.Unlock()
	n, size := g.inventory.last().count()+g.ledger.pending(), max(usualPage, g.index.fullest)
	room.Cost = max(room.Cost, (n+size-1)/size)
	return room
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

// lastFailure is the error of the last list, nil where it was complete.
func (g *Group) lastFailure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed
}

// last is the latest view, an empty one before the first.
func (g *Group) last() *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inventory.last()
}

// forceRefresh makes a reading that begins now, whatever is left of the limits.
func (g *Group) forceRefresh(ctx context.Context) (*View, error) {
	room := g.listRoom()
	g.mu.Lock()
	r := g.beginReadingLocked(ctx, &reading{room: room})
	g.mu.Unlock()
	if err := g.await(ctx, r); err != nil {
		return nil, err
	}
	return g.last(), nil
}

// await waits for a reading with patience, as long as the caller's own context lasts,
// and no longer where it has to wait for Azure's limits.
func (g *Group) await(ctx context.Context, r *reading) error {
	limit, stalled := patience, r.stalled
	if g.last().reading == 0 {
		limit, stalled = firstPatience, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	select {
	case <-ctx.Done():
		return fmt.Errorf("read scale set %q: %w", g.name, context.Cause(ctx))
	case <-stalled:
		return fmt.Errorf("read scale set %q: %w", g.name, errSlow)
	case <-r.done:
		return r.err
	}
}
