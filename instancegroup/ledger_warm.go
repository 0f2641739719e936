package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// origin is what tells instances that are made for the warm pool from others.
type origin struct {
	model string    // that they are made from
	since time.Time // before they were made, by Azure's clock; zero: unknown

	// complete is that the view before them showed all that the capacity counted: what
	// comes later was made later.
	complete bool
}

// isOwn reports whether an instance that no view has shown before was made then, and not by
// a process before this one.
func (o *origin) isOwn(i vmss.Instance) bool {
	if i.Created.IsZero() || o.since.IsZero() {
		return o.complete
	}
	return !i.Created.Before(o.since)
}

func (i *acceptedIncrease) isWarm() bool { return i.origin != nil }

// recordWarm adds n accepted instances for the warm pool.
func (l *ledger) recordWarm(n int, capacity int64, id vmss.Operation, at time.Time, from origin) {
	l.recordIncrease(n, capacity, id, at)
	l.increases[len(l.increases)-1].origin = &from
}

// warming is how many accepted instances for the warm pool no list has shown yet.
func (l *ledger) warming() (n int) {
	for _, i := range l.increases {
		if i.isWarm() {
			n += i.pending
		}
	}
	return n
}

// harvest deducts what the warm pool claims of its pending instances, and of those that a
// write of unknown outcome may have made.
func (l *ledger) harvest(claim func(n int, from *origin) int) {
	for _, i := range l.increases {
		if i.isWarm() && i.pending > 0 {
			i.pending -= claim(i.pending, i.origin)
		}
	}
	if u := l.uncertain; u != nil && u.origin != nil && u.count > 0 {
		u.count -= claim(u.count, u.origin)
	}
}

// expireWarm no longer waits for instances of the warm pool whose operation has failed, or
// ended long ago, if the list is credible: nobody depends on them, and one that comes later
// is the runner's. As with the runner's own, each further wait is twice as long. It returns
// how many have failed.
func (l *ledger) expireWarm(v *View) (failed int, cause error) {
	if !l.credits(v) {
		return 0, nil
	}
	for _, i := range l.increases {
		switch {
		case !l.isExpiredWarm(i, v):
			continue
		case i.hasFailed():
			failed, cause = failed+i.pending, i.failure
		default:
			l.expired++
		}
		i.pending = 0
	}
	return failed, cause
}

func (l *ledger) isExpiredWarm(i *acceptedIncrease, v *View) bool {
	return i.isWarm() && i.pending > 0 && !i.mayBeUnlisted(v) && (i.hasFailed() || v.At.Sub(i.ended) >= holdAfter(l.expired))
}
