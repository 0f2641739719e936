package armerr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Error is a failed call to Azure. It is immutable.
type Error struct {
	Op         string // what was tried, as "read" or "delete 2 instances of"
	Object     string // what it was tried on, as `scale set "ci"`
	Kind       Kind
	Status     int    // HTTP status; zero: no response
	Code       string // Azure's code, or AADSTS and a number from Entra ID
	Message    string // Azure's message in one line of bounded length
	RequestID  string // for Azure's support
	Target     string // what the error is about, as Azure names it
	RetryAfter time.Duration
	Hint       string // the fix

	cause error
}

// Error writes the error in one line:
//
//	operation object: Code (status): message; request <id>; fix: <hint>
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{Line(strings.TrimSpace(e.Op + " " + e.Object)), e.codeAndStatus(), e.Message} {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(part)
	}
	if e.RequestID != "" {
		b.WriteString("; request " + e.RequestID)
	}
	if e.Hint != "" {
		b.WriteString("; fix: " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the SDK's error. Its text has many lines and may contain a whole
// response: do not print it.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) codeAndStatus() string {
	switch {
	case e.Code != "" && e.Status != 0:
		return fmt.Sprintf("%s (%d)", e.Code, e.Status)
	case e.Status != 0:
		return fmt.Sprintf("status %d", e.Status)
	}
	return e.Code
}

// From turns err into an [Error] of the operation op on object. It returns nil for
// nil, and an err that wraps an Error unchanged.
func From(op, object string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	d := read(err)
	e := &Error{
		Op: op, Object: object, Status: d.status, RetryAfter: d.retryAfter, cause: err,
		Code: short(d.code), Message: d.message, RequestID: short(d.request), Target: short(d.target),
	}
	if n := ruleFor(d); n >= 0 {
		e.Kind, e.Hint = rules[n].kind, line(rules[n].hint(d), maxHint)
	}
	return e
}

// ruleFor returns the index of the first rule that matches, -1 if none does.
func ruleFor(d details) int {
	return slices.IndexFunc(rules, func(r rule) bool { return r.matches(d) })
}
