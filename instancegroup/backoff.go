package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// backoff pauses something after it failed: longer each time it fails again,
// until it succeeds. From the first failure to that is an episode.
type backoff struct {
	shortest, longest time.Duration

	failures int
	until    time.Time
	cause    error // of the last failure
}

// fail lengthens the pause, at least to what the error asks for, and reports
// whether an episode begins with it.
func (b *backoff) fail(now time.Time, err error) (first bool) {
	pause := b.longest
	if b.failures < 16 {
		pause = min(pause, b.shortest<<b.failures)
	}
	b.failures++
	b.cause = err
	b.until = now.Add(max(pause, armerr.RetryAfter(err)))
	return b.failures == 1
}

func (b *backoff) active(now time.Time) bool { return now.Before(b.until) }

// reset ends the episode and returns how often it failed.
func (b *backoff) reset() int {
	failures := b.failures
	b.failures, b.until = 0, time.Time{}
	return failures
}

// ease is for a success among failures: it halves the next pause.
func (b *backoff) ease() {
	if b.failures /= 2; b.failures == 0 {
		b.until = time.Time{}
	}
}

// increaseBackoffs are the reasons to leave demand with the runner.
type increaseBackoffs struct {
	start     startBreaker // instances that never served
	rejection backoff      // by Azure, of the increase itself
	transient backoff      // errors that are likely to pass within a minute

	refusedSize int // the least that was refused for its size in this episode; 0: nothing
}

func newIncreaseBackoffs() increaseBackoffs {
	return increaseBackoffs{
		start:     startBreaker{backoff: backoff{shortest: 15 * time.Second, longest: 10 * time.Minute}},
		rejection: backoff{shortest: 15 * time.Second, longest: 10 * time.Minute},
		transient: backoff{shortest: 2 * time.Second, longest: time.Minute},
	}
}

func (b *increaseBackoffs) active(now time.Time) bool {
	return b.start.active(now) || b.rejection.active(now) || b.transient.active(now)
}

// accepted ends the episodes of refusals and returns how many there were.
func (b *increaseBackoffs) accepted() int {
	b.refusedSize = 0
	return b.rejection.reset() + b.transient.reset()
}

// size is how many instances to ask for first: less than was refused lately, and
// less with each increase whose instances did not come up. Where Azure has no
// machines left it accepts increases all the same, and the capacity keeps what it
// did not create: in Flexible orchestration for good, up to the limit of a scale
// set.
func (b *increaseBackoffs) size(n int) int {
	if b.isProbing() {
		n >>= min(b.start.failures-1, 16)
	}
	if b.refusedSize > 0 {
		n = min(n, b.refusedSize/2)
	}
	return max(1, n)
}

// isProbing reports whether instances failed to come up repeatedly. Then one increase
// at a time finds out whether they do now.
func (b *increaseBackoffs) isProbing() bool { return b.start.failures > 1 }

func (b *increaseBackoffs) refuseSize(n int) {
	if b.refusedSize == 0 || n < b.refusedSize {
		b.refusedSize = n
	}
}

// refused counts an error of an increase against its kind.
func (b *increaseBackoffs) refused(now time.Time, err error) (first bool, failures int) {
	kind := &b.rejection
	if isTransient(err) {
		kind = &b.transient
	}
	first = kind.fail(now, err)
	return first, kind.failures
}

// isTransient reports whether an error is likely to pass within a minute.
func isTransient(err error) bool {
	return armerr.IsSystemic(err) || armerr.Is(err, armerr.Conflict, armerr.Preempted, armerr.Precondition)
}
