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
// increases with their operations, the target capacity, the write whose outcome is
// unknown, and the instances that are unaccounted for.
type ledger struct {
	target    target
	increases []*acceptedIncrease // oldest first
	uncertain *uncertainWrite
	wrote     time.Time // when Azure responded to the last write: all that it creates has its number by then
	arrived   bool      // an instance of an increase has been listed
	readable  readability
	hold      hold
	proofAt   time.Time // when the capacity was last read to prove what is lost
	taken     int       // instances of the warm pool that the runner has not discovered yet
	expired   int       // increases of the warm pool that were given up, though they had not failed
}

// acceptedIncrease is the operation that creates instances, of which pending
// have not been discovered yet.
type acceptedIncrease struct {
	operation
	pending int
	origin  *origin // of those for the warm pool, which the runner does not wait for; nil: it does
}

// target is the capacity of the last accepted write, less what has gone since.
type target struct {
	capacity int64
	at       time.Time
	drift    int // how far the capacity exceeded the instances before it, for good
}

// recordIncrease adds n accepted instances and the operation that creates them.
func (l *ledger) recordIncrease(n int, capacity int64, id vmss.Operation, at time.Time) {
	l.target.capacity, l.target.at = capacity, at
	l.uncertain = nil
	l.increases = append(l.increases, &acceptedIncrease{operation: operation{id: id, began: at}, pending: n})
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

// need is how much a list can tell of the increases: their instances are looked for
// once they are as old as that.
func (l *ledger) need(now time.Time, after time.Duration) need {
	n := quiet
	for _, i := range l.increases {
		if n = underway; !i.ended.IsZero() || now.Sub(i.began) >= after {
			return due
		}
	}
	return n
}

// find returns the increase of an operation, nil if it is none.
func (l *ledger) find(o *operation) *acceptedIncrease {
	for _, i := range l.increases {
		if &i.operation == o {
			return i
		}
	}
	return nil
}

// pending is how many accepted instances the runner has not discovered yet.
func (l *ledger) pending() (n int) {
	for _, i := range l.increases {
		if !i.isWarm() {
			n += i.pending
		}
	}
	return n
}

// charge deducts n instances that the runner discovered from the oldest
// increases. Which increase made an instance is unknown: this is the assignment
// that leaves most to the operations under way, so that nothing is taken for lost
// that may still be created.
func (l *ledger) charge(n int) {
	taken := min(n, l.taken)
	l.taken -= taken
	n -= taken
	for _, i := range l.increases {
		if i.isWarm() {
			continue
		}
		charged := min(n, i.pending)
		i.pending -= charged
		n -= charged
		l.arrived = l.arrived || charged > 0
	}
	if l.uncertain != nil {
		l.uncertain.count -= n
	}
}

// overdue are pending instances of increases that ended long enough ago for a
// view to show them.
type overdue struct {
	failed   int   // of operations that failed
	cause    error // of the failure
	unproven int   // of the others: some list must show them, if they exist
	proven   int   // of the unproven: the capacity does not count them
	known    bool  // whether the capacity was read
	expected int   // pending instances that are not overdue

	pool      int // instances for the warm pool whose operation failed
	poolCause error
}

// reconcile is given a view and how many of its instances the runner discovered
// with it, and returns what is overdue. writeOff has to follow.
func (l *ledger) reconcile(v *View, discovered int) (o overdue) {
	o.cause = errNeverCreated
	l.charge(discovered)
	l.supersede()
	o.pool, o.poolCause = l.expireWarm(v)
	l.increases = slices.DeleteFunc(l.increases, func(i *acceptedIncrease) bool { return i.pending == 0 })
	for _, i := range l.increases {
		switch {
		case i.isWarm(), i.mayBeUnlisted(v):
			o.expected += i.pending
		case i.hasFailed():
			o.failed += i.pending
			o.cause = i.failure
		default:
			o.unproven += i.pending
		}
	}
	// Instances without a vmId may be among them.
	spared := min(v.identifying, o.unproven)
	o.unproven -= spared
	o.failed -= min(v.identifying-spared, o.failed)
	switch { // an operation that failed may have made some
	case v.lacked > 0: // and who knows what else
		o.failed = 0
	case l.mayBeBlind(v):
		o.failed, o.unproven = 0, o.unproven+o.failed
	}
	return o
}

// credits reports whether what a list lacks may be taken for not made, after a long time: it
// lacks no known instance, and this identity can read what there is.
func (l *ledger) credits(v *View) bool { return v.lacked == 0 && !l.mayBeBlind(v) }

// mayBeBlind reports whether nothing shows that this identity may read instances, which
// can be taken from it at any time. Then an operation that failed may have made some all
// the same, and each attempt to replace them would make more.
func (l *ledger) mayBeBlind(v *View) bool {
	return v.listed == 0 && !l.readable.covers(v.At)
}

// doubts reports whether it matters that a list is empty, and whether this identity
// may read instances has to be asked.
func (l *ledger) doubts(v *View, now time.Time) bool {
	if !l.mayBeBlind(v) || !l.readable.mayAsk(now) {
		return false
	}
	return l.arrived && l.hold.isOver(now) ||
		slices.ContainsFunc(l.increases, func(i *acceptedIncrease) bool { return i.pending > 0 && i.hasFailed() || l.isExpiredWarm(i, v) })
}

// fail ends all increases and forgets the target: what is pending will not be
// created.
func (l *ledger) fail(cause error, now time.Time) {
	for _, i := range l.increases {
		i.ended, i.failure = now, cause
	}
	l.target, l.uncertain = target{}, nil
}

// supersede moves what is pending of preempted operations to the next one, which
// creates their instances: a scale set has one target capacity.
func (l *ledger) supersede() {
	for n, i := range l.increases[:max(0, len(l.increases)-1)] {
		if !i.isWarm() && !l.increases[n+1].isWarm() && armerr.Is(i.failure, armerr.Preempted) {
			l.increases[n+1].pending += i.pending
			i.pending = 0
		}
	}
}

// prove finds out how many of the unproven instances do not exist: a capacity
// that counts them means that they may be somewhere.
func (o *overdue) prove(set vmss.ScaleSet, v *View, t target) {
	unlisted := int(min(set.Capacity, t.capacity)) - v.Occupied() - o.expected - t.drift
	o.proven, o.known = max(0, o.unproven-max(0, unlisted)), true
}

// endHold gives up waiting for unaccounted instances after a long time, if the
// list is credible: it lacks no known instance, has shown instances of other
// increases, and is not empty unless this identity could read instances. A list that has
// shown none may be closed to this identity, and is never believed: what it hides could
// be created again without end. A scale set in Flexible orchestration keeps its
// capacity when an instance could not be created, and says so nowhere if the operation
// was superseded.
//
// A view that was read before the hold is over ends nothing: it may serve again long
// afterwards, while lists fail.
func (l *ledger) endHold(v *View, o *overdue) {
	if l.credits(v) && l.arrived && l.hold.isOver(v.At) {
		o.proven, o.known = o.unproven, true
		l.hold.ended++
	}
}

// writeOff drops instances that will never be created, the oldest first; those
// that are overdue all the same are unaccounted for.
func (l *ledger) writeOff(v *View, o overdue, now time.Time) (lost int) {
	if o.known || o.unproven < l.hold.unaccounted {
		l.hold.set(o.unproven-o.proven, now)
	}
	failed, proven := o.failed, o.proven
	for _, i := range l.increases {
		if i.isWarm() || i.mayBeUnlisted(v) {
			continue
		}
		left := &proven
		if i.hasFailed() {
			left = &failed
		}
		dropped := min(*left, i.pending)
		*left -= dropped
		i.pending -= dropped
		lost += dropped
	}
	return lost
}

// hasFailed is false for an operation that another one superseded.
func (i *acceptedIncrease) hasFailed() bool {
	return i.failure != nil && !armerr.Is(i.failure, armerr.Preempted)
}

// mayBeUnlisted reports whether the list of a view may lack instances of the increase
// that exist all the same. Where the list keeps what could not be created, an instance
// that it lacks may be late like any other.
func (i *acceptedIncrease) mayBeUnlisted(v *View) bool {
	settled := i.ended
	if !i.hasFailed() || v.keepsFailed {
		settled = settled.Add(listLag)
	}
	return i.ended.IsZero() || v.At.Before(settled)
}
