package instancegroup

import "time"

// hold is about instances that the capacity counts and no list shows. Nothing is
// increased meanwhile.
type hold struct {
	unaccounted int       // such instances
	reported    int       // how many there were when the runner was told
	since       time.Time // when there were some first; zero: there are none
	ended       int       // holds that ended by time
}

// shortestHold is how long unaccounted instances are waited for at least, where
// the list is credible. Each further hold is twice as long.
const (
	shortestHold = 10 * time.Minute
	longestHold  = 8 * time.Hour
)

// holdAfter is how long it is waited after so many holds that ended by time.
func holdAfter(ended int) time.Duration { return min(longestHold, shortestHold<<min(ended, 8)) }

// isOver reports whether it has been waited for long enough.
func (h *hold) isOver(now time.Time) bool {
	return !h.since.IsZero() && now.Sub(h.since) >= holdAfter(h.ended)
}

// set notes how many instances are unaccounted for.
func (h *hold) set(unaccounted int, now time.Time) {
	h.unaccounted = unaccounted
	switch {
	case unaccounted == 0:
		h.since = time.Time{}
	case h.since.IsZero():
		h.since = now
	}
}
