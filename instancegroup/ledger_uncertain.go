package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// uncertainWrite is a capacity write of which nobody knows whether Azure
// carried it out.
type uncertainWrite struct {
	etag   string // before it
	target int64
	count  int
	origin *origin // of one for the warm pool
}

// tookEffect reports whether a scale set that has another ETag since shows that
// the write took effect. It was sent once and under If-Match, so a capacity that
// has arrived at the target is ours: a foreign write would have had to move it
// there by itself.
func (u uncertainWrite) tookEffect(set vmss.ScaleSet) bool {
	return set.HasCapacity && set.Capacity == u.target
}

// recordUncertain keeps a write whose outcome is to be read from the scale set
// before the next one.
func (l *ledger) recordUncertain(u uncertainWrite) { l.uncertain = &u }

// settleUncertain counts an uncertain write as accepted after all, up to n, if
// the scale set shows its effect. It returns how many were accepted that the runner waits
// for.
func (l *ledger) settleUncertain(set vmss.ScaleSet, n int, now time.Time) int {
	u := l.uncertain
	if u == nil || set.ETag == u.etag { // the next write has the same condition: only one can succeed
		return 0
	}
	l.uncertain = nil
	if !u.tookEffect(set) || u.count <= 0 {
		return 0
	}
	if u.origin != nil {
		l.recordWarm(u.count, u.target, "", now, *u.origin)
		return 0
	}
	n = min(n, u.count)
	l.recordIncrease(n, u.target, "", now)
	return n
}
