package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// rigTrip is a function as http.RoundTripper.
type rigTrip func(*http.Request) (*http.Response, error)

func (f rigTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rigRewrite changes the bodies of answers of status 200.
func rigRewrite(match func(*http.Request) bool, change func(body map[string]any)) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return rigTrip(func(r *http.Request) (*http.Response, error) {
			response, err := under.RoundTrip(r)
			if err != nil || response.StatusCode != http.StatusOK || !match(r) {
				return response, err
			}
			body := map[string]any{}
			if err := errors.Join(json.NewDecoder(response.Body).Decode(&body), response.Body.Close()); err != nil {
				return nil, err
			}
			change(body)
			return rigAnswer(r, http.StatusOK, body)
		})
	}
}

// rigAnswer answers a request by itself.
func rigAnswer(r *http.Request, status int, body any) (*http.Response, error) {
	raw, err := json.Marshal(body)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)),
	}, err
}

// rigError is an error in Azure's shape.
func rigError(code, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

// rigLists says whether a request is for a page of the instances' list.
func rigLists(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(strings.ToLower(r.URL.Path), "/virtualmachines")
}

// rigReads says whether an answer holds instances, one or a page of them.
func rigReads(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(strings.ToLower(r.URL.Path), "/virtualmachines")
}

// rigEach calls do for each instance of an answer.
func rigEach(body map[string]any, do func(instance map[string]any)) {
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

// rigPolls says whether a request asks for an operation.
func rigPolls(q *http.Request) bool { return strings.Contains(q.URL.Path, "/operations/") }

// rigPages says whether a request is for a later page of the instances' list.
func rigPages(q *http.Request) bool {
	return rigLists(q) && strings.Contains(q.URL.RawQuery, "skiptoken")
}

// rigHook is something to do once, when a request passes by.
type rigHook struct{ atomic.Pointer[func()] }

func (h *rigHook) set(do func()) { h.Store(&do) }

// before has it done before the next request that matches.
func (h *rigHook) before(match func(*http.Request) bool) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return rigTrip(func(q *http.Request) (*http.Response, error) {
			if match(q) {
				if do := h.Swap(nil); do != nil {
					(*do)()
				}
			}
			return under.RoundTrip(q)
		})
	}
}

// rigSends says whether a request is of a method.
func rigSends(method string) func(*http.Request) bool {
	return func(q *http.Request) bool { return q.Method == method }
}

// rigCanceler ends a context with the n-th request that passes by, before it is
// carried out or after.
type rigCanceler struct {
	left   atomic.Int64
	after  bool
	cancel atomic.Pointer[context.CancelFunc]
}

func (c *rigCanceler) wire(under http.RoundTripper) http.RoundTripper {
	return rigTrip(func(q *http.Request) (*http.Response, error) {
		cancel := c.cancel.Load()
		now := cancel != nil && c.left.Add(-1) == 0
		if now && !c.after {
			(*cancel)()
		}
		response, err := under.RoundTrip(q)
		if now && c.after {
			(*cancel)()
			if err := q.Context().Err(); err != nil { // as net/http has it
				return nil, err
			}
		}
		return response, err
	})
}

func (c *rigCanceler) arm(parent context.Context, step int) context.Context {
	ctx, cancel := context.WithCancel(parent)
	c.left.Store(int64(step))
	c.cancel.Store(&cancel)
	return ctx
}

// rigConfuse puts statuses that say nothing of the power beside the others,
// before, between and behind them.
func rigConfuse(instance map[string]any, n int, powerless bool) {
	properties, _ := instance["properties"].(map[string]any)
	view, ok := properties["instanceView"].(map[string]any)
	statuses, _ := view["statuses"].([]any)
	if !ok {
		return
	}
	if powerless {
		statuses = slices.DeleteFunc(statuses, func(s any) bool {
			return strings.HasPrefix(strings.ToLower(fmt.Sprint(s.(map[string]any)["code"])), "powerstate/")
		})
	}
	for _, code := range []any{"VMAgent/running", "HealthState/stopped", "Power/stopped", "", nil, "ProvisioningState"} {
		at := n % (len(statuses) + 1)
		statuses = slices.Insert(statuses, at, any(map[string]any{"code": code, "displayStatus": "VM stopped"}))
		n = n*7 + 3
	}
	view["statuses"] = statuses
}
