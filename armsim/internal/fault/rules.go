package fault

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// State is a rule and how often it matched.
type State struct {
	Fault
	Matched int `json:"matched"` // also where it was skipped, or chance was against it
	Applied int `json:"applied"`
}

// Rule is a Fault in force.
type Rule struct {
	Fault
	matched int
	applied int
	until   time.Time // zero: no end
	rand    *rand.Rand
}

// streamFaults keeps each rule's draws apart from all others, so that one more
// rule shifts nothing.
const streamFaults = 1 << 32

// Rules are the rules in force. The lock of the world's owner guards them.
type Rules struct {
	seed       uint64
	clock      *world.Clock
	operations []Operation
	rules      []*Rule
	added      uint64 // ever
}

// NewRules starts without rules; operations are all that a rule may be for.
func NewRules(seed uint64, clock *world.Clock, operations []Operation) *Rules {
	return &Rules{seed: seed, clock: clock, operations: operations}
}

// Add puts rules into force, after those there are. The error names the first
// that is impossible; then none is added.
func (rs *Rules) Add(faults ...Fault) error {
	if err := checkAll(faults, rs.operations); err != nil {
		return err
	}
	for _, f := range faults {
		rs.added++
		f.Name = cmp.Or(f.Name, fmt.Sprintf("fault %d", rs.added))
		r := &Rule{Fault: f, rand: rand.New(rand.NewPCG(rs.seed, streamFaults+rs.added))}
		if f.For > 0 {
			r.until = rs.clock.Now().Add(time.Duration(f.For))
		}
		rs.rules = append(rs.rules, r)
	}
	return nil
}

// Clear ends all rules.
func (rs *Rules) Clear() { rs.rules = nil }

// States are the rules in force, in order, and those that are spent.
func (rs *Rules) States() []State {
	states := []State{}
	for _, r := range rs.rules {
		states = append(states, State{Fault: r.Fault, Matched: r.matched, Applied: r.applied})
	}
	return states
}

// Horizon is how long ago the oldest response may be that a rule wants to give
// again; 0: none does.
func (rs *Rules) Horizon() time.Duration {
	horizon := world.Span(0)
	for _, r := range rs.rules {
		horizon = max(horizon, r.Stale)
	}
	return time.Duration(horizon)
}

// Subject is what a rule may be for.
type Subject struct {
	Operation string
	Method    string
	Objects   []string // its names
	Capacity  int      // of a scale set, that the request asks for; 0: none
	size      string
	zone      string
}

// For finds the rule that applies, nil where none does.
func (rs *Rules) For(sub Subject) *Rule {
	if len(rs.rules) == 0 {
		return nil
	}
	now := rs.clock.Now()
	for _, r := range rs.rules {
		if r.matches(sub, now) && r.counts() {
			return r
		}
	}
	return nil
}

// ForInstance is what a change of an instance shall come to.
func (rs *Rules) ForInstance(change string, i *world.Instance) world.Outcome {
	r := rs.For(Subject{Operation: change, Objects: []string{i.Name}, size: i.Size, zone: i.Zone})
	if r == nil {
		return world.Outcome{}
	}
	return world.Outcome{Fail: AsWorld(r.Fail), FailRunning: AsWorld(r.FailRunning), Absent: AsWorld(r.Absent), Stuck: r.Stuck, Slow: r.Slow}
}

func (r *Rule) matches(sub Subject, now time.Time) bool {
	object := r.Object == "" || slices.ContainsFunc(sub.Objects, func(name string) bool { return wildcard.Match(r.Object, name) })
	return object && r.names(sub.Operation) && r.suits(sub.Operation, sub.Method) &&
		(r.CapacityAbove == 0 || sub.Capacity > r.CapacityAbove) &&
		(r.Size == "" || wildcard.Match(r.Size, sub.size)) && (r.Zone == "" || r.Zone == sub.zone) &&
		(r.until.IsZero() || now.Before(r.until))
}

// counts reports whether the rule applies to a match.
func (r *Rule) counts() bool {
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

// AsWorld is the failure as the world has it; nil of nil.
func AsWorld(f *Failure) *world.Failure {
	if f == nil {
		return nil
	}
	return &world.Failure{Code: f.Code, Message: cmp.Or(f.Message, "The operation failed.")}
}
