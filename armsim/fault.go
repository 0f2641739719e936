package armsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Fault is a rule under which the simulator answers, or treats an instance,
// otherwise than it should. The first rule that applies counts, and those after
// it are not asked. Empty fields match everything.
type Fault struct {
	// Name tells the rule in the journal; empty: "fault" and its number.
	Name string `json:"name,omitempty"`

	// Operation is an operation ID of the reference, "Token", or one of
	// "instance.create", "instance.delete" and "instance.start"; "*" stands for
	// any part. Token requests match their name alone.
	Operation string `json:"operation,omitempty"`

	// Object is the last resource that the request's path names, or the
	// instance's name, in any case; "*" stands for any part.
	Object string `json:"object,omitempty"`

	Size string `json:"size,omitempty"` // of an instance, for "instance." operations
	Zone string `json:"zone,omitempty"` // the same

	Skip        int     `json:"skip,omitempty"`        // matches that pass first
	Times       int     `json:"times,omitempty"`       // that the rule applies; 0: no limit
	Probability float64 `json:"probability,omitempty"` // of a match to count; 0: each does
	For         Span    `json:"for,omitempty"`         // simulated, since it was added; 0: no end

	Effect
}

// Effect is what a Fault does. Exactly one kind must be set: the first seven
// change how a request is answered, the others what becomes of an instance.
type Effect struct {
	Error         *ErrorAnswer `json:"error,omitempty"`
	Delay         Span         `json:"delay,omitempty"`         // simulated; the answer comes late, its effect does not
	Cut           string       `json:"cut,omitempty"`           // the connection, CutBefore or CutAfter the effect
	FailOperation *Failure     `json:"failOperation,omitempty"` // the operation started ends so; what it does is done
	Stale         Span         `json:"stale,omitempty"`         // a read is answered as one was up to so long ago
	List          string       `json:"list,omitempty"`          // one of the List constants
	Omit          []string     `json:"omit,omitempty"`          // dotted paths left out of the answer, or of a list's entries

	Fail   *Failure `json:"fail,omitempty"`   // creation, deletion or start ends so
	Absent *Failure `json:"absent,omitempty"` // the instance is never made, its operation ends so
	Stuck  bool     `json:"stuck,omitempty"`  // it never ends
	Slow   float64  `json:"slow,omitempty"`   // it takes so many times as long

	// FreshETag, with Stale: the old answer carries the new ETag.
	FreshETag bool `json:"freshETag,omitempty"`
}

// ErrorAnswer is an error in Azure's shape, or with Body set, in none.
type ErrorAnswer struct {
	Status     int    `json:"status"`
	Code       string `json:"code,omitempty"` // empty: what Azure has for the status
	Message    string `json:"message,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"` // seconds
	After      bool   `json:"after,omitempty"`      // the effect takes place, its answer is lost
	Body       string `json:"body,omitempty"`       // sent as it is, as a proxy's HTML or broken JSON
}

// Failure is the error that an operation or an instance ends with.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// Where Effect.Cut cuts the connection.
const (
	CutBefore = "before"
	CutAfter  = "after"
)

// How Effect.List changes a list's page.
const (
	ListEmpty     = "empty"     // no entries, no next page
	ListNoValue   = "novalue"   // no value at all
	ListTruncate  = "truncate"  // the last half is missing, and the next page
	ListShuffle   = "shuffle"   // entries in another order
	ListRepeat    = "repeat"    // an entry twice
	ListOdd       = "odd"       // further entries with empty IDs and null properties
	ListEmptyLast = "emptylast" // one more page, an empty one
)

// The pseudo operations that instance effects are for.
const (
	opCreate = "instance.create"
	opDelete = "instance.delete"
	opStart  = "instance.start"
)

// Span is a time.Duration that JSON writes as "30s".
type Span time.Duration

// MarshalText writes the span as time.Duration does.
func (d Span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Span(parsed)
	return err
}

// ReadFaults reads {"faults": [], "events": []}, of which either may be missing.
// The error says what is unknown or impossible in it.
func ReadFaults(r io.Reader) ([]Fault, []Event, error) {
	var file struct {
		Faults []Fault `json:"faults"`
		Events []Event `json:"events"`
	}
	if err := decodeStrictly(r, &file); err != nil {
		return nil, nil, fmt.Errorf("read faults: %w", err)
	}
	if err := checkAll("fault", file.Faults); err != nil {
		return nil, nil, fmt.Errorf("read faults: %w", err)
	}
	if err := checkAll("event", file.Events); err != nil {
		return nil, nil, fmt.Errorf("read faults: %w", err)
	}
	return file.Faults, file.Events, nil
}

// decodeStrictly reads one JSON value that has no field which into lacks.
func decodeStrictly(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// oneOrMore reads a JSON value, or a list of them.
func oneOrMore[T any](raw []byte) ([]T, error) {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		var all []T
		return all, decodeStrictly(bytes.NewReader(raw), &all)
	}
	one := make([]T, 1)
	return one, decodeStrictly(bytes.NewReader(raw), &one[0])
}
