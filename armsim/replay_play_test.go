package armsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// replayer plays one recording against a simulator of its own. What stood
// before the recording it works out from the recorded outcomes.
type replayer struct {
	t        *testing.T
	s        *Server
	client   *http.Client
	r        recordings.Summary
	model    replayModel
	bound    map[string]string     // instance IDs by placeholder
	polls    map[string][2]url.URL // status and monitor URL by placeholder
	exists   map[string]bool       // scale sets by path, as recorded so far
	capacity float64
	parts    map[string]string // of platform images, by placeholder

	deployed    map[string]string // paths of what deployments make, by placeholder of their operation
	deployments int               // that were put so far
}

func newReplayer(t *testing.T, c Config, r recordings.Summary) *replayer {
	c.Virtual, c.NoMachines = true, true
	c.Boot, c.Delete, c.Power = replayTimes, replayTimes, replayTimes
	c.Subscription.NotRegistered, c.PageSize = presentProviders(r), pageSizeOf(r)
	s := Start(t, c)
	p := &replayer{
		t: t, s: s, client: s.Client(), r: r, model: modelOf(r, ""), bound: map[string]string{},
		polls: map[string][2]url.URL{}, exists: map[string]bool{}, capacity: replayCapacity(r),
		parts: replayParts(r), deployed: deployedBy(r),
	}
	t.Cleanup(p.client.CloseIdleConnections)
	p.offer()
	for _, group := range presentGroups(r) {
		require.NoError(t, s.Put(t.Context(), p.fill(group), "2021-04-01", groupBody(r, group)))
	}
	for _, set := range presentSets(r) {
		require.NoError(t, s.Put(t.Context(), p.fill(set), "2025-04-01", p.newSet(set)))
		p.exists[set] = true
	}
	s.Advance(settledReplay)
	p.makeSurroundings()
	return p
}

// play sends the request of exchange i.
func (p *replayer) play(i int) replayResponse {
	x := p.r.Exchanges[i]
	if !p.underWay(i) {
		p.s.Advance(settledReplay)
	}
	if x.Method == http.MethodPut && aboutDeployment(x.Path) {
		p.deployments++ // their recorder gave all the same name
	}
	body := p.body(x)
	p.makeLinked(x, body)
	p.setQuota(findsNoQuota(x))
	got := p.send(x, p.target(x), body)
	p.setQuota(false)
	p.learn(x, got)
	return got
}

func (p *replayer) setQuota(exhausted bool) {
	if exhausted {
		p.s.SetCoreQuota(1)
		return
	}
	p.s.SetCoreQuota(0)
}

// underWay reports whether an operation that began before exchange i is seen
// under way at i or later, so that time must not pass yet.
func (p *replayer) underWay(i int) bool {
	if x := p.r.Exchanges[i]; operationIn(x.Path) != "" && !seenUnderWay(x) {
		return false
	}
	for j, x := range p.r.Exchanges[i:] {
		id := operationIn(x.Path)
		if id == "" || !seenUnderWay(x) {
			continue
		}
		if k := p.startOf(id, i+j); k >= 0 && k < i {
			return true
		}
	}
	return false
}

func (p *replayer) startOf(operation string, before int) int {
	for k := before - 1; k >= 0; k-- {
		if p.r.Exchanges[k].Starts == operation {
			return k
		}
	}
	return -1
}

func seenUnderWay(x recordings.Exchange) bool {
	if status := x.ResponseValues["status"]; status != "" && x.Status == http.StatusOK {
		return status != "Succeeded" && status != "Failed"
	}
	return x.Status == http.StatusAccepted || x.Response != nil && x.Status == http.StatusOK && x.Response["endTime"] == ""
}

var operationSlot = regexp.MustCompile(`(?i)/operation(?:s|results|statuses)/(\{[^}]*\})`)

func operationIn(path string) string {
	if m := operationSlot.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	return ""
}

// target is the URL of an exchange: of polls the one that the simulator gave.
func (p *replayer) target(x recordings.Exchange) string {
	if id := operationIn(x.Path); id != "" {
		form := 0
		if x.Query["monitor"] != "" || strings.Contains(strings.ToLower(x.Path), "/operationresults/") {
			form = 1
		}
		u, ok := p.polls[id]
		require.True(p.t, ok && u[form].Host != "", "the simulator gave no URL %d of %s", form, id)
		return u[form].String()
	}
	query := url.Values{}
	for name, value := range x.Query {
		if name == "$filter" {
			query.Set(name, strings.ReplaceAll(fillFilter(value), "{name}", missingInstance))
			continue
		}
		if strings.HasPrefix(value, "<") {
			value = "2021-07-01" // its recorder did not keep the api-version
		}
		if value != "" {
			query.Set(name, p.fill(strings.ReplaceAll(value, "{name}", missingInstance)))
		}
	}
	if x.Status < http.StatusMultipleChoices {
		x.Path = strings.ReplaceAll(x.Path, malformedInstance, "*") // the one that is taken
	}
	if x.Status == http.StatusNotFound {
		return p.s.Endpoint + p.fillUnbound(x.Path) + "?" + query.Encode()
	}
	return p.s.Endpoint + p.fill(x.Path) + "?" + query.Encode()
}

func (p *replayer) send(x recordings.Exchange, target string, body any) replayResponse {
	var encoded []byte
	if body != nil {
		var err error
		encoded, err = json.Marshal(body)
		require.NoError(p.t, err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), x.Method, target, bytes.NewReader(encoded))
	require.NoError(p.t, err)
	token, err := p.s.Token()
	require.NoError(p.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	p.setConditions(r, x)
	response, err := p.client.Do(r)
	require.NoError(p.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	got := replayResponse{status: response.StatusCode, header: response.Header}
	if len(raw) > 0 {
		require.NoError(p.t, json.Unmarshal(raw, &got.body))
	}
	return got
}

func (p *replayer) setConditions(r *http.Request, x recordings.Exchange) {
	if x.Status == http.StatusPreconditionFailed && len(x.Conditions) == 0 {
		r.Header.Set("If-Match", "invalid") // its recorder dropped headers
	}
	for name, value := range x.Conditions {
		switch value {
		case "any":
			r.Header.Set(name, "*")
		case "stale":
			r.Header.Set(name, "invalid")
		default:
			current := p.send(recordings.Exchange{Method: http.MethodGet}, r.URL.String(), nil)
			r.Header.Set(name, current.header.Get("ETag"))
		}
	}
}

func (p *replayer) learn(x recordings.Exchange, got replayResponse) {
	if set := setIn(x.Path); set == x.Path && x.Status < 300 {
		p.exists[set] = x.Method != http.MethodDelete
	}
	if x.Starts == "" {
		return
	}
	p.exists[p.deployed[x.Starts]] = true
	var both [2]url.URL
	for form, name := range []string{"Azure-AsyncOperation", "Location"} {
		u, err := url.Parse(got.header.Get(name))
		require.NoError(p.t, err)
		both[form] = *u
	}
	p.polls[x.Starts] = both
}

var slot = regexp.MustCompile(`\{(\w+)(:\w+)?\}`)

// fill puts names of this run into a template.
func (p *replayer) fill(template string) string {
	return slot.ReplaceAllStringFunc(template, func(s string) string {
		m := slot.FindStringSubmatch(s)
		switch m[1] {
		case "subscription":
			return p.s.config.SubscriptionID
		case "location":
			return p.s.config.Location
		case "deployment":
			return fmt.Sprint(replayName, "-", p.deployments)
		case "instance":
			return p.bind(s, p.fill(setIn(template)))
		}
		if name := p.named(s, m[1], m[2]); name != "" {
			return name
		}
		return replayName + strings.ReplaceAll(m[2], ":", "-")
	})
}

// fillUnbound is fill for a request that found nothing: an instance that was
// not seen before is none.
func (p *replayer) fillUnbound(template string) string {
	return p.fill(slot.ReplaceAllStringFunc(template, func(s string) string {
		if strings.HasPrefix(s, "{instance") && p.bound[s] == "" {
			return missingInstance
		}
		return s
	}))
}

const malformedInstance = "{instance:malformed}"

func (p *replayer) bind(placeholder, set string) string {
	if placeholder == malformedInstance {
		return "0x"
	}
	if p.bound[placeholder] == "" {
		free := p.unbound(set)
		require.NotEmpty(p.t, free, "no instance left for %s", placeholder)
		p.bound[placeholder] = free[0]
	}
	return p.bound[placeholder]
}

// unbound are the IDs of live instances that stand for no recorded one.
func (p *replayer) unbound(set string) []string {
	taken := map[string]bool{}
	for _, id := range p.bound {
		taken[id] = true
	}
	var free []string
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, g := range p.s.world.Groups() {
		for _, s := range g.ScaleSets() {
			if !strings.EqualFold(s.ID, set) {
				continue
			}
			for _, i := range s.Live() {
				free = append(free, i.Key)
			}
		}
	}
	return slices.DeleteFunc(free, func(id string) bool { return taken[id] })
}
