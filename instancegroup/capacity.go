package instancegroup

import (
	"context"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// readBackTimeout bounds a read of the scale set in passing: for its tag, or
// after a lost response. It must not delay an update or a change for long.
const readBackTimeout = 10 * time.Second

// capacityWrite is a write that adds n instances to a scale set as it was read.
type capacityWrite struct {
	*Group
	current vmss.ScaleSet
	n       int
	warm    bool // for the warm pool
}

// settleUncertain counts an earlier write of unknown outcome as accepted after
// all, and returns how many instances that are.
func (w *capacityWrite) settleUncertain() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	accepted := w.ledger.settleUncertain(w.current, w.n, w.now())
	if accepted > 0 {
		w.logAccepted(accepted, w.current.Capacity)
	}
	return accepted
}

// settlesUncertain settles a write for the pool of unknown outcome, and reports whether it
// did. One that has not shown yet has the same condition as the next.
func (w *capacityWrite) settlesUncertain() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.ledger.uncertain
	if u == nil || u.origin == nil {
		return false
	}
	w.ledger.settleUncertain(w.current, 0, w.now())
	return w.ledger.uncertain == nil
}

func (w *capacityWrite) logAccepted(n int, capacity int64) {
	w.log.Info("scale set increased", "operation", "increase", "count", n, "capacity", capacity)
}

// isOutdated reports whether the scale set shows less than what Azure accepted
// lately, and no instance that has gone explains it.
func (w *capacityWrite) isOutdated(ctx context.Context) bool {
	if !w.isBelowTarget() {
		return false
	}
	if w.listRoom().Lists() > 0 {
		_, _ = w.forceRefresh(ctx) // without it the set counts as outdated
	}
	return w.isBelowTarget()
}

func (w *capacityWrite) isBelowTarget() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ledger.isBelowTarget(w.current, w.now())
}

// capacityDelta is by how much the capacity is to rise for n more instances,
// less where it exceeds their number already: an allocation that failed leaves
// it so, and a scale set in Uniform orchestration creates the missing along with
// new ones. It lowers n to what Azure's limit on the size leaves.
func (w *capacityWrite) capacityDelta(ctx context.Context) (int64, error) {
	room := w.current.MaxSize() - int(w.current.Capacity)
	if room <= 0 {
		return 0, fmt.Errorf("increase scale set %q by %d: its capacity of %d is all that Azure allows; fix: lower max_instances or use a further scale set; if it has fewer instances than that, set sku.capacity to their number while nothing is under way",
			w.name, w.n, w.current.Capacity)
	}
	unfilled := w.unfilled()
	if unfilled > 0 && w.listRoom().Lists() > 0 { // be sure
		if _, err := w.forceRefresh(ctx); err != nil {
			return 0, err
		}
		unfilled = w.unfilled()
	}
	delta := max(1, w.n-unfilled)
	if delta > room {
		w.n -= delta - room
		delta = room
	}
	return int64(delta), nil
}

// unfilled is how much of the capacity no instance has or is about to take. The
// capacity may count instances that are being deleted until they are gone, so they
// count here, too. A Flexible set goes by its capacity alone
// (dataplat/dbatools#10540).
func (w *capacityWrite) unfilled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.inventory.last()
	if w.current.Mode == vmss.Flexible || v.reading == 0 || w.ledger.pending()+w.ledger.warming() > 0 || w.ledger.isIncreasing() || w.current.IsUpdating() {
		return 0
	}
	return max(0, int(w.current.Capacity)-v.count())
}

// send writes the capacity, under the condition that the scale set is still the
// one that was read, and returns how many instances were accepted.
func (w *capacityWrite) send(ctx context.Context, capacity int64) (int, error) {
	at, from := w.now(), w.origin()
	id, err := w.client.SetCapacity(ctx, capacity, w.current.ETag)
	w.noteWrite()
	if err != nil && !w.tookEffect(ctx, uncertainWrite{w.current.ETag, capacity, w.n, from}, err) {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.target.drift = w.driftLocked()
	if from != nil {
		w.ledger.recordWarm(w.n, capacity, id, at, *from)
		w.log.Info("instances are created for the warm pool", "operation", "warm", "count", w.n, "capacity", capacity)
		return w.n, nil
	}
	w.ledger.recordIncrease(w.n, capacity, id, at)
	w.logAccepted(w.n, capacity)
	return w.n, nil
}

// origin is that of instances for the warm pool; nil: they are the runner's.
func (w *capacityWrite) origin() *origin {
	if !w.warm {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return &origin{model: w.current.Model.Fingerprint, since: w.current.ReadAt, complete: w.unlistedLocked() <= 0}
}

func (w *capacityWrite) noteWrite() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.wrote, w.index.etag = w.now(), "" // a read may lag behind
}

// driftLocked is how far the capacity exceeded the instances before the write,
// for good: in Flexible orchestration nothing but lowering it ends that. A Uniform
// scale set creates what the capacity lacks.
func (w *capacityWrite) driftLocked() int {
	if w.current.Mode != vmss.Flexible {
		return 0
	}
	return max(0, w.unlistedLocked())
}

// unlistedLocked is how many instances the capacity counts before the write that no list has
// shown and no increase made.
func (w *capacityWrite) unlistedLocked() int {
	return int(w.current.Capacity) - w.inventory.last().count() - w.ledger.pending() - w.ledger.warming()
}

// tookEffect reports whether a write whose response was lost took effect. If
// that cannot be read now, the next increase begins with it.
func (w *capacityWrite) tookEffect(ctx context.Context, u uncertainWrite, cause error) bool {
	if !armerr.MayHaveTakenEffect(cause) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
	defer cancel()
	after, err := w.readScaleSet(ctx)
	if err != nil || !after.HasCapacity || after.ETag == u.etag { // the write may still be on its way
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ledger.recordUncertain(u)
		return false
	}
	w.log.Warn("the response to a capacity write was lost", "operation", "increase", "wanted", u.target, "capacity", after.Capacity, "error", cause)
	return u.tookEffect(after)
}
