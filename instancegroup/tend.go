package instancegroup

import (
	"context"
	"errors"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Tend sees to what suspending and resuming leave behind: marks of instances that run
// again, and instances that were stopped and not deallocated.
func (g *Group) Tend(ctx context.Context, v *View) error {
	spent, halted := g.untended(v)
	if len(spent)+len(halted) == 0 {
		return nil
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("tend suspended instances of scale set %q", g.name))
	if err != nil {
		return err
	}
	defer leave()
	if err := g.checkLease(ctx, decreaseCheck); err != nil {
		return err
	}
	spent, halted = g.untended(v)                                                                                              // while it was waited, the runner may have suspended one
	c := powerChange{Group: g, verb: "suspend", call: vmss.DeallocateInstances, to: suspending, from: Suspending, plain: true} // what is stopped has no memory
	_, err = c.send(ctx, halted)
	_, results := g.writeMarks(ctx, spent, noMark)
	err = errors.Join(append(results, err)...)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		g.suspensions.backoff.reset()
		return nil
	}
	if g.suspensions.backoff.fail(g.now(), err) {
		g.log.Warn("suspended instances could not be tended to; trying again at growing intervals", "operation", "suspend", "error", armerr.Join(err))
	}
	return nil
}

// untended are the members that need it now.
func (g *Group) untended(v *View) (spent, halted []*Member) {
	room := g.client.Remaining(vmss.MarkInstance) - markSpare
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if g.suspensions.backoff.active(now) {
		return nil, nil
	}
	last, v := g.inventory.last(), v.whole()
	for n := range v.Members {
		m := last.Find(v.Members[n].MemberID)
		switch {
		case m == nil || g.deletions.has(m.MemberID):
		case g.suspensions.isSpent(m, now) && len(spent) < min(room, confirmAtOnce):
			spent = append(spent, m)
		case g.suspensions.isHalted(m):
			halted = append(halted, m)
		}
	}
	return spent, halted
}
