package armsim

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// sortable writes a number so that text order is number order.
func sortable(n int) string { return fmt.Sprintf("%012d", n) }

// page answers one page of a list of n entries in the order of their keys. The
// next link is absolute and carries the whole query; its token names the last
// key, so that an entry deleted between two pages shifts nothing.
func (c *call) page(n int, key func(int) string, render func(int) object) (*answer, *problem) {
	after, p := c.skipToken()
	if p != nil {
		return nil, p
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(key(a), key(b)) })
	value := []any{}
	last, more := "", false
	for _, i := range order {
		if after != "" && key(i) <= after {
			continue
		}
		if len(value) == c.server.config.PageSize {
			more = true
			break
		}
		value, last = append(value, render(i)), key(i)
	}
	body := object{"value": value}
	if more {
		body["nextLink"] = c.nextLink(last)
	}
	return &answer{status: http.StatusOK, body: body}, nil
}

func (c *call) skipToken() (string, *problem) {
	token := c.query("$skiptoken")
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

func (c *call) nextLink(last string) string {
	query := url.Values{}
	for name, values := range c.request.URL.Query() {
		if !strings.EqualFold(name, "$skiptoken") {
			query[name] = values
		}
	}
	query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte("after "+last)))
	return "https://" + c.request.Host + c.request.URL.EscapedPath() + "?" + query.Encode()
}
