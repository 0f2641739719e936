package instancegroup

import "time"

// readability is the time in which Azure let this identity read instances, as far as
// it was asked: an empty list counts for nothing unless that was so before and after.
type readability struct {
	from, to time.Time // the first and the last answer; zero: none yet
	refused  time.Time // the last refusal
}

// readabilityGap is how far apart two answers may be for the time between them to
// count.
const readabilityGap = time.Minute

func (r *readability) record(readable bool, now time.Time) {
	switch {
	case !readable:
		*r = readability{refused: now}
	case r.from.IsZero() || now.Sub(r.to) > readabilityGap:
		r.from, r.to = now, now
	default:
		r.to = now
	}
}

// covers reports whether the identity could read instances before and after a time.
func (r *readability) covers(at time.Time) bool {
	return !r.from.IsZero() && !at.Before(r.from) && !at.After(r.to)
}

// mayAsk is false for a while after a refusal.
func (r *readability) mayAsk(now time.Time) bool { return now.Sub(r.refused) >= proofInterval }
