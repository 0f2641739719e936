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

// New makes a budget of full buckets; now is its clock.
func New(now func() time.Time) *Budget {
	return &Budget{now: now, buckets: map[Class]*bucket{}}
}

// refill keeps behind Azure's own count: its clock is another one.
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

// Remaining is how many whole calls of a limited class can be sent now.
func (b *Budget) Remaining(c Class) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	if b.now().Before(k.blocked) {
		return 0
	}
	if l, _ := limitOf(c); float64(k.cost) > l.burst && k.tokens >= l.burst {
		return 1 // it is never more than that
	}
	return int(k.tokens) / k.cost
}

// Take counts a request that is about to be sent. A *WaitError says that it must
// not be: Azure has asked to wait, or the budget is used up. Only a list that
// never fits into the budget goes on without: it would never end.
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

// Measure makes a call of a class and notes how many requests it took. A list
// that has grown may find the budget used up before its end: then it costs more
// than it did.
func (b *Budget) Measure(c Class, call func() error) error {
	b.mu.Lock()
	before := b.bucketLocked(c).requests
	b.mu.Unlock()
	err := call()
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	_, short := errors.AsType[*WaitError](err)
	switch requests := k.requests - before; {
	case err == nil && requests > 0:
		k.cost = requests
	case short && requests >= k.cost:
		k.cost = 2 * requests
	}
	return err
}

// Correct lowers the count to what the headers of a response say is left.
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

// defaultBlock is the pause after a 429 that names none.
const defaultBlock = 15 * time.Second

// Block lets no request of a class through for as long as a 429 asks to wait;
// zero where it does not say. What is sent meanwhile only prolongs Azure's block
// (Microsoft's troubleshooting-throttling-errors page).
func (b *Budget) Block(c Class, wait time.Duration) {
	if wait == 0 {
		wait = defaultBlock
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	k.tokens, k.blocked = 0, b.now().Add(wait)
}

// remaining reads the least that is left of the buckets that count calls, as in
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

// WaitError is the error of a request that was not sent, to keep within Azure's
// limits.
type WaitError struct {
	Wait time.Duration // until it may be sent
}

// Error says how long to wait, in whole seconds.
func (e *WaitError) Error() string {
	return "Azure asked to wait, for another " + e.Wait.Round(time.Second).String() + "; nothing was sent"
}

// NonRetriable is the mark by which Azure's SDK knows errors that another try
// does not mend.
func (*WaitError) NonRetriable() {}
