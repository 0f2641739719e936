package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// recordWarm adds n accepted instances for the warm pool. Since is before they are made, by
// Azure's clock.
func (l *ledger) recordWarm(n int, capacity int64, id vmss.Operation, at, since time.Time) {
	l.recordIncrease(n, capacity, id, at)
	i := l.increases[len(l.increases)-1]
	i.warm, i.since = true, since
}

// warming is how many accepted instances for the warm pool no list has shown yet.
func (l *ledger) warming() (n int) {
	for _, i := range l.increases {
		if i.warm {
			n += i.pending
		}
	}
	return n
}

// warmingSince is before the first of them was made, by Azure's clock; zero: unknown.
func (l *ledger) warmingSince() time.Time {
	for _, i := range l.increases {
		if i.warm && i.pending > 0 {
			return i.since
		}
	}
	return time.Time{}
}

// chargeWarm deducts n instances that the warm pool has got.
func (l *ledger) chargeWarm(n int) {
	for _, i := range l.increases {
		if i.warm {
			charged := min(n, i.pending)
			i.pending -= charged
			n -= charged
		}
	}
}

// expireWarm no longer waits for instances of the warm pool whose operation has failed, or
// ended long ago, if the list is credible: nobody depends on them, and one that comes later
// is the runner's. As with the runner's own, each further wait is twice as long.
func (l *ledger) expireWarm(v *View) {
	if !l.credits(v) {
		return
	}
	for _, i := range l.increases {
		if !l.isExpiredWarm(i, v) {
			continue
		}
		if i.pending = 0; !i.hasFailed() {
			l.expired++
		}
	}
}

func (l *ledger) isExpiredWarm(i *acceptedIncrease, v *View) bool {
	return i.warm && i.pending > 0 && !i.mayBeUnlisted(v) && (i.hasFailed() || v.At.Sub(i.ended) >= holdAfter(l.expired))
}
