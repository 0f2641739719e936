package arm

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// query is that of a request. ARM reads parameters in any case.
type query url.Values

func (q query) get(name string) string { return azhttp.QueryFold(url.Values(q), name) }

// pager cuts lists into pages.
type pager struct {
	url   *url.URL // of the request
	host  string
	query query
	size  int // entries on a page
}

// sortable writes a number so that text order is number order.
func sortable(n int) string { return fmt.Sprintf("%012d", n) }

// page is one page of a list, in the order of the entries' keys. The next link
// is absolute and carries the whole query; its token names the last key, so that
// an entry deleted between two pages shifts nothing.
func page[T any](g pager, all []T, key func(T) string, render func(T) object) (*response, *problem) {
	after, p := g.skipToken()
	if p != nil {
		return nil, p
	}
	value := []any{}
	last, more := "", false
	for _, entry := range inOrder(all, key) {
		if after != "" && entry.key <= after {
			continue
		}
		if len(value) == g.size {
			more = true
			break
		}
		value, last = append(value, render(entry.value)), entry.key
	}
	body := object{"value": value}
	if more {
		body["nextLink"] = g.nextLink(last)
	}
	return &response{Status: http.StatusOK, Body: body}, nil
}

type keyed[T any] struct {
	key   string
	value T
}

func inOrder[T any](all []T, key func(T) string) []keyed[T] {
	entries := make([]keyed[T], len(all))
	for i, value := range all {
		entries[i] = keyed[T]{key(value), value}
	}
	slices.SortFunc(entries, func(a, b keyed[T]) int { return strings.Compare(a.key, b.key) })
	return entries
}

func (g pager) skipToken() (string, *problem) {
	token := g.query.get("$skiptoken")
	if token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	key, ok := strings.CutPrefix(string(raw), "after ")
	if err != nil || !ok {
		return "", invalidParameter("$skiptoken", "The request URL is not valid.")
	}
	return key, nil
}

func (g pager) nextLink(last string) string {
	further := url.Values{}
	for name, values := range g.query {
		if !strings.EqualFold(name, "$skiptoken") {
			further[name] = values
		}
	}
	further.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte("after "+last)))
	return "https://" + g.host + g.url.EscapedPath() + "?" + further.Encode()
}
