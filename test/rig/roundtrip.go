package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// RoundTripper is a function as http.RoundTripper.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// RewriteResponses changes the bodies of responses of status 200.
func RewriteResponses(match func(*http.Request) bool, change func(body map[string]any)) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return RoundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := under.RoundTrip(r)
			if err != nil || response.StatusCode != http.StatusOK || !match(r) {
				return response, err
			}
			body := map[string]any{}
			if err := errors.Join(json.NewDecoder(response.Body).Decode(&body), response.Body.Close()); err != nil {
				return nil, err
			}
			change(body)
			return Respond(r, http.StatusOK, body)
		})
	}
}

// Respond makes a response with a body in JSON.
func Respond(r *http.Request, status int, body any) (*http.Response, error) {
	raw, err := json.Marshal(body)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)),
	}, err
}

// ErrorBody is an error in Azure's shape.
func ErrorBody(code, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

// IsInstanceList reports whether a request is for a page of the instances' list.
func IsInstanceList(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(strings.ToLower(r.URL.Path), "/virtualmachines")
}

// ReadsInstances reports whether a response holds instances, one or a page of them.
func ReadsInstances(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(strings.ToLower(r.URL.Path), "/virtualmachines")
}

// EachInstance calls do for each instance of a response.
func EachInstance(body map[string]any, do func(instance map[string]any)) {
	value, isList := body["value"].([]any)
	if !isList {
		do(body)
	}
	for _, entry := range value {
		if instance, ok := entry.(map[string]any); ok {
			do(instance)
		}
	}
}

// PollsOperation reports whether a request asks for an operation.
func PollsOperation(q *http.Request) bool { return strings.Contains(q.URL.Path, "/operations/") }

// IsLaterPage reports whether a request is for a later page of the instances' list.
func IsLaterPage(q *http.Request) bool {
	return IsInstanceList(q) && strings.Contains(q.URL.RawQuery, "skiptoken")
}

// Hook is something to do once, when a request passes by.
type Hook struct{ atomic.Pointer[func()] }

// Set has something done before the next request that matches.
func (h *Hook) Set(do func()) { h.Store(&do) }

// Before has it done before the next request that matches.
func (h *Hook) Before(match func(*http.Request) bool) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return RoundTripper(func(q *http.Request) (*http.Response, error) {
			if match(q) {
				if do := h.Swap(nil); do != nil {
					(*do)()
				}
			}
			return under.RoundTrip(q)
		})
	}
}

// HasMethod reports whether a request is of a method.
func HasMethod(method string) func(*http.Request) bool {
	return func(q *http.Request) bool { return q.Method == method }
}

// Canceler ends a context with the n-th request that passes by, before it is
// carried out or after.
type Canceler struct {
	left   atomic.Int64
	After  bool
	cancel atomic.Pointer[context.CancelFunc]
}

// Middleware lets the requests pass by.
func (c *Canceler) Middleware(under http.RoundTripper) http.RoundTripper {
	return RoundTripper(func(q *http.Request) (*http.Response, error) {
		cancel := c.cancel.Load()
		now := cancel != nil && c.left.Add(-1) == 0
		if now && !c.After {
			(*cancel)()
		}
		response, err := under.RoundTrip(q)
		if now && c.After {
			(*cancel)()
			if err := q.Context().Err(); err != nil { // as net/http has it
				return nil, err
			}
		}
		return response, err
	})
}

// Arm returns a context that ends with the step-th request from now on.
func (c *Canceler) Arm(parent context.Context, step int) context.Context {
	ctx, cancel := context.WithCancel(parent)
	c.left.Store(int64(step))
	c.cancel.Store(&cancel)
	return ctx
}
