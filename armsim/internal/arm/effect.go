package arm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// effect is what the rule that applies does to the request.
func (c *call) effect() *fault.Effect {
	if c.fault == nil {
		return &fault.Effect{}
	}
	return &c.fault.Effect
}

// respondUnderFault is the response to the request under its fault, if any.
func (c *call) respondUnderFault(body []byte, err error) *response {
	e := c.effect()
	if e.Cut == fault.CutBefore || e.Error != nil && !e.Error.After {
		_, _ = c.admit(), c.decode(body, err) // for the journal alone
		return azhttp.InjectedError(e)
	}
	c.world.Operations.FailNext(fault.AsWorld(e.FailOperation))
	a, p := c.respond(body, err)
	c.world.Operations.FailNext(nil)
	if p != nil {
		a = p.Response()
	}
	if e.Error != nil || e.Cut != "" {
		return azhttp.InjectedError(e)
	}
	return c.alter(a)
}

// alter changes a response as the fault has it.
func (c *call) alter(a *response) *response {
	if c.request.Method == http.MethodGet {
		c.front.history.add(c.historyKey(), a, c.front.config.Rules.Horizon())
	}
	switch e := c.effect(); {
	case e.Stale > 0:
		return c.recall(e, a)
	case e.List == fault.ListEmptyLast:
		return c.addEmptyPage(a)
	case e.List != "":
		return mutateList(c.fault, a)
	case len(e.Omit) > 0:
		copied := a.Clone()
		fault.Omit(e.Omit, copied.Body)
		return copied
	}
	return a
}

// mutateList changes a list's page.
func mutateList(r *fault.Rule, a *response) *response {
	page, ok := a.Body.(object)
	if !ok || a.Status != http.StatusOK {
		return a
	}
	copied := *a
	copied.Body = r.MutateList(page)
	return &copied
}

// addEmptyPage links the last page to an empty one, whose own end is the end.
func (c *call) addEmptyPage(a *response) *response {
	mutated := mutateList(c.fault, a)
	page, ok := mutated.Body.(object)
	if !ok || mutated == a {
		return a
	}
	if _, more := page["nextLink"]; !more && (len(jsonmap.List(page, "value")) > 0 || c.query.get("$skiptoken") == "") {
		page["nextLink"] = c.nextLink("\U0010ffff") // after every key
	}
	return mutated
}

func (c *call) historyKey() string {
	return strings.ToLower(c.request.URL.Path + "?" + c.request.URL.RawQuery)
}

// recall is the oldest response to the same read that is not too old, at worst
// the present one.
func (c *call) recall(e *fault.Effect, fresh *response) *response {
	old := c.front.history.oldest(c.historyKey(), time.Duration(e.Stale))
	if old == nil {
		return fresh
	}
	if e.FreshETag {
		takeETag(old, fresh)
	}
	return old
}

func takeETag(into, from *response) {
	if etag := from.Header["Etag"]; etag != nil && into.Header != nil {
		into.Header["Etag"] = etag
	}
	body, _ := into.Body.(object)
	if etag := jsonmap.Text(from.Body, "etag"); etag != "" && jsonmap.Text(body, "etag") != "" {
		body["etag"] = etag
	}
}

// history holds responses to reads, oldest first, while a rule may need them.
type history struct {
	clock     *world.Clock
	responses []pastResponse
}

type pastResponse struct {
	key      string
	at       time.Time
	response *response
}

// add remembers a response for as long as horizon; 0: no rule asks for it.
func (h *history) add(key string, a *response, horizon time.Duration) {
	if horizon == 0 {
		return
	}
	now := h.clock.Now()
	old := slices.IndexFunc(h.responses, func(p pastResponse) bool { return now.Sub(p.at) <= horizon })
	if old < 0 {
		old = len(h.responses)
	}
	h.responses = append(h.responses[old:], pastResponse{key, now, a.Clone()})
}

// oldest is a copy of the oldest response that is not older than age; nil:
// there is none.
func (h *history) oldest(key string, age time.Duration) *response {
	now := h.clock.Now()
	n := slices.IndexFunc(h.responses, func(p pastResponse) bool { return p.key == key && now.Sub(p.at) <= age })
	if n < 0 {
		return nil
	}
	return h.responses[n].response.Clone()
}
