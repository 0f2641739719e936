package instancegroup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// KeepWarm does one round of what the warm pool needs: it puts instances that have booted
// to sleep, replaces those of an older model, and creates what is missing, while no demand
// of the runner is unmet. Refusals are logged, and tried again at growing intervals.
func (g *Group) KeepWarm(ctx context.Context) {
	w := g.poolWork()
	if w.isNone() {
		return
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("fill the warm pool of scale set %q", g.name))
	if err != nil {
		return
	}
	defer leave()
	if err := g.checkLease(ctx, decreaseCheck); err != nil {
		return
	}
	w = g.poolWork() // while it was waited, the runner may have taken one
	if len(w.tired) > 0 {
		g.concludeWarm(&g.pool.marking, "instances of the warm pool could not be put to sleep", g.putToSleep(ctx, w))
	}
	if w.missing > 0 {
		g.concludeWarm(&g.pool.backoff, "the warm pool could not be filled", g.refill(ctx, w.missing))
	}
}

// concludeWarm logs the first of several refusals in a row.
func (g *Group) concludeWarm(b *backoff, what string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		b.reset()
		return
	}
	if b.fail(g.now(), err) {
		g.log.Warn(what+"; trying again at growing intervals", "operation", "warm", "error", armerr.Join(err))
	}
}

// poolWork is what is to be done.
type poolWork struct {
	tired   []*Member // have booted, and are to be marked and deallocated
	model   map[string]string
	missing int
}

func (w poolWork) isNone() bool { return len(w.tired) == 0 && w.missing <= 0 }

// poolWork finds it out, and gives up members that are of no use.
func (g *Group) poolWork() (w poolWork) {
	writes, marks := g.writesRemaining(), g.client.Remaining(vmss.MarkInstance)
	g.mu.Lock()
	defer g.mu.Unlock()
	now, v := g.now(), g.inventory.last()
	if v.reading == 0 || g.admission.refusal != nil {
		return w
	}
	if n, slowest := g.pool.cameUp(v, now, g.watch.warmStarted); n > 0 {
		g.log.Info("instances from the warm pool are up", "operation", "increase", "count", n, "duration", slowest, "created_take", g.pace.boots.half())
	}
	g.giveUpSurplusLocked(now)
	members := g.pool.members(g.inventory.last())
	if w.tired = g.pool.settled(members, now); g.pool.marking.active(now) {
		w.tired = nil
	}
	w.tired = w.tired[:max(0, min(len(w.tired), marks-markSpare, confirmAtOnce))]
	w.model = map[string]string{}
	for _, m := range w.tired {
		w.model[m.MemberID] = g.pool.modelOf(m)
	}
	if writes >= 3 && !g.pool.backoff.active(now) && g.mayGrowLocked() {
		w.missing = g.pool.size - living(members) - g.ledger.warming()
	}
	return w
}

// giveUpSurplusLocked gives up members that the pool does not need.
func (g *Group) giveUpSurplusLocked(now time.Time) {
	var ids []string
	for _, m := range g.pool.surplus(g.pool.members(g.inventory.last()), g.admission.set.Model.Fingerprint) {
		g.suspensions.lose(m.MemberID, leftPool, now)
		ids = append(ids, m.MemberID)
	}
	if len(ids) > 0 {
		g.inventory.restate(ids, Dead, leftPool, now)
	}
}

// leftPool is the reason of a member that is dead because the pool does not need it.
const leftPool = "it is no longer wanted in the warm pool, or is from before a change of the model"

// mayGrowLocked reports whether no demand of the runner is unmet, and nothing speaks
// against more instances.
func (g *Group) mayGrowLocked() bool {
	now := g.now()
	if !g.lease.acquired && g.lease.owner != "" && g.lease.backoff.failures == 0 {
		return false // the start of the plugin changes nothing
	}
	isUncertain := g.ledger.uncertain != nil && g.ledger.uncertain.origin == nil
	return g.pool.size > 0 && g.inventory.observed != nil && g.ledger.pending()+g.ledger.taken == 0 && !isUncertain && g.ledger.hold.unaccounted == 0 &&
		!g.ledger.isIncreasing() && !g.backoffs.active(now) && now.Sub(g.pool.unmet) >= demandRest
}

// putToSleep marks members, and deallocates those that run.
func (g *Group) putToSleep(ctx context.Context, w poolWork) error {
	warm := func(m *Member) vmss.Mark { return vmss.Warm(w.model[m.MemberID]) }
	var marked, others []*Member
	for _, m := range w.tired {
		if m.Mark == warm(m) {
			marked = append(marked, m)
			continue
		}
		others = append(others, m)
	}
	_, results := g.writeMarks(ctx, others, warm)
	marked = append(marked, succeeded(others, results)...)
	running := slices.DeleteFunc(marked, func(m *Member) bool { return m.State != Running })
	c := powerChange{Group: g, verb: "put into the warm pool", call: vmss.DeallocateInstances, to: suspending, splits: maxSplits, plain: true}
	_, err := c.send(ctx, running)
	g.closePool(errors.Join(results...))
	return armerr.Join(append(results, err)...)
}

// maxMarkRefusals is how many times in a row marks may be refused, about a quarter of an
// hour.
const maxMarkRefusals = 5

// closePool is for a scale set whose instances cannot be marked. Those that were made for
// the pool are given up: they would run for nobody.
func (g *Group) closePool(refused error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if armerr.Is(refused, armerr.Conflict) && g.pool.marking.failures >= maxMarkRefusals {
		g.pool.size = 0
		g.log.Error("instances cannot be marked, and so not be kept for later; there is no warm pool until the plugin is started again", "operation", "warm", "error", refused)
	}
}

// refill creates n instances for the pool.
func (g *Group) refill(ctx context.Context, n int) error {
	set, err := g.readScaleSet(ctx)
	if err != nil || !set.HasCapacity || set.ETag == "" {
		return err
	}
	if err := cmp.Or(g.verifyLease(set), g.refusedScaleSet(n)); err != nil {
		return err
	}
	w := capacityWrite{Group: g, current: set, n: n, warm: true}
	if w.settlesUncertain() || w.isOutdated(ctx) {
		return nil // the next round goes on from there
	}
	if err := g.ensureKeys(ctx, set); err != nil {
		if errors.Is(err, errDeferred) {
			return nil
		}
		return err
	}
	delta, err := w.capacityDelta(ctx)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, set.Capacity+delta)
	if armerr.Is(err, armerr.Precondition) {
		return nil // somebody else wrote meanwhile
	}
	return err
}
