package budget

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Budget counts the requests of each class for one scale set against Azure's limits. It is
// safe for concurrent use.
type Budget struct {
	now func() time.Time

	mu     *sync.Mutex       // guards what follows, and is that of all of the subscription
	common map[Class]*bucket // of all scale sets of the subscription
	own    map[Class]*bucket
	calls  map[Class]*calls
	shared bool // deletions count against the limit on writes, too
}

// calls are the requests of a class for one scale set.
type calls struct {
	requests int // ever
	cost     int // requests of the last whole call
}

// New returns a budget of full buckets; now is its clock.
func New(now func() time.Time) *Budget {
	b := &Budget{now: now, mu: &sync.Mutex{}, common: map[Class]*bucket{}}
	return b.ForScaleSet()
}

// ForScaleSet returns a budget for another scale set of the subscription. What Azure limits
// for all of a subscription they share.
func (b *Budget) ForScaleSet() *Budget {
	return &Budget{now: b.now, mu: b.mu, common: b.common, own: map[Class]*bucket{}, calls: map[Class]*calls{}}
}

// callsLocked returns the requests of a class.
func (b *Budget) callsLocked(c Class) *calls {
	if b.calls[c] == nil {
		b.calls[c] = &calls{cost: 1}
	}
	return b.calls[c]
}

// bucketLocked refills and returns the bucket of a class.
func (b *Budget) bucketLocked(c Class) *bucket {
	now, buckets := b.now(), b.common
	if isOfScaleSet(c) {
		buckets = b.own
	}
	k, ok := buckets[c]
	if !ok {
		k = newBucket(c, now)
		buckets[c] = k
	}
	k.refill(now)
	return k
}

// bucketsLocked are all buckets that a class counts against, its own first.
func (b *Budget) bucketsLocked(c Class) []*bucket {
	manager, _ := managerOf(c)
	all := []*bucket{b.bucketLocked(c), b.bucketLocked(manager)}
	if c == DeleteInstances && b.shared {
		all = append(all, b.bucketLocked(WriteScaleSet))
	}
	return all
}

// canWait reports whether a request is one of many reads, which leave some to others.
func canWait(c Class) bool { return strings.HasPrefix(string(c), "GET ") && c != ReadScaleSet }

// Remaining returns how many whole calls of a limited class can be made now.
func (b *Budget) Remaining(c Class) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.bucketsLocked(c)
	cost, least := b.callsLocked(c).cost, -1
	for _, k := range all {
		calls := int(k.left(canWait(c))) / cost
		switch {
		case b.now().Before(k.blocked):
			calls = 0
		case !k.limited:
			continue
		case calls == 0 && k.left(canWait(c)) >= 1 && k.tokens >= min(k.burst, k.ceiling)-1:
			calls = 1 // a full bucket is all there will ever be
		}
		if least < 0 || calls < least {
			least = calls
		}
	}
	return max(0, least)
}

// Room is what the limit on a list leaves.
type Room struct {
	Pages     int     // that can be read now
	Cost      int     // pages of the last whole list, at least 1
	PerMinute float64 // pages that become possible per minute
}

// Room returns what is left for a list.
func (b *Budget) Room(c Class) Room {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.bucketLocked(c)
	r := Room{Cost: b.callsLocked(c).cost, PerMinute: k.rate}
	for n, each := range b.bucketsLocked(c) {
		pages := max(0, int(each.left(true)))
		if b.now().Before(each.blocked) {
			pages = 0
		}
		if n == 0 || pages < r.Pages {
			r.Pages = pages
		}
	}
	return r
}

// Take counts a request that is about to be sent. With a *WaitError it must not be
// sent: Azure has asked to wait, or the budget is used up.
func (b *Budget) Take(c Class) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.bucketsLocked(c)
	var wait time.Duration
	for _, k := range all {
		wait = max(wait, k.wait(1, canWait(c), b.now()))
	}
	if wait > 0 {
		return &WaitError{wait}
	}
	for _, k := range all {
		k.take()
	}
	b.callsLocked(c).requests++
	return nil
}

// Afford returns a *WaitError if n further requests of a class take longer than
// patience to become possible. A call of many requests that nobody waits for had better
// not go on: what it takes is missing for the next.
func (b *Budget) Afford(c Class, n int, patience time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.bucketsLocked(c) {
		if wait := k.wait(float64(n), canWait(c), b.now()); wait > patience {
			return &WaitError{wait}
		}
	}
	return nil
}

// Measure makes a call of a class and records how many requests it took.
func (b *Budget) Measure(c Class, call func() error) error {
	b.mu.Lock()
	before := b.callsLocked(c).requests
	b.mu.Unlock()
	err := call()
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.callsLocked(c)
	if requests := k.requests - before; requests > k.cost || err == nil && requests > 0 {
		k.cost = requests
	}
	return err
}

// Correct takes over from the headers of a response what is left, and how Azure
// counts.
func (b *Budget) Correct(c Class, h http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	manager, kind := managerOf(c)
	if left, ok := count(h.Get("x-ms-ratelimit-remaining-subscription-" + kind)); ok {
		b.bucketLocked(manager).correct(left, b.now())
	}
	left, ok := remaining(h)
	if c == ListByGraph {
		left, ok = count(h.Get(graphRemaining))
	}
	if !ok {
		return
	}
	k := b.bucketLocked(c)
	switch {
	case c == ReadInstance && k.limited && k.repeats(left, b.now()):
		k.limited = false // each instance has a bucket of its own
	case c == DeleteInstances && sharesWrites(h):
		b.shared = true
		b.bucketLocked(WriteScaleSet).correct(left, b.now())
	default:
		k.correct(left, b.now())
	}
}

// defaultBlock is the pause after a 429 without Retry-After.
const defaultBlock = 15 * time.Second

// Block stops all requests of a class for the Retry-After of a 429; zero: it had
// none. Of several 429s, which concurrent requests get, the longest counts.
// Requests sent earlier prolong Azure's block (Microsoft's
// troubleshooting-throttling-errors page). A 429 that names no limit of the provider is
// Resource Manager's, and meets all requests of the kind.
func (b *Budget) Block(c Class, wait time.Duration, h http.Header) {
	if wait == 0 && c == ListByGraph {
		wait = graphWait(h)
	}
	if wait == 0 {
		wait = defaultBlock
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	until := b.now().Add(wait)
	b.bucketLocked(c).block(until)
	manager, kind := managerOf(c)
	if left, ok := count(h.Get("x-ms-ratelimit-remaining-subscription-" + kind)); ok && left < 1 && limits(h) == "" {
		b.bucketLocked(manager).block(until)
	}
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
