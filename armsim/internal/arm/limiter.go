package arm

import (
	"maps"
	"math"
	"strings"
	"time"
)

// limiter keeps the buckets; the world's lock guards it.
type limiter struct {
	enforce bool
	stepped bool    // Compute's flow in once a minute
	taken   float64 // share of what the subscription has that a neighbour uses up, from 0 to below 1
	buckets map[string]*bucket
	sweepAt int // how many buckets there are when those that are full go; 0: bucketLimit
}

// bucketLimit bounds the memory of a simulator that runs for days: each operation has a
// bucket of its own, and each of its resources.
const bucketLimit = 10_000

type bucket struct {
	tokens float64
	filled time.Time
	full   time.Duration // how long it takes to fill at the most
}

// shortage is a bucket with too few tokens.
type shortage struct {
	limit      string
	retryAfter int // seconds until there are enough, 1 or more
}

// rounding is what sums of tokens may be off by.
const rounding = 1e-6

// take draws n tokens from each bucket and returns what each has left. Where
// limits are enforced and a bucket has fewer, it takes none from any.
func (l *limiter) take(all []limit, owner string, n float64, now time.Time) (left []int, short *shortage) {
	for _, lim := range all {
		lim = l.shared(lim)
		// More than a bucket holds must not wait for ever.
		state := l.bucket(lim, owner, now)
		missing := min(n, lim.burst) - state.tokens
		if missing > rounding && l.enforce {
			return nil, &shortage{lim.name, int(math.Ceil(l.wait(lim, state, missing, now).Seconds() - rounding))}
		}
	}
	for _, lim := range all {
		state := l.bucket(l.shared(lim), owner, now)
		state.tokens = max(0, state.tokens-n)
		left = append(left, int(state.tokens+rounding))
	}
	return left, nil
}

// shared is what a neighbour leaves of a limit. What a resource has is its own.
func (l *limiter) shared(lim limit) limit {
	if lim.scope != ofResource {
		lim.perMinute *= 1 - l.taken
		lim.burst = max(1, lim.burst*(1-l.taken))
	}
	return lim
}

func (l *limiter) bucket(lim limit, owner string, now time.Time) *bucket {
	key := lim.name
	if lim.scope != ofSubscription {
		key += "|" + strings.ToLower(owner)
	}
	state, ok := l.buckets[key]
	if !ok {
		l.sweep(now)
		state = &bucket{tokens: lim.burst, filled: now}
		l.buckets[key] = state
	}
	state.full = time.Duration(min(lim.burst/lim.perMinute, 1e6)+1) * time.Minute
	passed := now.Sub(state.filled)
	if l.inSteps(lim) {
		passed = passed.Truncate(time.Minute)
	}
	state.tokens = min(lim.burst, state.tokens+passed.Minutes()*lim.perMinute)
	state.filled = state.filled.Add(passed)
	return state
}

// sweep forgets buckets that have filled again, where there are many: a new one is full, too.
func (l *limiter) sweep(now time.Time) {
	if len(l.buckets) < max(l.sweepAt, bucketLimit) {
		return
	}
	maps.DeleteFunc(l.buckets, func(_ string, b *bucket) bool { return now.Sub(b.filled) >= b.full })
	l.sweepAt = 2 * len(l.buckets)
}

// wait is how long it takes until what is missing has flowed in.
func (l *limiter) wait(lim limit, state *bucket, missing float64, now time.Time) time.Duration {
	minutes := missing / lim.perMinute
	if l.inSteps(lim) {
		minutes = math.Ceil(minutes - rounding)
	}
	return time.Duration(minutes*float64(time.Minute)) - now.Sub(state.filled)
}

// inSteps reports whether a limit's tokens flow in once a minute, counted from the
// first request that drew from it. Only Compute's present ones may, which count so by
// their name; Resource Manager's are by the second (Microsoft's page).
func (l *limiter) inSteps(lim limit) bool {
	return l.stepped && (strings.HasSuffix(lim.name, "Resource") || strings.HasSuffix(lim.name, "SubscriptionMaximum"))
}
