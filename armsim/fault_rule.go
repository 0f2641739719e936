package armsim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// FaultState is a rule and how often it was met.
type FaultState struct {
	Fault
	Matched int `json:"matched"` // skipped and spared ones included
	Applied int `json:"applied"`
}

// rule is a Fault in force.
type rule struct {
	Fault
	matched int
	applied int
	until   time.Time // zero: no end
	rand    *rand.Rand
}

// streamFaults and streamEvents keep each rule's draws apart from all others,
// so that one more rule shifts nothing.
const (
	streamFaults = 1 << 32
	streamEvents = 2 << 32
)

// AddFaults puts rules into force, after those there are. The error names the
// first that is impossible; then none is added.
func (s *Server) AddFaults(faults ...Fault) error {
	if err := checkAll("fault", faults); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.ruled++
		f.Name = cmp.Or(f.Name, fmt.Sprintf("fault %d", s.ruled))
		r := &rule{Fault: f, rand: rand.New(rand.NewPCG(s.Seed, streamFaults+s.ruled))}
		if f.For > 0 {
			r.until = s.time.now().Add(time.Duration(f.For))
		}
		s.rules = append(s.rules, r)
	}
	return nil
}

// ClearFaults ends all rules. Deletions that were stuck go on.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules, s.recent = nil, nil
	held := s.held
	s.held = nil
	for _, resume := range held {
		resume()
	}
}

// Faults are the rules in force, in order, and those that are spent.
func (s *Server) Faults() []FaultState {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := []FaultState{}
	for _, r := range s.rules {
		states = append(states, FaultState{Fault: r.Fault, Matched: r.matched, Applied: r.applied})
	}
	return states
}

// subject is what a rule may be for.
type subject struct {
	operation string
	method    string
	objects   []string // its names
	size      string
	zone      string
}

// faultFor finds the rule that applies, nil where none does; lock must be held.
func (s *Server) faultFor(sub subject) *rule {
	for _, r := range s.rules {
		if r.matches(sub, s.time.now()) && r.counts() {
			return r
		}
	}
	return nil
}

func (r *rule) matches(sub subject, now time.Time) bool {
	object := r.Object == "" || slices.ContainsFunc(sub.objects, func(name string) bool { return wildcardFold(r.Object, name) })
	return object && r.names(sub.operation) && r.suits(sub.operation, sub.method) &&
		(r.Size == "" || wildcardFold(r.Size, sub.size)) && (r.Zone == "" || r.Zone == sub.zone) &&
		(r.until.IsZero() || now.Before(r.until))
}

// counts says whether the rule applies to a match.
func (r *rule) counts() bool {
	r.matched++
	if r.matched <= r.Skip || r.Times > 0 && r.applied >= r.Times {
		return false
	}
	if r.Probability > 0 && r.rand.Float64() >= r.Probability {
		return false
	}
	r.applied++
	return true
}

func wildcardFold(pattern, s string) bool {
	return wildcard(strings.ToLower(pattern), strings.ToLower(s))
}

// instanceFault is the effect on an instance, an empty one where there is none.
func (s *Server) instanceFault(operation string, i *instance) *Effect {
	if r := s.faultFor(subject{operation: operation, objects: []string{i.name}, size: i.size, zone: i.zone}); r != nil {
		return &r.Effect
	}
	return &Effect{}
}

func (f *Failure) problem() *problem {
	return newProblem(409, f.Code, "%s", cmp.Or(f.Message, "The operation failed."))
}

// slowed is how long something takes under the effect.
func (e *Effect) slowed(d time.Duration) time.Duration {
	if e.Slow > 0 {
		return time.Duration(float64(d) * e.Slow)
	}
	return d
}
