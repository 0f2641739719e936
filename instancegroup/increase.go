package instancegroup

import (
	"context"
	"errors"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// errDeferred means that this is no time to write, and that nothing is wrong.
var errDeferred = errors.New("not now")

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
	deferred, err := g.deferIncrease()
	if err != nil {
		return 0, err
	}
	warm, err := g.TakeWarm(ctx, n)
	if err != nil || warm == n {
		return warm, err
	}
	created := 0
	if !deferred {
		created, err = g.create(ctx, n-warm)
	}
	return g.sumUp(n, warm, created, err)
}

// sumUp adds what the warm pool has served and what is created. An error would take from
// the runner what was accepted, so that it is kept for the next call.
func (g *Group) sumUp(n, warm, created int, err error) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if warm+created < n {
		g.pool.unmet = g.now()
	}
	if warm > 0 && err != nil {
		g.deferredErr, err = err, nil
	}
	return warm + created, err
}

// create raises the capacity by n.
func (g *Group) create(ctx context.Context, n int) (int, error) {
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("increase scale set %q by %d", g.name, n))
	if err != nil {
		return 0, err
	}
	defer leave()
	accepted, err := increase{g}.withinQuota(ctx, n)
	return accepted, g.finishIncrease(n, accepted, err)
}

// deferIncrease reports whether to leave the demand with the runner for now.
// What went wrong since the last call is returned along with that, once: the
// runner shows nothing else of the plugin to everybody.
func (g *Group) deferIncrease() (bool, error) {
	writes := g.writesRemaining()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.deferredErr; err != nil {
		g.deferredErr = nil
		return true, err
	}
	probed := g.backoffs.isProbing() && g.ledger.pending() > 0
	return writes < 1 || probed || g.ledger.hold.unaccounted > 0 || g.backoffs.active(g.now()), nil
}

// writesRemaining is how many writes Azure would take now, each with the read
// that it is relative to.
func (g *Group) writesRemaining() int {
	return min(g.client.Remaining(vmss.WriteScaleSet), g.client.Remaining(vmss.ReadScaleSet))
}

// finishIncrease keeps account of how an increase ended, and returns what the
// runner is to be told of it.
func (g *Group) finishIncrease(n, accepted int, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watch.increased(accepted, err, g.now())
	if err == nil || errors.Is(err, errDeferred) {
		if failures := g.backoffs.accepted(); err == nil && failures > 0 {
			g.log.Info("Azure accepts increases again", "operation", "increase", "count", accepted, "failures", failures)
		}
		return nil
	}
	first, failures := g.backoffs.refused(g.now(), err)
	switch {
	case isLeaseLost(err):
		return err // each time: nobody but the operator can mend it
	case !first:
		g.log.Debug("Azure still refuses", "operation", "increase", "count", n, "failures", failures, "error", err)
		return nil
	case accepted > 0:
		g.deferredErr = err
	case !armerr.Is(err, armerr.Throttled, armerr.Conflict):
		return err
	}
	g.log.Warn("scale set could not be increased; trying again at growing intervals", "operation", "increase", "count", n-accepted, "error", err)
	return nil
}

// recordStartsLocked counts instances that came up or failed to, and pauses
// further increases where too many fail (the circuit breaker).
func (g *Group) recordStartsLocked(served, failed int, what string, cause error) {
	tripped, first := g.backoffs.start.record(g.now(), served, failed)
	if failed == 0 {
		g.shortage.recordStarts(g.now(), served, failed, nil)
		return
	}
	err := fmt.Errorf("increase scale set %q: %d instances %s: %w", g.name, failed, what, cause)
	g.shortage.recordStarts(g.now(), served, failed, err)
	if first {
		g.deferredErr = err
	}
	if !first && !tripped {
		g.log.Debug("more instances did not come up", "operation", "increase", "count", failed, "error", err)
		return
	}
	pause := max(0, g.backoffs.start.until.Sub(g.now()))
	g.log.Error("instances did not come up", "operation", "increase", "count", failed, "pause", pause, "error", err)
}
