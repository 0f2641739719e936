package budget

import "time"

// bucket is what is left of one limit.
type bucket struct {
	limit
	limited bool
	tokens  float64
	filled  time.Time
	blocked time.Time // no request until then
	rate    float64   // tokens that flow in per minute, as far as others leave them
	ceiling float64   // the most that there is at once

	window sample
	same   sample // since when responses show the same count
}

// sample is the beginning of a time in which the responses show how fast the bucket
// fills.
type sample struct {
	at   time.Time
	left float64
	took int
}

// refill keeps the count below Azure's: the clocks differ.
const refill = 0.99

func newBucket(c Class, now time.Time) *bucket {
	l, limited := limitOf(c)
	return &bucket{limit: l, limited: limited, tokens: l.burst, filled: now, rate: l.perMinute, ceiling: l.burst}
}

func (k *bucket) refill(now time.Time) {
	most := k.burst
	if k.spare > 0 {
		most = k.ceiling // others leave no more than that
	}
	k.tokens = min(most, k.tokens+now.Sub(k.filled).Minutes()*k.rate*refill)
	k.filled = now
}

// left is how many requests may be sent now. Those that can wait leave some of what
// others share.
func (k *bucket) left(canWait bool) float64 {
	if canWait {
		return k.tokens - k.spare*k.ceiling
	}
	return k.tokens
}

// wait is how long it takes until n requests may be sent; zero: now.
func (k *bucket) wait(n float64, canWait bool, now time.Time) time.Duration {
	wait := max(0, k.blocked.Sub(now))
	if missing := n - k.left(canWait); k.limited && missing > 0 {
		wait = max(wait, time.Duration(missing/k.rate/refill*float64(time.Minute)))
	}
	return wait
}

func (k *bucket) take() {
	k.tokens = max(0, k.tokens-1)
}

// correct takes over what a response says is left. Others may use the same bucket, or
// Azure may count otherwise.
func (k *bucket) correct(left float64, now time.Time) {
	k.window.took++ // those under way do not show in the count yet
	if k.tokens >= 0.9*k.ceiling && left < 0.8*k.tokens || left > k.ceiling {
		k.ceiling = min(k.burst, left+1) // a part of the bucket is all there ever is
		if k.spare > 0 {
			k.rate = min(k.rate, k.perMinute*k.ceiling/k.burst) // and as large a part of what flows in, until more is seen
		}
	}
	k.learn(left, now)
	switch more := left - k.tokens; {
	case more < 0:
		k.tokens = left
	case more > k.atOnce && more > k.tokens/10: // requests under way may still lower it
		k.tokens += more / 2
	}
}

// repeated is how often the same count must come, and within which time, for it not to be
// of one bucket: each request takes one, and none flows in so soon.
const (
	repeated       = 3
	repeatedWithin = 2 * time.Second
)

// repeats reports whether responses count different buckets.
func (k *bucket) repeats(left float64, now time.Time) bool {
	if left != k.same.left || now.Sub(k.same.at) > repeatedWithin {
		k.same = sample{at: now, left: left}
	}
	k.same.took++
	return k.same.took >= repeated
}

// A sample lasts for shortestWindow at least, and until as much flows in as makes up for
// the rounding of the counts; and not longWindows times as long.
const (
	shortestWindow = 5 * time.Second
	inflow         = 8
	longWindows    = 12
)

// learn finds out how fast the bucket fills for this process: others may take a part
// of what flows in. A full one tells nothing.
func (k *bucket) learn(left float64, now time.Time) {
	lasted := now.Sub(k.window.at)
	shortest := max(shortestWindow, time.Duration(inflow/k.perMinute*float64(time.Minute)))
	if lasted < shortest && !k.window.at.IsZero() {
		return
	}
	if lasted <= longWindows*shortest && left < 0.9*k.ceiling {
		seen := (left - k.window.left + float64(k.window.took)) / lasted.Minutes()
		k.rate = (k.rate + min(k.perMinute, max(k.perMinute/50, seen))) / 2
	}
	k.window = sample{at: now, left: left}
}

// block stops everything until then.
func (k *bucket) block(until time.Time) {
	k.tokens = 0
	if until.After(k.blocked) {
		k.blocked = until
	}
}
