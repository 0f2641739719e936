// Package fault holds the rules under which the simulator responds, or treats
// an instance, otherwise than it should: what a rule may say, when it applies,
// and what it does to a list's page. It must not import any package of this
// module but world and the leaves below armsim/internal.
package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Fault is a rule under which the simulator responds, or treats an instance,
// otherwise than it should. The first rule that applies counts, and those after
// it are not asked. Empty fields match everything.
type Fault struct {
	// Name is what the journal calls the rule; empty: "fault" and its number.
	Name string `json:"name,omitempty"`

	// Operation is an operation ID of the reference, "Token", or one of
	// "instance.create", "instance.delete", "instance.start" and
	// "instance.deallocate"; "*" stands for any part. Token requests match their name alone.
	Operation string `json:"operation,omitempty"`

	// Object is the last resource that the request's path names, or the
	// instance's name, in any case; "*" stands for any part.
	Object string `json:"object,omitempty"`

	Size string `json:"size,omitempty"` // of an instance, for "instance." operations
	Zone string `json:"zone,omitempty"` // the same

	// CapacityAbove matches only writes that ask for a higher capacity of a
	// scale set than this; 0: all.
	CapacityAbove int `json:"capacityAbove,omitempty"`

	Skip        int        `json:"skip,omitempty"`        // matches that pass first
	Times       int        `json:"times,omitempty"`       // that the rule applies; 0: no limit
	Probability float64    `json:"probability,omitempty"` // of a match to count; 0: each does
	For         world.Span `json:"for,omitempty"`         // simulated, since it was added; 0: no end

	Effect
}

// Effect is what a Fault does. Exactly one kind must be set: the first seven
// change the response to a request, the others what becomes of an instance.
type Effect struct {
	Error         *ErrorResponse `json:"error,omitempty"`
	Delay         world.Span     `json:"delay,omitempty"`         // simulated; the response comes late, its effect does not
	Cut           string         `json:"cut,omitempty"`           // the connection, CutBefore or CutAfter the effect
	FailOperation *Failure       `json:"failOperation,omitempty"` // the operation started ends so; what it does is done
	Stale         world.Span     `json:"stale,omitempty"`         // the response to a read is one of up to so long ago
	List          string         `json:"list,omitempty"`          // one of the List constants
	Omit          []string       `json:"omit,omitempty"`          // dotted paths left out of the response, or of a list's entries

	Fail        *Failure `json:"fail,omitempty"`        // creation, deletion, start or deallocation ends so
	FailRunning *Failure `json:"failRunning,omitempty"` // creation ends so, but the VM runs
	Absent      *Failure `json:"absent,omitempty"`      // the instance is never made, its operation ends so
	Stuck       bool     `json:"stuck,omitempty"`       // it never ends
	Slow        float64  `json:"slow,omitempty"`        // it takes so many times as long

	// FreshETag, with Stale: the old response carries the new ETag.
	FreshETag bool `json:"freshETag,omitempty"`
}

// ErrorResponse is an error in Azure's shape, or with Body set, in none.
type ErrorResponse struct {
	Status     int    `json:"status"`
	Code       string `json:"code,omitempty"` // empty: what Azure has for the status
	Message    string `json:"message,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"` // seconds
	After      bool   `json:"after,omitempty"`      // the effect takes place, its response is lost
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

// Token names token requests, which have no operation ID.
const Token = "Token"

// Operation is one that a rule may be for, by its operation ID.
type Operation struct {
	ID     string
	Method string
}

// Read reads {"faults": [], "events": []}, of which either may be missing. The
// error says what is unknown or impossible in it; operations are all that there
// are.
func Read(r io.Reader, operations []Operation) ([]Fault, []world.Event, error) {
	var file struct {
		Faults []Fault       `json:"faults"`
		Events []world.Event `json:"events"`
	}
	if err := decodeStrictly(r, &file); err != nil {
		return nil, nil, fmt.Errorf("read faults: %w", err)
	}
	if err := checkAll(file.Faults, operations); err != nil {
		return nil, nil, fmt.Errorf("read faults: %w", err)
	}
	if err := world.CheckEvents(file.Events); err != nil {
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

// OneOrMore reads a JSON value, or an array of them, and refuses fields that T
// lacks.
func OneOrMore[T any](raw []byte) ([]T, error) {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		var all []T
		return all, decodeStrictly(bytes.NewReader(raw), &all)
	}
	one := make([]T, 1)
	return one, decodeStrictly(bytes.NewReader(raw), &one[0])
}
