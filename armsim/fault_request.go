package armsim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// opToken names token requests, which have no operation ID.
const opToken = "Token"

// rawBody is a body that is sent as it is.
type rawBody string

// subject is what a rule may match of the request.
func (c *call) subject() subject {
	sub := subject{operation: c.route.operation, method: c.request.Method}
	for _, param := range []string{"publicAddress", "interface", "machine", "instance", "scaleSet", "setting", "operation", "group", "subscription"} {
		name := c.param(param)
		if name == "" {
			continue
		}
		sub.objects = []string{name}
		if param == "instance" {
			sub.objects = append(sub.objects, c.param("scaleSet")+"_"+name) // a Uniform set's instance goes by ID
		}
		return sub
	}
	return sub
}

// effect is what the rule that applies does to the request.
func (c *call) effect() *Effect {
	if c.fault == nil {
		return &Effect{}
	}
	return &c.fault.Effect
}

// perform answers the request under its fault.
func (c *call) perform(body []byte, err error) *answer {
	e := c.effect()
	if e.Cut == CutBefore || e.Error != nil && !e.Error.After {
		_, _ = c.admit(), c.decode(body, err) // for the journal alone
		return e.errorAnswer()
	}
	c.server.doom = e.FailOperation
	a, p := c.answer(body, err)
	c.server.doom = nil
	if p != nil {
		a = p.answer()
	}
	if e.Error != nil || e.Cut != "" {
		return e.errorAnswer()
	}
	return c.alter(a)
}

func (p *problem) answer() *answer {
	return &answer{status: p.status, body: p.body(), header: p.header, code: p.code}
}

// errorAnswer is the injected error, or nothing where the connection is cut.
func (e *Effect) errorAnswer() *answer {
	if e.Error == nil {
		return &answer{}
	}
	a := e.Error.problem().answer()
	if e.Error.Body != "" {
		a = &answer{status: e.Error.Status, body: rawBody(e.Error.Body), header: http.Header{}}
		if strings.HasPrefix(e.Error.Body, "<") {
			a.header.Set("Content-Type", "text/html")
		}
	}
	if e.Error.RetryAfter > 0 {
		a.header.Set("Retry-After", fmt.Sprint(e.Error.RetryAfter))
	}
	return a
}

// errorCodes are what Azure answers where a rule has no code of its own.
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

func (e *ErrorAnswer) problem() *problem {
	if e.Status == http.StatusTooManyRequests && e.Code == "" {
		return throttled("armsim", e.RetryAfter)
	}
	code := cmp.Or(e.Code, errorCodes[e.Status], "Error")
	p := newProblem(e.Status, code, "%s", cmp.Or(e.Message, http.StatusText(e.Status)+"."))
	if e.Status == http.StatusUnauthorized {
		p = invalidToken(code, "%s", p.message)
	}
	if p.header == nil {
		p.header = http.Header{}
	}
	return p
}

// interrupted waits until the answer is due, and cuts the connection where the
// fault does. It must not hold the lock.
func (s *Server) interrupted(ctx context.Context, e *Effect, due <-chan struct{}) {
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
	case <-s.closing:
		panic(http.ErrAbortHandler)
	}
}

// due is closed when the answer may go out; nil: at once.
func (s *Server) due(e *Effect) <-chan struct{} {
	if e.Delay == 0 {
		return nil
	}
	due := make(chan struct{})
	s.time.after(time.Duration(e.Delay), func() { close(due) })
	return due
}
