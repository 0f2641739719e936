package instancegroup

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// listLag is how much later than the end of its operation a list may still lack
// a new instance. It is a guess; one that comes later is taken all the same.
const listLag = 90 * time.Second

// staleCapacity is how long a capacity below the target counts as outdated. It
// was seconds where it was seen (kubernetes/autoscaler#3510, #4685).
const staleCapacity = time.Minute

// ledger owns what Azure accepted and the runner has not discovered yet: the
// pending instances, the operations that create them, the target capacity, and
// the write whose outcome is unknown.
type ledger struct {
	pending   int // accepted instances that the runner has not discovered yet
	target    target
	increases []*acceptedIncrease
	uncertain *uncertainWrite
}

// acceptedIncrease is the operation that creates count instances.
type acceptedIncrease struct {
	operation
	count int
}

// target is the capacity of the last accepted write, less what has gone since.
type target struct {
	capacity int64
	at       time.Time
}

// uncertainWrite is a capacity write of which nobody knows whether Azure
// carried it out.
type uncertainWrite struct {
	etag   string // before it
	target int64
	count  int
}

// tookEffect reports whether a scale set shows that the write took effect. It
// was sent once and under If-Match, so a capacity that has arrived at the target
// with another ETag is ours: a foreign write would have had to move it there by
// itself.
func (u uncertainWrite) tookEffect(set vmss.ScaleSet) bool {
	return set.HasCapacity && set.ETag != u.etag && set.Capacity == u.target
}

// recordIncrease adds n accepted instances and the operation that creates them.
func (l *ledger) recordIncrease(n int, capacity int64, id vmss.Operation, at time.Time) {
	l.pending += n
	l.target = target{capacity, at}
	l.uncertain = nil
	l.increases = append(l.increases, &acceptedIncrease{operation: operation{id: id, began: at}, count: n})
}

// recordUncertain keeps a write whose outcome is to be read from the scale set
// before the next one.
func (l *ledger) recordUncertain(u uncertainWrite) { l.uncertain = &u }

// settleUncertain counts an uncertain write as accepted after all, up to n, if
// the scale set shows its effect. It returns how many were accepted.
func (l *ledger) settleUncertain(set vmss.ScaleSet, n int, now time.Time) int {
	u := l.uncertain
	if u == nil || set.ETag == u.etag { // the next write has the same condition: only one can succeed
		return 0
	}
	l.uncertain = nil
	if !u.tookEffect(set) || u.count <= 0 {
		return 0
	}
	n = min(n, u.count)
	l.recordIncrease(n, u.target, "", now)
	return n
}

// departed lowers the target by instances that left the capacity.
func (l *ledger) departed(n int) { l.target.capacity -= int64(n) }

// isBelowTarget reports whether a scale set shows less than what Azure accepted
// lately. Its ETag cannot settle this: nothing guarantees that capacity and ETag
// come from the same moment.
func (l *ledger) isBelowTarget(set vmss.ScaleSet, now time.Time) bool {
	return set.Capacity < l.target.capacity && now.Sub(l.target.at) < staleCapacity
}

// isIncreasing reports whether an increase is under way.
func (l *ledger) isIncreasing() bool {
	return slices.ContainsFunc(l.increases, func(i *acceptedIncrease) bool { return i.ended.IsZero() })
}

func (l *ledger) operations() []*operation {
	all := make([]*operation, 0, len(l.increases))
	for _, i := range l.increases {
		all = append(all, &i.operation)
	}
	return all
}

// countOf returns how many instances an operation creates; false: it is no
// increase.
func (l *ledger) countOf(o *operation) (int, bool) {
	for _, i := range l.increases {
		if &i.operation == o {
			return i.count, true
		}
	}
	return 0, false
}

// reconcile is given a view and how many of its instances the runner discovered
// with it. It returns how many of the accepted instances will never be created,
// and why.
func (l *ledger) reconcile(v *View, discovered int) (lost int, cause error) {
	if l.uncertain != nil {
		l.uncertain.count -= max(0, discovered-l.pending)
	}
	l.pending = max(0, l.pending-discovered)
	expected, cause := l.expected(v)
	lost = max(0, l.pending-expected)
	l.pending -= lost
	return lost, cause
}

// expected is how many instances may still appear that the view does not show:
// those of increases that have not ended long enough before the view, and those
// that have no vmId yet. The other increases are dropped; cause is why their
// instances did not appear.
func (l *ledger) expected(v *View) (count int, cause error) {
	count, cause = v.identifying, errNeverCreated
	l.increases = slices.DeleteFunc(l.increases, func(i *acceptedIncrease) bool {
		if i.mayBeMissing(v.At) {
			count += i.count
			return false
		}
		if i.hasFailed() {
			cause = i.failure
		}
		return true
	})
	return count, cause
}

// hasFailed is false for an increase that a newer operation superseded: the
// newer one creates its instances.
func (i *acceptedIncrease) hasFailed() bool {
	return i.failure != nil && !armerr.Is(i.failure, armerr.Preempted)
}

// mayBeMissing reports whether a list from that time may lack instances that
// are created all the same.
func (i *acceptedIncrease) mayBeMissing(at time.Time) bool {
	settled := i.ended
	if !i.hasFailed() {
		settled = settled.Add(listLag)
	}
	return i.ended.IsZero() || at.Before(settled)
}
