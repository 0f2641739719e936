package armsim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// kept is an answer that a stale read may be given again.
type kept struct {
	key    string
	at     time.Time
	answer *answer
}

// alter changes an answer as the fault will have it.
func (c *call) alter(a *answer) *answer {
	c.keep(a)
	e := c.effect()
	switch {
	case e.Stale > 0:
		return c.recall(e, a)
	case e.List != "":
		return c.bend(e.List, a)
	case len(e.Omit) > 0:
		return omit(e.Omit, a)
	}
	return a
}

func (c *call) keepKey() string {
	return strings.ToLower(c.request.URL.Path + "?" + c.request.URL.RawQuery)
}

// keep remembers the answer of a read for as long as a rule may ask for it.
func (c *call) keep(a *answer) {
	s, horizon := c.server, Span(0)
	for _, r := range s.rules {
		horizon = max(horizon, r.Stale)
	}
	if horizon == 0 || c.request.Method != get {
		return
	}
	now := s.time.now()
	old := slices.IndexFunc(s.recent, func(k kept) bool { return now.Sub(k.at) <= time.Duration(horizon) })
	if old < 0 {
		old = len(s.recent)
	}
	s.recent = append(s.recent[old:], kept{c.keepKey(), now, a.clone()})
}

// recall is the oldest answer that is not too old, at worst the present one.
func (c *call) recall(e *Effect, fresh *answer) *answer {
	now, key := c.server.time.now(), c.keepKey()
	n := slices.IndexFunc(c.server.recent, func(k kept) bool { return k.key == key && now.Sub(k.at) <= time.Duration(e.Stale) })
	if n < 0 {
		return fresh
	}
	old := c.server.recent[n].answer.clone()
	if e.FreshETag {
		old.takeETag(fresh)
	}
	return old
}

func (a *answer) clone() *answer {
	copied := *a
	copied.header, copied.body = a.header.Clone(), clone(a.body)
	return &copied
}

func (a *answer) takeETag(from *answer) {
	if etag := from.header["Etag"]; etag != nil && a.header != nil {
		a.header["Etag"] = etag
	}
	into, _ := a.body.(object)
	if etag := text(from.body, "etag"); etag != "" && text(into, "etag") != "" {
		into["etag"] = etag
	}
}

// bend changes a list's page.
func (c *call) bend(how string, a *answer) *answer {
	page, ok := a.body.(object)
	if !ok || a.status != 200 {
		return a
	}
	page = maps.Clone(page)
	value, _ := page["value"].([]any)
	switch value = slices.Clone(value); how {
	case ListEmpty:
		value = []any{}
		delete(page, "nextLink")
	case ListTruncate:
		value = value[:len(value)/2]
		delete(page, "nextLink")
	case ListEmptyLast:
		c.oneMore(page, value)
	default:
		value = rearrange(how, value, c.fault.rand)
	}
	page["value"] = value
	if how == ListNoValue {
		delete(page, "value")
		delete(page, "nextLink")
	}
	copied := *a
	copied.body = page
	return &copied
}

func rearrange(how string, value []any, r *rand.Rand) []any {
	switch how {
	case ListShuffle:
		r.Shuffle(len(value), func(i, j int) { value[i], value[j] = value[j], value[i] })
	case ListRepeat:
		if len(value) > 0 {
			value = append(value, clone(value[r.IntN(len(value))]))
		}
	case ListOdd:
		value = append(value, object{"instanceId": "", "id": "", "name": nil, "properties": nil}, object{"properties": object{}})
	}
	return value
}

// oneMore links the last page to an empty one, whose own end is the end.
func (c *call) oneMore(page object, value []any) {
	if _, more := page["nextLink"]; !more && (len(value) > 0 || c.query("$skiptoken") == "") {
		page["nextLink"] = c.nextLink("\U0010ffff") // after every key
	}
}

// omit leaves paths out of the answer, and out of each entry of a list.
func omit(paths []string, a *answer) *answer {
	copied := a.clone()
	for _, path := range paths {
		drop(copied.body, strings.Split(path, "."))
		for _, entry := range list(copied.body, "value") {
			drop(entry, strings.Split(path, "."))
		}
	}
	return copied
}

// drop removes what stands at the path, in all elements of lists on the way.
func drop(v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			drop(element, path)
		}
	case object:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		drop(v[path[0]], path[1:])
	}
}
