package instancegroup

import (
	"context"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TakeWarm starts up to n instances of the warm pool for the runner, and returns how many
// Azure has accepted; zero without an error where the pool has none that is ready. The mark
// goes first: from then on none of them can become one of the pool again, whatever happens
// to this process. One that is then not started is off without a mark, and is replaced.
func (g *Group) TakeWarm(ctx context.Context, n int) (int, error) {
	ready := g.readyInPool(n)
	if len(ready) == 0 {
		return 0, nil
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("start %d instances of the warm pool of scale set %q", len(ready), g.name))
	if err != nil {
		return 0, err
	}
	defer leave()
	if err := g.checkLease(ctx, decreaseCheck); err != nil {
		return 0, err
	}
	began := g.now()
	unmarked, marks, err := g.leavePool(ctx, ready)
	c := powerChange{Group: g, verb: "take from the warm pool", call: vmss.StartInstances, to: resuming, splits: maxSplits}
	accepted, refused := c.sendAfter(ctx, marks, unmarked)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range unmarked {
		delete(g.pool.leaving, m.MemberID)
	}
	g.pool.take(accepted, began)
	g.ledger.taken += len(accepted)
	g.watch.taken(len(accepted))
	if err = armerr.Join(err, refused); err != nil {
		g.pool.starting.fail(g.now(), err)
		g.log.Warn("instances of the warm pool could not be started; others are created", "operation", "increase", "count", len(ready)-len(accepted), "error", err)
		return len(accepted), nil
	}
	g.pool.starting.reset()
	g.log.Info("the warm pool serves an increase", "operation", "increase", "count", len(accepted), "instances", accepted)
	return len(accepted), nil
}

// readyInPool are up to n instances that can be started now.
func (g *Group) readyInPool(n int) (ready []*Member) {
	room := min(n, marksPerCall, g.client.Remaining(vmss.MarkInstance)-1)
	if g.client.Remaining(vmss.StartInstances) < 1 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pool.starting.active(g.now()) || g.admission.refusal != nil {
		return nil
	}
	v := g.inventory.last()
	for _, m := range g.pool.members(v) {
		if len(ready) < room && g.pool.isReady(m, g.admission.set.Model.Fingerprint, g.now()) && !g.deletions.has(m.MemberID) {
			ready = append(ready, m)
		}
	}
	return ready
}

// leavePool removes the marks of members, and returns those of which Azure has accepted
// it, and the operations.
func (g *Group) leavePool(ctx context.Context, members []*Member) ([]*Member, []vmss.Operation, error) {
	g.mu.Lock()
	for _, m := range members {
		g.pool.leaving[m.MemberID] = true
		g.pool.claimed[m.MemberID] = g.pool.modelOf(m)
		g.suspensions.begin([]string{m.MemberID}, suspended, "", g.now()) // without a mark it would be dead
	}
	g.mu.Unlock()
	operations, results := g.writeMarks(ctx, members, noMark)
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, m := range members {
		if results[n] != nil {
			delete(g.pool.leaving, m.MemberID)
		}
	}
	return succeeded(members, results), operations, armerr.Join(results...)
}
