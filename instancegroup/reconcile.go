package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// proofInterval is how often the capacity is read, at most, to prove that
// instances were never created.
const proofInterval = 15 * time.Second

// errNeverCreated is the cause where Azure named none.
var errNeverCreated = errors.New("no reason is named; fix: look into the scale set's activity log")

// ReconcilePending is given how many instances of a view the runner discovered,
// and returns how many that Azure accepted will never be created. The runner
// matches its requests with the instances that it discovers: a request without
// one would stay pending for ever.
//
// An instance is written off when its operation failed, or when the capacity does
// not count it either. One that the capacity counts and no list shows may be
// running: then it is not written off, and nothing is increased until capacity and
// instances add up, or for a long time where the list has shown other new ones.
// An identity that may not read instances gets an empty list, and no error.
func (g *Group) ReconcilePending(ctx context.Context, v *View, discovered int) (lost int) {
	g.mu.Lock()
	o := g.ledger.reconcile(v, discovered)
	blind := o.failed > 0 && g.ledger.mayBeBlind(v)
	due := (blind || o.unproven > 0) && g.now().Sub(g.ledger.proofAt) >= proofInterval
	doubtful := due && (blind || v.listed == 0 && g.ledger.hold.isOver(g.now()))
	g.mu.Unlock()
	var set *vmss.ScaleSet
	if due {
		set = g.readForProof(ctx)
	}
	readable := doubtful && g.mayReadInstances(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if blind && !readable {
		o.failed, o.unproven = 0, o.unproven+o.failed
	}
	if set != nil {
		o.prove(*set, v, g.ledger.target)
		g.ledger.proofAt = g.now()
		g.ledger.endHold(v, &o, readable, g.now())
	}
	if lost = g.ledger.writeOff(v, o, g.now()); lost > 0 {
		g.recordStartsLocked(0, lost, "were accepted by Azure and never created", o.cause)
	}
	g.reportUnaccountedLocked(set, v)
	return lost
}

// mayReadInstances reports whether Azure lets this identity read instances: it
// refuses before it looks whether there is such an instance.
func (g *Group) mayReadInstances(ctx context.Context) bool {
	_, err := g.reach().Get(ctx, "0")
	if err != nil && !isGone(err) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ledger.readable = true
	return true
}

// readForProof is nil where the scale set cannot be read now.
func (g *Group) readForProof(ctx context.Context) *vmss.ScaleSet {
	if g.client.Remaining(vmss.ReadScaleSet) < 2 { // the last one is for a write
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	set, err := g.readScaleSet(ctx)
	if err != nil || !set.HasCapacity {
		return nil
	}
	return &set
}

// reportUnaccountedLocked tells the runner, once, that capacity and instances do
// not add up, and logs when they do again.
func (g *Group) reportUnaccountedLocked(set *vmss.ScaleSet, v *View) {
	switch missing := g.ledger.hold.unaccounted; {
	case missing == g.ledger.hold.reported:
		return
	case missing == 0:
		g.log.Info("capacity and instances add up again", "operation", "increase")
	case set != nil && g.ledger.hold.reported == 0:
		g.deferredErr = fmt.Errorf("increase scale set %q: its capacity is %d, and only %d instances are listed: %d that Azure accepted are in no list; nothing is increased until that adds up; fix: give this identity Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read (Uniform) or Microsoft.Compute/virtualMachines/read (Flexible), or if there are no such instances lower sku.capacity to the number of those that exist",
			g.name, set.Capacity, v.Occupied(), missing)
		g.log.Error("instances are unaccounted for; nothing is increased", "operation", "increase", "count", missing, "error", g.deferredErr)
	}
	g.ledger.hold.reported = g.ledger.hold.unaccounted
}
