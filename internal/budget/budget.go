package budget

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Budget counts the requests of each class against its limit. It is safe for
// concurrent use.
type Budget struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[Class]*bucket
}

type bucket struct {
	tokens   float64
	filled   time.Time
	blocked  time.Time // no request until then
	requests int       // taken, ever
	cost     int       // requests of the last whole call
}

// New returns a budget of full buckets; now is its clock.
func New(now func() time.Time) *Budget {
	return &Budget{now: now, buckets: map[Class]*bucket{}}
}

// refill keeps the count below Azure's: the clocks differ.
const refill = 0.99

// bucketLocked refills and returns the bucket of a class.
func (b *Budget) bucketLocked(c Class) *bucket {
	now := b.now()
	l, _ := limitOf(c)
	k, ok := b.buckets[c]
	if !ok {
		k = &bucket{tokens: l.burst, filled: now, cost: 1}
		b.buckets[c] = k
	}
	k.tokens = min(l.burst, k.tokens+now.Sub(k.filled).Minutes()*l.perMinute*refill)
	k.filled = now
	return k
}

// Remaining returns how many whole calls of a limited class can be made now.
func (b *Budget) Remaining(c Class) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	if b.now().Before(k.blocked) {
		return 0
	}
	if l, _ := limitOf(c); float64(k.cost) > l.burst && k.tokens >= l.burst {
		return 1 // a full bucket is all there will ever be
	}
	return int(k.tokens) / k.cost
}

// Take counts a request that is about to be sent. With a *WaitError it must not be
// sent: Azure has asked to wait, or the budget is used up. A list that does not fit
// into a full bucket may continue with an empty one: it would never complete.
func (b *Budget) Take(c Class) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	if wait := k.blocked.Sub(b.now()); wait > 0 {
		return &WaitError{wait}
	}
	l, limited := limitOf(c)
	if missing := 1 - k.tokens; limited && missing > 0 && float64(k.cost) <= l.burst {
		return &WaitError{time.Duration(missing / l.perMinute / refill * float64(time.Minute))}
	}
	k.requests++
	k.tokens = max(0, k.tokens-1)
	return nil
}

// Afford returns a *WaitError if n further requests of a class take longer than
// patience to become possible. A call of many requests that cannot be completed had
// better not go on: what it takes is missing for the next.
func (b *Budget) Afford(c Class, n int, patience time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, limited := limitOf(c)
	missing := float64(n) - b.bucketLocked(c).tokens
	if !limited || missing <= 0 {
		return nil
	}
	if wait := time.Duration(missing / l.perMinute / refill * float64(time.Minute)); wait > patience {
		return &WaitError{wait}
	}
	return nil
}

// Measure makes a call of a class and records how many requests it took. If a list
// has grown and uses up the budget before its end, a higher cost is assumed from
// then on.
func (b *Budget) Measure(c Class, call func() error) error {
	b.mu.Lock()
	before := b.bucketLocked(c).requests
	b.mu.Unlock()
	err := call()
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	_, exhausted := errors.AsType[*WaitError](err)
	switch requests := k.requests - before; {
	case err == nil && requests > 0:
		k.cost = requests
	case exhausted && requests >= k.cost:
		k.cost = 2 * requests
	}
	return err
}

// Correct lowers the count to what is left according to the headers of a response.
func (b *Budget) Correct(c Class, h http.Header) {
	left, ok := remaining(h)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	k.tokens = min(k.tokens, float64(left))
}

// defaultBlock is the pause after a 429 without Retry-After.
const defaultBlock = 15 * time.Second

// Block stops all requests of a class for the Retry-After of a 429; zero: it had
// none. Of several 429s, which concurrent requests get, the longest counts.
// Requests sent earlier prolong Azure's block (Microsoft's
// troubleshooting-throttling-errors page).
func (b *Budget) Block(c Class, wait time.Duration) {
	if wait == 0 {
		wait = defaultBlock
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	k.tokens = 0
	if until := b.now().Add(wait); until.After(k.blocked) {
		k.blocked = until
	}
}

// remaining returns the lowest count among the buckets that count calls, as in
// "Microsoft.Compute/HighCostGetVMScaleSetResource;29". Others count VMs.
func remaining(h http.Header) (least int, ok bool) {
	for _, entry := range strings.Split(strings.Join(h.Values("x-ms-ratelimit-remaining-resource"), ","), ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(entry), ";")
		left, err := strconv.Atoi(text)
		if err != nil || !countsCalls(name) {
			continue
		}
		if !ok || left < least {
			least, ok = left, true
		}
	}
	return least, ok
}

func countsCalls(bucket string) bool {
	if strings.Contains(bucket, "VMViews") || strings.Contains(bucket, "BatchedVM") {
		return false
	}
	return strings.HasSuffix(bucket, "Resource") || strings.HasSuffix(bucket, "SubscriptionMaximum")
}

// WaitError is the error of a request that was not sent, to stay within Azure's
// limits.
type WaitError struct {
	Wait time.Duration // time until it may be sent
}

// Error includes the time to wait in whole seconds.
func (e *WaitError) Error() string {
	return "request limit reached: retry in " + e.Wait.Round(time.Second).String() + "; nothing was sent"
}

// NonRetriable marks the error as one that Azure's SDK must not retry.
func (*WaitError) NonRetriable() {}
