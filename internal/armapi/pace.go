package armapi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// limit is how often Azure answers a class of calls: so many a minute, and at
// once what has gathered up to burst. The figures are those of Microsoft's
// compute-throttling-limits page for one scale set.
type limit struct{ perMinute, burst float64 }

var limits = map[string]limit{
	listClass:        {10, 30},
	setClass:         {12, 36},
	writeClass:       {4, 12},
	deleteClass:      {4, 12},
	machineListClass: {300, 900},
}

// Classes of calls, as classOf names them.
const (
	listClass        = "GET virtualmachinescalesets/virtualmachines list"
	setClass         = "GET virtualmachinescalesets"
	writeClass       = "PATCH virtualmachinescalesets"
	deleteClass      = "POST virtualmachinescalesets/delete list"
	machineListClass = "GET virtualmachines list"
)

// classOf names the class of a request: its method and resource types.
func classOf(r *http.Request) string {
	_, rest, _ := strings.Cut(strings.ToLower(r.URL.Path), "/providers/")
	segments := strings.Split(strings.Trim(rest, "/"), "/")[1:]
	var types []string
	for n := 0; n < len(segments); n += 2 {
		types = append(types, segments[n])
	}
	class := r.Method + " " + strings.Join(types, "/")
	if len(segments)%2 == 1 {
		class += " list"
	}
	return class
}

// pace counts the calls of each class against its limit, corrects the count by
// what Azure's answers tell, and holds calls back while Azure has asked for
// patience: a call that is sent meanwhile only prolongs the block
// (Microsoft's troubleshooting-throttling-errors page).
type pace struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens  float64
	filled  time.Time
	blocked time.Time // no calls until then
	drawn   int       // requests ever
	cost    int       // requests of the last whole call
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, buckets: map[string]*bucket{}}
}

// refill keeps behind Azure's own count: its clock is another one.
const refill = 0.99

// bucket refills and returns the bucket of a class; the lock must be held.
func (p *pace) bucket(class string) *bucket {
	now, l := p.now(), limits[class]
	b, ok := p.buckets[class]
	if !ok {
		b = &bucket{tokens: l.burst, filled: now, cost: 1}
		p.buckets[class] = b
	}
	b.tokens = min(l.burst, b.tokens+now.Sub(b.filled).Minutes()*l.perMinute*refill)
	b.filled = now
	return b
}

// room is how many whole calls of a class can go out now.
func (p *pace) room(class string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(class)
	if p.now().Before(b.blocked) {
		return 0
	}
	if burst := limits[class].burst; float64(b.cost) > burst && b.tokens >= burst {
		return 1 // it is never more than that
	}
	return int(b.tokens) / b.cost
}

// measure notes how many requests a whole call of a class took. A list that has
// grown may run out of calls before its end: then it costs more than it did.
func (p *pace) measure(class string, call func() error) error {
	p.mu.Lock()
	before := p.bucket(class).drawn
	p.mu.Unlock()
	err := call()
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(class)
	_, short := errors.AsType[*held](err)
	switch drawn := b.drawn - before; {
	case err == nil && drawn > 0:
		b.cost = drawn
	case short && drawn >= b.cost:
		b.cost = 2 * drawn
	}
	return err
}

// Do implements policy.Policy for every single try.
func (p *pace) Do(r *policy.Request) (*http.Response, error) {
	class := classOf(r.Raw())
	if wait := p.draw(class); wait > 0 {
		return nil, &held{wait}
	}
	response, err := r.Next()
	if response != nil {
		p.learn(class, response)
	}
	return response, err
}

// held is the error of a call that was not sent, because Azure has asked to wait.
type held struct{ wait time.Duration }

func (h *held) Error() string {
	return "Azure asked to wait, for another " + h.wait.Round(time.Second).String() + "; nothing was sent"
}

// NonRetriable is the SDK's mark for errors that another try does not mend.
func (*held) NonRetriable() {}

// explain makes an armerr.Error of what a call ended in.
func (c *Client) explain(op string, err error) error {
	if h, ok := errors.AsType[*held](err); ok {
		return &armerr.Error{Op: op, Object: c.object(), Kind: armerr.Throttled, Message: h.Error(), RetryAfter: h.wait}
	}
	return armerr.From(op, c.object(), err)
}

// draw takes a token, or says how long no call may be sent. Only a list that
// never fits goes on without: it would never end.
func (p *pace) draw(class string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(class)
	if wait := b.blocked.Sub(p.now()); wait > 0 {
		return wait
	}
	l, limited := limits[class]
	if missing := 1 - b.tokens; limited && missing > 0 && float64(b.cost) <= l.burst {
		return time.Duration(missing / l.perMinute / refill * float64(time.Minute))
	}
	b.drawn++
	b.tokens = max(0, b.tokens-1)
	return 0
}

// patience is the pause after a 429 that names none.
const patience = 15 * time.Second

func (p *pace) learn(class string, r *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bucket(class)
	if left, told := remaining(r.Header); told {
		b.tokens = min(b.tokens, float64(left))
	}
	if r.StatusCode == http.StatusTooManyRequests {
		wait := armerr.RetryAfterOf(r.Header)
		if wait == 0 {
			wait = patience
		}
		b.tokens, b.blocked = 0, p.now().Add(wait)
	}
}

// remaining reads the least that is left of the buckets that count calls, as in
// "Microsoft.Compute/HighCostGetVMScaleSetResource;29". Others count VMs.
func remaining(h http.Header) (int, bool) {
	least, told := 0, false
	for _, entry := range strings.Split(strings.Join(h.Values("x-ms-ratelimit-remaining-resource"), ","), ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(entry), ";")
		left, err := strconv.Atoi(text)
		if err != nil || !strings.HasSuffix(name, "Resource") && !strings.HasSuffix(name, "SubscriptionMaximum") || strings.Contains(name, "VMViews") || strings.Contains(name, "BatchedVM") {
			continue
		}
		if !told || left < least {
			least, told = left, true
		}
	}
	return least, told
}

// Room implements instancegroup.Cloud.
func (c *Client) Room(call instancegroup.Call) int {
	switch call {
	case instancegroup.ReadScaleSet:
		return c.pace.room(setClass)
	case instancegroup.WriteScaleSet:
		return c.pace.room(writeClass)
	case instancegroup.DeleteBatch:
		return c.pace.room(deleteClass)
	case instancegroup.ListMachines:
		return c.pace.room(machineListClass)
	}
	return c.pace.room(listClass)
}
