package recordings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/token"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Table is what is kept of recordings.
type Table struct {
	Recordings []Summary `json:"recordings"`
}

// Summary is what is kept of one recording.
type Summary struct {
	Name      string     `json:"name"`
	Exchanges []Exchange `json:"exchanges"`
}

// Exchange is what is kept of one exchange.
type Exchange struct {
	Index  int               `json:"index"`
	Method string            `json:"method"`
	Path   string            `json:"path"`            // with placeholders for names
	Query  map[string]string `json:"query,omitempty"` // values only where they are Azure's vocabulary

	// Conditions are the request's If-Match and If-None-Match: "any" for *,
	// "current" or "stale".
	Conditions map[string]string `json:"conditions,omitempty"`

	Request Shape  `json:"request,omitempty"` // none: no body, or the recorder dropped it
	Starts  string `json:"starts,omitempty"`  // placeholder of the operation that begins

	Status   int      `json:"status"`
	Headers  []string `json:"headers,omitempty"` // of the response, in lower case
	Response Shape    `json:"response,omitempty"`
	Error    *Error   `json:"error,omitempty"`
}

// Error is the part of an error response that clients act on.
type Error struct {
	Code   string `json:"code"`
	Target string `json:"target,omitempty"`
}

// JSON writes the table, the same for the same recordings.
func (t Table) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(t)
	return out.Bytes(), err
}

// Derive makes the table of recordings, and names what it left out: exchanges
// that are neither about scale sets, their machines and interfaces, nor polls of operations on them.
func Derive(all []Recording) (Table, []string) { return DeriveOf(all, ScaleSets) }

// DeriveOf is Derive for exchanges of another family.
func DeriveOf(all []Recording, f Family) (Table, []string) {
	var t Table
	var left []string
	for _, r := range all {
		s, unknown := summarise(r, f)
		if len(s.Exchanges) > 0 {
			t.Recordings = append(t.Recordings, s)
		}
		if len(r.Entries) == 0 {
			unknown = []string{r.Name + ": no exchanges"}
		}
		left = append(left, unknown...)
	}
	return t, left
}

func summarise(r Recording, f Family) (Summary, []string) {
	s, names := Summary{Name: r.Name}, namer{}
	var left []string
	ours := map[string]bool{} // operations by ID
	for _, e := range r.Entries {
		u, err := url.Parse(e.URL)
		if err != nil || !f(u.Path) && !ours[operationID(u.Path)] {
			left = append(left, fmt.Sprintf("%s: %d %s", r.Name, e.Index, e.Method))
			delete(ours, e.operation())
			continue
		}
		if id := e.operation(); id != "" {
			ours[id] = true
		}
		s.Exchanges = append(s.Exchanges, derive(e, u, names))
	}
	return s, left
}

func derive(e Entry, u *url.URL, names namer) Exchange {
	x := Exchange{
		Index: int(e.Index), Method: strings.ToUpper(e.Method), Path: names.template(u.Path), Query: query(u.Query()),
		Conditions: conditions(e), Request: ShapeOf(e.RequestBody), Status: e.Status, Response: ShapeOf(e.ResponseBody),
	}
	if id := e.operation(); id != "" && operationID(u.Path) == "" {
		x.Starts = names.placeholder("operation", id)
	}
	for name := range e.ResponseHeaders {
		x.Headers = append(x.Headers, strings.ToLower(name))
	}
	slices.Sort(x.Headers)
	if code := body(e.ResponseBody, "error", "code"); code != "" {
		x.Error = &Error{Code: code, Target: body(e.ResponseBody, "error", "target")}
	}
	return x
}

// Values of these query parameters are words of Azure's; others may hold names
// or signatures.
var words = []string{"api-version", "$expand", "skipshutdown", "monitor", "$top", "$orderby"}

// quotedName is what a filter compares with.
var quotedName = regexp.MustCompile(`eq '[^']*'`)

func query(values url.Values) map[string]string {
	q := map[string]string{}
	for name := range values {
		q[name] = ""
		if name == "$filter" {
			q[name] = quotedName.ReplaceAllString(values.Get(name), "eq '{name}'")
		}
		if slices.Contains(words, strings.ToLower(name)) {
			q[name] = values.Get(name)
		}
	}
	return q
}

func conditions(e Entry) map[string]string {
	refused := e.Status == 412
	c := map[string]string{}
	for name, stale := range map[string]bool{"if-match": refused, "if-none-match": !refused} {
		switch value := header(e.RequestHeaders, name); {
		case value == "":
		case value == "*":
			c[name] = "any"
		case stale:
			c[name] = "stale"
		default:
			c[name] = "current"
		}
	}
	return c
}

// Names are the names and IDs that a recording's traffic mentions: words that
// nothing derived or made to fit may hold.
func Names(r Recording) []string {
	found := map[string]bool{}
	for _, e := range r.Entries {
		if u, err := url.Parse(e.URL); err == nil {
			eachSegment(u.Path, func(segment, kind string) {
				found[segment] = found[segment] || kind != "" && !slices.Contains(public, kind)
			})
		}
		namesIn(e.ResponseBody, found)
	}
	maps.DeleteFunc(found, func(name string, isName bool) bool {
		return !isName || len(name) < 5 || allZero(name) || token.IsKeyword(name) || slices.Contains(plain, name) // a subnet "default" is no trace
	})
	return slices.Sorted(maps.Keys(found))
}

// plain are names that somebody gave, and words of Azure's errors, too.
var plain = []string{"deploy"}

func namesIn(v any, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			s, _ := member.(string)
			id, isResource := v["id"].(string)
			isResource = isResource && !strings.Contains(strings.ToLower(id), "/publishers/") // of the Marketplace
			if s != "" && !azures(v) && (key == "name" && isResource || slices.Contains([]string{"vmId", "uniqueId", "adminUsername", "computerNamePrefix"}, key)) {
				found[s] = true
			}
			namesIn(member, found)
		}
	case []any:
		for _, element := range v {
			namesIn(element, found)
		}
	}
}

// azures reports whether what an object names is Azure's own: a built-in role, a
// default rule of a security group, the latest view of a standby pool.
func azures(v map[string]any) bool {
	kind, _ := v["type"].(string)
	return body(v, "properties", "type") == "BuiltInRole" || strings.HasSuffix(kind, "/defaultSecurityRules") || strings.HasSuffix(kind, "/runtimeViews")
}

func allZero(name string) bool { return strings.Trim(name, "0-") == "" }
