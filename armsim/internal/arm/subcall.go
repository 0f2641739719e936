package arm

import (
	"net/http"
	"net/url"
)

// within is a request that Resource Manager sends for the client of this one, as
// a deployment does. Faults and the journal do not know it; limits and rights do.
func (c *call) within(method, id, apiVersion string, body object) *call {
	r := &http.Request{Method: method, Host: c.request.Host, Header: http.Header{}, URL: &url.URL{Path: id, RawQuery: url.Values{"api-version": {apiVersion}}.Encode()}}
	r.Header.Set("X-Ms-Correlation-Request-Id", c.correlation)
	sub := c.front.newCall(r, http.Header{})
	sub.client, sub.principal, sub.body = c.client, c.principal, body
	sub.route, sub.params = match(c.front.routes, method, id)
	return sub
}

// respondWithin is the response to a request that within made.
func (c *call) respondWithin() (*response, *problem) {
	switch {
	case c.route == nil:
		return nil, notSimulated(c.request.Method, c.request.URL.Path)
	case !(gatekeeper{c}).permitted():
		return nil, authorizationFailed(c.client, c.principal, c.route.action, c.request.URL.Path)
	}
	if p := c.checkVersion(); p != nil {
		return nil, p
	}
	return c.serve()
}
