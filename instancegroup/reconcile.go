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
	return reconciliation{g, v}.run(ctx, discovered)
}

// reconciliation compares a view with what Azure accepted.
type reconciliation struct {
	*Group
	view *View
}

func (r reconciliation) run(ctx context.Context, discovered int) (lost int) {
	if discovered == 0 && r.isUndecided(ctx) {
		return 0 // the next view decides
	}
	r.mu.Lock()
	o := r.ledger.reconcile(r.view, discovered)
	due := o.unproven > 0 && r.now().Sub(r.ledger.proofAt) >= proofInterval
	r.mu.Unlock()
	var set *vmss.ScaleSet
	if due {
		set = r.readForProof(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if set != nil {
		o.prove(*set, r.view, r.ledger.target)
		r.ledger.proofAt = r.now()
		r.ledger.endHold(r.view, &o)
	}
	if lost = r.ledger.writeOff(r.view, o, r.now()); lost > 0 {
		r.recordStartsLocked(0, lost, "were accepted by Azure and never created", o.cause)
	}
	if o.pool > 0 {
		r.recordStartsLocked(0, o.pool, "were accepted by Azure for the warm pool and never created", o.poolCause)
	}
	r.watch.reconciled(r.view, lost, r.ledger.pending())
	r.reportUnaccountedLocked(set)
	return lost
}

// isUndecided asks whether this identity may read instances, where that matters: Azure
// refuses it before it looks whether there is such an instance. It reports whether the
// identity may now, and the view is from before.
func (r reconciliation) isUndecided(ctx context.Context) bool {
	r.mu.Lock()
	doubts := r.ledger.doubts(r.view, r.now())
	r.mu.Unlock()
	if !doubts {
		return false
	}
	_, err := r.reach().Get(ctx, "0")
	r.mu.Lock()
	defer r.mu.Unlock()
	readable := err == nil || isGone(err)
	r.ledger.readable.record(readable, r.now())
	return readable && !r.ledger.readable.covers(r.view.At)
}

// readForProof is nil where the scale set cannot be read now.
func (r reconciliation) readForProof(ctx context.Context) *vmss.ScaleSet {
	if r.client.Remaining(vmss.ReadScaleSet) < 2 { // the last one is for a write
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	set, err := r.readScaleSet(ctx)
	if err != nil || !set.HasCapacity {
		return nil
	}
	return &set
}

// reportUnaccountedLocked tells the runner, once, that capacity and instances do
// not add up, and logs when they do again.
func (r reconciliation) reportUnaccountedLocked(set *vmss.ScaleSet) {
	switch missing := r.ledger.hold.unaccounted; {
	case missing == r.ledger.hold.reported:
		return
	case missing == 0:
		r.log.Info("capacity and instances add up again", "operation", "increase")
	case set != nil && r.ledger.hold.reported == 0:
		r.deferredErr = fmt.Errorf("increase scale set %q: its capacity is %d, and only %d instances are listed: %d that Azure accepted are in no list; nothing is increased until that adds up; fix: give this identity Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read (Uniform) or Microsoft.Compute/virtualMachines/read (Flexible), or if there are no such instances lower sku.capacity to the number of those that exist",
			r.name, set.Capacity, r.view.Occupied(), missing)
		r.log.Error("instances are unaccounted for; nothing is increased", "operation", "increase", "count", missing, "error", r.deferredErr)
	}
	r.ledger.hold.reported = r.ledger.hold.unaccounted
}
