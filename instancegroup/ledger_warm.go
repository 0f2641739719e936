package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// recordWarm adds n accepted instances for the warm pool.
func (l *ledger) recordWarm(n int, capacity int64, id vmss.Operation, at time.Time) {
	l.recordIncrease(n, capacity, id, at)
	l.increases[len(l.increases)-1].warm = true
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
// ended long ago: nobody depends on them, and one that comes later is the runner's.
func (l *ledger) expireWarm(v *View) {
	for _, i := range l.increases {
		if i.warm && !i.mayBeUnlisted(v) && (i.hasFailed() || v.At.Sub(i.ended) >= shortestHold) {
			i.pending = 0
		}
	}
}
