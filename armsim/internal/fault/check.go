package fault

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// checkAll returns the first mistake.
func checkAll(all []Fault, operations []Operation) error {
	for n, one := range all {
		if err := one.check(operations); err != nil {
			return fmt.Errorf("add fault %d: %w", n+1, err)
		}
	}
	return nil
}

// kinds are the names of the effects that are set.
func (e Effect) kinds() []string {
	var set []string
	for _, kind := range []struct {
		name string
		set  bool
	}{
		{"error", e.Error != nil}, {"delay", e.Delay != 0}, {"cut", e.Cut != ""}, {"failOperation", e.FailOperation != nil},
		{"stale", e.Stale != 0}, {"list", e.List != ""}, {"omit", len(e.Omit) > 0},
		{"fail", e.Fail != nil}, {"failRunning", e.FailRunning != nil}, {"absent", e.Absent != nil}, {"stuck", e.Stuck}, {"slow", e.Slow != 0},
	} {
		if kind.set {
			set = append(set, kind.name)
		}
	}
	return set
}

// ofInstance reports whether the effect is on instances, not on requests.
func (e Effect) ofInstance() bool {
	return e.Fail != nil || e.FailRunning != nil || e.Absent != nil || e.Stuck || e.Slow != 0
}

// suits reports whether the rule can do anything to the operation.
func (f Fault) suits(operation, method string) bool {
	return (f.CapacityAbove == 0 || writesCapacity(operation, method)) && f.Effect.suits(operation, method)
}

// writesCapacity reports whether a request of the operation may ask for a
// capacity.
func writesCapacity(operation, method string) bool {
	return strings.HasPrefix(operation, "VirtualMachineScaleSets_") && (method == http.MethodPut || method == http.MethodPatch)
}

// suits reports whether the effect can do anything to the operation.
func (e Effect) suits(operation, method string) bool {
	switch {
	case e.ofInstance():
		return strings.HasPrefix(operation, "instance.") && (e.Absent == nil && e.FailRunning == nil || operation == world.ChangeCreate)
	case strings.HasPrefix(operation, "instance."):
		return false
	case operation == Token:
		return e.Error != nil || e.Delay != 0 || e.Cut != ""
	case e.FailOperation != nil:
		return method != http.MethodGet
	case e.Stale != 0:
		return method == http.MethodGet
	case e.List != "":
		return method == http.MethodGet && strings.Contains(operation, "_List")
	}
	return true
}

// check says why the rule could never do anything, or what it should do.
func (f Fault) check(operations []Operation) error {
	switch kinds := f.kinds(); {
	case len(kinds) == 0:
		return errors.New("it has no effect; set one, as error, delay, cut or fail")
	case len(kinds) > 1:
		return fmt.Errorf("it has the effects %s; make a rule of each", strings.Join(kinds, " and "))
	case f.Skip < 0 || f.Times < 0 || f.For < 0 || f.CapacityAbove < 0:
		return errors.New("skip, times, for and capacityAbove must not be negative")
	case !(f.Probability >= 0 && f.Probability <= 1): // not a number is none of both
		return fmt.Errorf("probability %v: it must be from 0 to 1", f.Probability)
	case (f.Size != "" || f.Zone != "") && !f.ofInstance():
		return errors.New("size and zone are for instances; leave them out, or set fail, failRunning, absent, stuck or slow")
	case f.CapacityAbove > 0 && f.ofInstance():
		return errors.New("capacityAbove is for requests; leave it out, or set an effect on a request, as error")
	case f.FreshETag && f.Stale == 0:
		return errors.New("freshETag needs stale")
	case !f.possible(operations):
		return fmt.Errorf("operation %q: %s can do nothing to an operation of that name; see the reference for the names", f.Operation, f.kinds()[0])
	}
	return f.Effect.check()
}

// possible reports whether there is an operation for the rule.
func (f Fault) possible(operations []Operation) bool {
	for _, name := range []string{world.ChangeCreate, world.ChangeDelete, world.ChangeStart, world.ChangeDeallocate, Token} {
		if f.names(name) && f.suits(name, http.MethodPost) {
			return true
		}
	}
	return slices.ContainsFunc(operations, func(o Operation) bool { return f.names(o.ID) && f.suits(o.ID, o.Method) })
}

// names reports whether the rule is for the operation.
func (f Fault) names(operation string) bool {
	if operation == Token {
		return strings.EqualFold(f.Operation, Token)
	}
	return f.Operation == "" || wildcard.Match(f.Operation, operation)
}

var listEffects = []string{ListEmpty, ListNoValue, ListTruncate, ListShuffle, ListRepeat, ListOdd, ListEmptyLast}

func (e Effect) check() error {
	switch {
	case e.Delay < 0 || e.Stale < 0 || e.Slow < 0:
		return errors.New("delay, stale and slow must not be negative")
	case e.Error != nil && (e.Error.Status < 400 || e.Error.Status > 599) && e.Error.Body == "":
		return fmt.Errorf("error: status %d is none of an error; take one from 400 to 599, or set a body", e.Error.Status)
	case e.Error != nil && (e.Error.Status < 200 || e.Error.Status > 599):
		return fmt.Errorf("error: status %d: it must be from 200 to 599", e.Error.Status)
	case e.Cut != "" && e.Cut != CutBefore && e.Cut != CutAfter:
		return fmt.Errorf("cut %q: it must be before or after", e.Cut)
	case e.List != "" && !slices.Contains(listEffects, e.List):
		return fmt.Errorf("list %q: there is none of that name; known: %s", e.List, strings.Join(listEffects, ", "))
	case slices.Contains(e.Omit, ""):
		return errors.New("omit: a path is empty; write it as properties.instanceView")
	}
	for _, failure := range []*Failure{e.FailOperation, e.Fail, e.FailRunning, e.Absent} {
		if failure != nil && failure.Code == "" {
			return errors.New("a failure needs a code, as AllocationFailed")
		}
	}
	return nil
}
