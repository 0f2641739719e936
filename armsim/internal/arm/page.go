package arm

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"sort"
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

// page is one page of a list, whose entries must be in the order of their keys;
// only the page's are rendered. The next link is absolute and carries the whole
// query; its token names the last key, so that an entry deleted between two pages
// shifts nothing.
func page[T any](g pager, all []T, key func(T) string, render func(T) object) (*response, *problem) {
	after, p := g.skipToken()
	if p != nil {
		return nil, p
	}
	if after != "" {
		all = all[sort.Search(len(all), func(n int) bool { return key(all[n]) > after }):]
	}
	shown := all[:min(len(all), g.size)]
	value := make([]any, len(shown))
	for n, entry := range shown {
		value[n] = render(entry)
	}
	body := object{"value": value}
	if len(shown) < len(all) {
		body["nextLink"] = g.nextLink(key(shown[len(shown)-1]))
	}
	return &response{Status: http.StatusOK, Body: body}, nil
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
