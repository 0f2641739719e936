package instancegroup

import "time"

// startWindow is over how many starts of instances the breaker judges.
const startWindow = 16

// startBreaker pauses increases while instances do not come up: else the runner
// would ask for others at once, and again. It weighs the starts that failed
// against those that succeeded lately, as some always fail where many are made.
type startBreaker struct {
	backoff
	served, failed int // lately
}

// record counts starts, and reports whether increases pause from now on, and
// whether these are the first failures in a while. What comes to light during a
// pause is of increases before it, and does not prolong it.
func (b *startBreaker) record(now time.Time, served, failed int) (tripped, first bool) {
	first = failed > 0 && b.failed == 0 && b.failures == 0
	b.served, b.failed = b.served+served, b.failed+failed
	switch {
	case b.served >= b.failed && served > 0:
		b.ease()
	case b.served < b.failed && failed > 0 && !b.active(now):
		tripped = true
		b.fail(now, nil)
	}
	for b.served+b.failed > startWindow {
		b.served, b.failed = b.served/2, b.failed/2
	}
	return tripped, first
}
