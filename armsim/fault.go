package armsim

import (
	"io"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/arm"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

type (
	// Fault is a rule under which the simulator responds, or treats an
	// instance, otherwise than it should. The first rule that applies counts,
	// and those after it are not asked. Empty fields match everything.
	Fault = fault.Fault

	// Effect is what a Fault does. Exactly one kind must be set.
	Effect = fault.Effect

	// ErrorResponse is an error in Azure's shape, or with Body set, in none.
	ErrorResponse = fault.ErrorResponse

	// Failure is the error that an operation or an instance ends with.
	Failure = fault.Failure

	// FaultState is a rule and how often it matched.
	FaultState = fault.State

	// Span is a time.Duration that JSON writes as "30s".
	Span = world.Span
)

// Where Effect.Cut cuts the connection.
const (
	CutBefore = fault.CutBefore
	CutAfter  = fault.CutAfter
)

// How Effect.List changes a list's page.
const (
	ListEmpty     = fault.ListEmpty     // no entries, no next page
	ListNoValue   = fault.ListNoValue   // no value at all
	ListTruncate  = fault.ListTruncate  // the last half is missing, and the next page
	ListShuffle   = fault.ListShuffle   // entries in another order
	ListRepeat    = fault.ListRepeat    // an entry twice
	ListOdd       = fault.ListOdd       // further entries with empty IDs and null properties
	ListEmptyLast = fault.ListEmptyLast // one more page, an empty one
)

// ReadFaults reads {"faults": [], "events": []}, of which either may be missing.
// The error says what is unknown or impossible in it.
func ReadFaults(r io.Reader) ([]Fault, []Event, error) { return fault.Read(r, arm.Operations()) }

// AddFaults puts rules into force, after those there are. The error names the
// first that is impossible; then none is added.
func (s *Server) AddFaults(faults ...Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules.Add(faults...)
}

// ClearFaults ends all rules. Deletions that were stuck go on.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules.Clear()
	s.front.ForgetHistoryLocked()
	s.world.ResumeStuck()
}

// Faults are the rules in force, in order, and those that are spent.
func (s *Server) Faults() []FaultState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules.States()
}
