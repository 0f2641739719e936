package azhttp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// errorCodes are what Azure sends where a rule has no code of its own.
var errorCodes = map[int]string{
	http.StatusBadRequest:          "BadRequest",
	http.StatusUnauthorized:        "ExpiredAuthenticationToken",
	http.StatusForbidden:           "AuthorizationFailed",
	http.StatusNotFound:            "ResourceNotFound",
	http.StatusConflict:            "Conflict",
	http.StatusPreconditionFailed:  "PreconditionFailed",
	http.StatusInternalServerError: "InternalServerError",
	http.StatusBadGateway:          "BadGateway",
	http.StatusServiceUnavailable:  "ServiceUnavailable",
	http.StatusGatewayTimeout:      "GatewayTimeout",
}

// InjectedError is the response that the effect has instead of the proper one:
// its error, or none at all where it cuts the connection.
func InjectedError(e *fault.Effect) *Response {
	if e.Error == nil {
		return &Response{}
	}
	r := injectedProblem(e.Error).Response()
	if e.Error.Body != "" {
		r = &Response{Status: e.Error.Status, Body: RawBody(e.Error.Body), Header: http.Header{}}
		if strings.HasPrefix(e.Error.Body, "<") {
			r.Header.Set("Content-Type", "text/html")
		}
	}
	if e.Error.RetryAfter > 0 {
		r.Header.Set("Retry-After", fmt.Sprint(e.Error.RetryAfter))
	}
	return r
}

func injectedProblem(e *fault.ErrorResponse) *Problem {
	if e.Status == http.StatusTooManyRequests && e.Code == "" {
		return Throttled("armsim", e.RetryAfter)
	}
	code := cmp.Or(e.Code, errorCodes[e.Status], "Error")
	p := NewProblem(e.Status, code, "%s", cmp.Or(e.Message, http.StatusText(e.Status)+"."))
	if p.Header == nil {
		p.Header = http.Header{}
	}
	return p
}

// Gate holds responses back as faults have it.
type Gate struct {
	Clock   *world.Clock
	Closing <-chan struct{} // closed when the simulator ends
}

// DueLocked returns a channel that is closed when the response may go out; nil: at
// once. The lock of the world's owner must be held.
func (g Gate) DueLocked(e *fault.Effect) <-chan struct{} {
	if e.Delay == 0 {
		return nil
	}
	due := make(chan struct{})
	g.Clock.After(time.Duration(e.Delay), func() { close(due) })
	return due
}

// Wait waits until the response is due. It panics with http.ErrAbortHandler
// where the fault cuts the connection, and where ctx or the simulator ends. The
// lock must not be held.
func (g Gate) Wait(ctx context.Context, e *fault.Effect, due <-chan struct{}) {
	if e.Cut != "" {
		panic(http.ErrAbortHandler)
	}
	if due == nil {
		return
	}
	select {
	case <-due:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	case <-g.Closing:
		panic(http.ErrAbortHandler)
	}
}
