package armsim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// route is an ARM operation under the name that Azure's specification gives it.
type route struct {
	operation string
	method    string
	pattern   string
	action    string // RBAC action demanded
	limit     bucketed
	handle    func(*call) (*answer, *problem)
}

// call is one request on its way through the simulator; the store's lock is
// held while its handler runs.
type call struct {
	server     *Server
	request    *http.Request
	route      *route
	params     map[string]string
	apiVersion string
	body       object
	client     string
	header     http.Header // of the response
	fault      *rule       // that applies, if any
}

func (c *call) param(name string) string { return c.params[name] }
func (c *call) query(name string) string { return queryFold(c.request.URL.Query(), name) }

// queryFold reads a query parameter in any case, as ARM does.
func queryFold(q url.Values, name string) string {
	for key := range q {
		if strings.EqualFold(key, name) {
			return q.Get(key)
		}
	}
	return ""
}

type answer struct {
	status int
	header http.Header
	body   any    // nil: no body
	code   string // of an error
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
	if len(parts) != len(segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = segments[i]
			continue
		}
		if !strings.EqualFold(part, segments[i]) {
			return nil, false
		}
	}
	return params, true
}

// serveARM answers a request to Resource Manager and writes it to the journal.
func (s *Server) serveARM(w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, request: r, header: w.Header(), apiVersion: queryFold(r.URL.Query(), "api-version")}
	c.header.Set("x-ms-request-id", uuid.NewString())
	correlation := cmp.Or(r.Header.Get("x-ms-correlation-request-id"), uuid.NewString())
	c.header.Set("x-ms-correlation-request-id", correlation)

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	s.mu.Lock()
	c.route, c.params = match(s.routes, r.Method, r.URL.Path)
	c.header.Set("x-ms-routing-request-id", strings.ToUpper(s.config.Location)+s.time.now().UTC().Format(":20060102T150405Z:")+correlation)
	if c.route != nil {
		c.fault = s.faultFor(c.subject())
	}
	a := c.perform(body, err)
	s.record(c, a)
	encoded, due := encode(a.body), s.due(c.effect())
	s.mu.Unlock()

	s.interrupted(r.Context(), c.effect(), due)
	if encoded != nil {
		c.header.Set("Content-Type", "application/json; charset=utf-8")
		c.header.Set("Content-Length", strconv.Itoa(len(encoded)))
	}
	for key, values := range a.header {
		c.header[key] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(encoded) // a client that went away is its own affair
}

func encode(body any) []byte {
	if body == nil {
		return nil
	}
	if raw, ok := body.(rawBody); ok {
		return []byte(raw)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("armsim: encode answer: %v", err)) // only maps of JSON values come here
	}
	return encoded
}

func (c *call) answer(body []byte, err error) (*answer, *problem) {
	if c.route == nil {
		return nil, notSimulated(c.request.Method, c.request.URL.Path)
	}
	if p := c.admit(); p != nil {
		return nil, p
	}
	if p := c.checkVersion(); p != nil {
		return nil, p
	}
	if p := c.decode(body, err); p != nil {
		return nil, p
	}
	if p := c.spend(); p != nil {
		return nil, p
	}
	return c.route.handle(c)
}

// admit checks token, subscription and rights, in ARM's order.
func (c *call) admit() *problem {
	client, p := c.server.identity.verify(c.request.Header.Get("Authorization"), c.server.time.now())
	if p != nil {
		return p
	}
	c.client = client.ClientID
	if sub := c.param("subscription"); sub != "" && !strings.EqualFold(sub, c.server.config.SubscriptionID) {
		return subscriptionNotFound(sub)
	}
	if !client.may(c.route.action) {
		return authorizationFailed(client.ClientID, c.route.action, c.request.URL.Path)
	}
	return nil
}

// The first api-version that each provider still answers and the last that is
// known; any date between is taken as registered, which is believed, not so.
var apiVersions = map[string][2]string{
	"microsoft.compute":   {"2015-06-15", "2026-12-31"},
	"microsoft.network":   {"2015-06-15", "2026-12-31"},
	"microsoft.insights":  {"2015-04-01", "2026-12-31"},
	"microsoft.resources": {"2015-01-01", "2026-12-31"},
}

var dated = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-[A-Za-z]+)?$`)

func (c *call) checkVersion() *problem {
	provider := "microsoft.resources"
	if _, rest, ok := strings.Cut(strings.ToLower(c.request.URL.Path), "/providers/"); ok {
		provider, _, _ = strings.Cut(rest, "/")
	}
	switch known := apiVersions[provider]; {
	case c.apiVersion == "":
		return missingAPIVersion()
	case !dated.MatchString(c.apiVersion):
		return invalidAPIVersion(c.apiVersion)
	case c.apiVersion < known[0] || c.apiVersion > known[1]:
		return noRegisteredProvider(provider, c.apiVersion, c.server.config.Location)
	}
	return nil
}

func (c *call) decode(body []byte, err error) *problem {
	if err != nil {
		return invalidRequestContent(err)
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &c.body); err != nil {
		return invalidRequestContent(err)
	}
	if c.body == nil {
		return invalidRequestContent(errors.New("an object is expected"))
	}
	return nil
}

// spend draws from the request limits: Resource Manager's own, by kind of
// request, and the provider's.
func (c *call) spend() *problem {
	kind, remaining, global := "writes", 199, 2999
	switch c.request.Method {
	case http.MethodGet:
		kind, remaining, global = "reads", 249, 3749
	case http.MethodDelete:
		kind = "deletes"
	}
	c.header.Set("x-ms-ratelimit-remaining-subscription-"+kind, fmt.Sprint(remaining))
	c.header.Set("x-ms-ratelimit-remaining-subscription-global-"+kind, fmt.Sprint(global))
	resource := strings.Join([]string{c.param("group"), c.param("scaleSet"), c.param("instance"), c.param("machine"), c.param("operation")}, "/")
	limits := limitsOf(c.route.limit)
	if c.route.operation == "VirtualMachineScaleSets_DeleteInstances" && c.server.config.Unknowns.DeleteSharesUpdateBucket {
		limits = append(limits, limitsOf(limitScaleSetPut)...)
	}
	return c.server.limiter.draw(limits, resource, c.server.time.now(), c.header)
}

func (s *Server) record(c *call, a *answer) {
	e := Entry{
		Time: s.time.now(), Operation: "NotSimulated", Method: c.request.Method, Path: c.request.URL.Path,
		APIVersion: c.apiVersion, IfMatch: c.request.Header.Get("If-Match"), Status: a.status,
		Code: a.code, RequestID: c.header.Get("x-ms-request-id"), ClientID: c.client, Cut: c.effect().Cut,
	}
	if c.route != nil {
		e.Operation = c.route.operation
	}
	if c.body != nil {
		e.Body = withoutSecrets(c.body)
	}
	if c.fault != nil {
		e.Fault = c.fault.Name
	}
	if a.status == http.StatusNotImplemented {
		s.notSimulated = append(s.notSimulated, c.request.Method+" "+c.request.URL.Path)
	}
	s.journal.add(e)
}

// withoutSecrets copies a request's body less what must not be shown.
func withoutSecrets(body object) object {
	copied := cloneObject(body)
	dropSecrets(copied)
	return copied
}
