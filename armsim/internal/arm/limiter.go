package arm

import (
	"math"
	"strings"
	"time"
)

// limiter keeps the buckets; the world's lock guards it.
type limiter struct {
	enforce bool
	taken   float64 // share of what the subscription has that a neighbour uses up, from 0 to below 1
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	filled time.Time
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
		missing := min(n, lim.burst) - l.bucket(lim, owner, now).tokens
		if missing > rounding && l.enforce {
			return nil, &shortage{lim.name, int(math.Ceil(missing/lim.perMinute*60 - rounding))}
		}
	}
	for _, lim := range all {
		state := l.bucket(l.shared(lim), owner, now)
		state.tokens = max(0, state.tokens-n)
		left = append(left, int(state.tokens))
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
		state = &bucket{tokens: lim.burst, filled: now}
		l.buckets[key] = state
	}
	state.tokens = min(lim.burst, state.tokens+now.Sub(state.filled).Minutes()*lim.perMinute)
	state.filled = now
	return state
}
