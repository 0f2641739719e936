package budget

import (
	"net/http"
	"time"
)

// Azure Resource Graph counts requests in a window of a minute that moves (Microsoft's
// pages azure-resource-graph-get-list-api and guidance-for-throttled-requests).
const (
	graphRemaining   = "x-ms-user-quota-remaining"
	graphResetsAfter = "x-ms-user-quota-resets-after" // hh:mm:ss
)

// ByGraph reports whether Resource Graph answered, rather than the provider.
func ByGraph(h http.Header) bool {
	_, ok := count(h.Get(graphRemaining))
	return ok
}

// ByProvider reports whether Compute answered.
func ByProvider(h http.Header) bool { return !ByGraph(h) && limits(h) != "" }

// Charge counts a request against the limit of a class that it was sent without.
// Resource Manager's has counted it already.
func (b *Budget) Charge(c Class, h http.Header) {
	b.mu.Lock()
	k := b.bucketLocked(c)
	k.tokens = max(0, k.tokens-1)
	b.mu.Unlock()
	b.Correct(c, h)
}

// graphWait is how long a 429 of Resource Graph asks to wait; zero: it does not say.
func graphWait(h http.Header) time.Duration {
	at, err := time.Parse(time.TimeOnly, h.Get(graphResetsAfter))
	if err != nil {
		return 0
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second
}
