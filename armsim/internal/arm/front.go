package arm

import (
	"cmp"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/entra"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

type (
	object   = jsonmap.Object
	response = azhttp.Response
	problem  = azhttp.Problem
)

// Config sets up a Front. All of it is needed.
type Config struct {
	SubscriptionID string
	TenantID       string
	Location       string
	PageSize       int  // entries on a list page
	Polite         bool // no odd case, no unknown fields
	Throttle       bool // enforce request limits
	ResourceGraph  bool // lists of instances may go through Azure Resource Graph

	CheckReferences bool // scale sets, machines and interfaces name networks that exist

	NewestAPIVersion map[string]string // by provider; a provider that is missing has none

	World   *world.World
	Rules   *fault.Rules
	Issuer  *entra.Issuer
	Journal *azhttp.Journal
	Gate    azhttp.Gate
	Lock    sync.Locker // of the world
}

// Front responds to requests to Resource Manager.
type Front struct {
	config   Config
	routes   []route
	renderer *renderer
	limiter  limiter
	history  history
	quota    graphQuota
	encoder  azhttp.Encoder
	activities
}

// New makes a front.
func New(c Config) *Front {
	return &Front{
		config: c, routes: newRoutes(), renderer: &renderer{world: c.World, random: c.World.Random, tenant: c.TenantID, polite: c.Polite},
		limiter: limiter{enforce: c.Throttle, stepped: c.World.Unknowns().RefillByMinute, buckets: map[string]*bucket{}},
		history: history{clock: c.World.Clock}, quota: graphQuota{enforce: c.Throttle, sent: map[string][]time.Time{}},
	}
}

// Operations are all that is simulated.
func Operations() []fault.Operation {
	var all []fault.Operation
	for _, r := range newRoutes() {
		all = append(all, fault.Operation{ID: r.operation, Method: r.method})
	}
	return all
}

// ShareLimitsLocked leaves a share of the subscription's limits, from 0 to below 1,
// to others. The lock must be held.
func (f *Front) ShareLimitsLocked(taken float64) { f.limiter.taken = taken }

// ForgetHistoryLocked drops the responses that faults could have given again. The
// lock must be held.
func (f *Front) ForgetHistoryLocked() { f.history.responses = nil }

// ServeHTTP responds to a request and writes it to the journal. It panics with
// http.ErrAbortHandler where a fault cuts the connection.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := f.newCall(r, w.Header())
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	a, encoded, due := c.perform(body, err)
	f.config.Gate.Wait(r.Context(), c.effect(), due)
	a.Send(w, encoded)
}

func (f *Front) newCall(r *http.Request, header http.Header) *call {
	q := query(r.URL.Query())
	c := &call{
		lookup: lookup{world: f.config.World, request: r}, pager: pager{url: r.URL, host: r.Host, query: q, size: f.config.PageSize},
		operationLinks: operationLinks{
			host: r.Host, subscription: f.config.SubscriptionID, location: strings.ToLower(f.config.Location), apiVersion: q.get("api-version"),
		},
		front: f, render: f.renderer, header: header,
	}
	header.Set("x-ms-request-id", uuid.NewString())
	c.correlation = cmp.Or(r.Header.Get("x-ms-correlation-request-id"), uuid.NewString())
	header.Set("x-ms-correlation-request-id", c.correlation)
	return c
}

// perform does under the lock all that is to be done, and returns the response,
// its encoded body and when it may go out.
func (c *call) perform(body []byte, err error) (a *response, encoded []byte, due <-chan struct{}) {
	f := c.front
	f.config.Lock.Lock()
	defer f.config.Lock.Unlock()
	c.route, c.params = match(f.routes, c.request.Method, c.request.URL.Path)
	c.header.Set("Date", f.now().UTC().Format(http.TimeFormat))
	c.header.Set("x-ms-routing-request-id", strings.ToUpper(f.config.Location)+f.now().UTC().Format(":20060102T150405Z:")+c.correlation)
	if c.route != nil {
		c.fault = f.config.Rules.For(c.subject(body))
	}
	a = c.respondInAnyCase(body, err)
	if a.Status == http.StatusUnauthorized {
		c.challenge(a)
	}
	c.record(a)
	return a, f.encoder.Encode(a.Body), f.config.Gate.DueLocked(c.effect())
}

// respondInAnyCase is the response, a 500 where the simulator has a fault of its own: the
// client and the journal then say what, and the simulator goes on.
func (c *call) respondInAnyCase(body []byte, err error) (a *response) {
	defer func() {
		if fault := recover(); fault != nil {
			a = internalError(fault).Response()
		}
	}()
	return c.respondUnderFault(body, err)
}

// match finds the route of a path in any case. Values keep their case.
func match(routes []route, method, path string) (*route, map[string]string) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i := range routes {
		if routes[i].method != method {
			continue
		}
		if params, ok := matchPattern(routes[i].pattern, segments); ok {
			return &routes[i], params
		}
	}
	return nil, nil
}

func matchPattern(pattern string, segments []string) (map[string]string, bool) {
	parts := strings.Split(strings.Trim(pattern, "/"), "/")
	if parts[0] == "{scope}" {
		return matchScope(parts[1:], segments)
	}
	if len(parts) != len(segments) {
		return nil, false
	}
	params := map[string]string{}
	return params, matchParts(parts, segments, params)
}

// matchParts takes the parameters of as many segments as there are parts.
func matchParts(parts, segments []string, params map[string]string) bool {
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = segments[i]
			continue
		}
		if !strings.EqualFold(part, segments[i]) {
			return false
		}
	}
	return true
}

// matchScope matches a pattern that begins with a scope: a subscription, a group
// or a resource, which is as many segments as are left.
func matchScope(parts, segments []string) (map[string]string, bool) {
	n := len(segments) - len(parts)
	if n < 2 || n%2 != 0 || !strings.EqualFold(segments[0], "subscriptions") {
		return nil, false
	}
	params := map[string]string{"scope": "/" + strings.Join(segments[:n], "/"), "subscription": segments[1]}
	if n > 2 {
		if !strings.EqualFold(segments[2], "resourceGroups") {
			return nil, false
		}
		params["group"] = segments[3]
	}
	return params, matchParts(parts, segments[n:], params)
}
