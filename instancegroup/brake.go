package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// brake holds something back after it failed: longer each time it fails again,
// until it has worked. From the first failure to that is an episode. It is not
// safe for concurrent use.
type brake struct {
	shortest, longest time.Duration

	failures int
	until    time.Time
}

// fail lengthens the pause, at least to what the error asks for, and says whether
// an episode begins with it.
func (b *brake) fail(now time.Time, err error) (first bool) {
	pause := b.longest
	if b.failures < 16 {
		pause = min(pause, b.shortest<<b.failures)
	}
	b.failures++
	b.until = now.Add(max(pause, armerr.RetryAfter(err)))
	return b.failures == 1
}

func (b *brake) held(now time.Time) bool { return now.Before(b.until) }

// release ends the episode and returns how often it failed.
func (b *brake) release() int {
	failures := b.failures
	b.failures, b.until = 0, time.Time{}
	return failures
}

// ease is for a success among failures: it halves the next pause.
func (b *brake) ease() {
	if b.failures /= 2; b.failures == 0 {
		b.until = time.Time{}
	}
}
