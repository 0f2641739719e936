package world

import (
	"cmp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Failure is what an operation, an instance or a refused write failed with, in
// Azure's words. Towards a client each is a conflict.
type Failure struct {
	Code    string
	Message string
}

func (f *Failure) Error() string { return f.Code + ": " + f.Message }

const codePreempted = "OperationPreempted"

// preempted is the end of an operation that a newer capacity superseded
// (kubernetes/autoscaler#3018, #9505).
func preempted() *Failure {
	return &Failure{codePreempted, "The operation execution has been preempted by a more recent operation."}
}

// concurrentRequest refuses a second write where one at a time is allowed.
func concurrentRequest() *Failure {
	return &Failure{"Conflict",
		"The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests."}
}

// Operation is a long-running operation. It outlives its resource.
type Operation struct {
	ID      string
	Name    string
	Started time.Time
	Ended   time.Time // zero while it runs
	Failure *Failure

	Resource string  // its ID, where the operation's status says it
	Output   *Output // of a run command that ended; nil: of none

	set            *ScaleSet // nil: the operation is on something else
	forcedFailure  *Failure  // of a fault: it ends so, whatever comes of it
	awaited        int       // instances that it waits for, alongside those that are Creating or Deleting
	partialFailure *Failure  // of a part of it
}

// Running reports whether the operation has not ended.
func (o *Operation) Running() bool { return o.Ended.IsZero() }

// Status is the operation's, in Azure's words.
func (o *Operation) Status() string {
	switch {
	case o.Running():
		return "InProgress"
	case o.Failure != nil:
		return StateFailed
	}
	return StateSucceeded
}

// fail has the operation end with a failure of a part of it, the first one; nil:
// that part went well.
func (o *Operation) fail(f *Failure) { o.partialFailure = cmp.Or(o.partialFailure, f) }

// operationLimit bounds the memory of a simulator that runs for days: of more operations, those
// that began first are forgotten once they have ended.
const operationLimit = 50_000

// Operations are all long-running operations, also those that have ended.
type Operations struct {
	clock    *Clock
	byID     map[string]*Operation
	begun    []*Operation // those of byID in the order in which they began
	failNext *Failure     // forced upon the operation that the present request starts
}

func newOperations(c *Clock) *Operations {
	return &Operations{clock: c, byID: map[string]*Operation{}}
}

// Find finds an operation by ID, in any case; nil: there is none.
func (os *Operations) Find(id string) *Operation { return os.byID[strings.ToLower(id)] }

// FailNext forces a failure upon the next operation that begins; nil: upon
// none. What the operation does is done all the same.
func (os *Operations) FailNext(f *Failure) { os.failNext = f }

// begin starts an operation. A scale set is Updating until it ends.
func (os *Operations) begin(set *ScaleSet, name string) *Operation {
	o := &Operation{ID: uuid.NewString(), Name: name, Started: os.clock.Now(), set: set, forcedFailure: os.failNext}
	os.failNext = nil // a request starts one operation; those that follow from it are others
	os.add(o)
	if set == nil {
		return o
	}
	set.busy++
	if set.State != StateCreating && set.State != StateDeleting {
		set.State = StateUpdating
	}
	return o
}

// add remembers an operation, and forgets older ones where there are too many.
func (os *Operations) add(o *Operation) {
	os.byID[o.ID] = o
	os.begun = append(os.begun, o)
	if len(os.begun) <= operationLimit {
		return
	}
	var running []*Operation
	for _, old := range os.begun[:operationLimit/2] {
		if old.Running() {
			running = append(running, old)
			continue
		}
		delete(os.byID, old.ID)
	}
	os.begun = append(running, os.begun[operationLimit/2:]...)
}

// end ends an operation, once.
func (os *Operations) end(o *Operation, failure *Failure) {
	if o == nil || !o.Running() {
		return
	}
	failure = cmp.Or(failure, o.forcedFailure)
	o.Ended, o.Failure = os.clock.Now(), failure
	if o.set == nil {
		return
	}
	o.set.busy--
	if o.set.busy == 0 && o.set.State != StateDeleting {
		o.set.State = StateSucceeded
		if failure != nil && failure.Code != codePreempted {
			o.set.State = StateFailed
		}
	}
}

// endSoon ends an operation that has nothing to wait for.
func (os *Operations) endSoon(o *Operation) {
	os.clock.After(bookkeeping, func() { os.end(o, nil) })
}

// endAfter returns a function that ends o after it was called n times, with the
// first failure it was given; where n is 0, o ends soon.
func (os *Operations) endAfter(n int, o *Operation) func(*Failure) {
	if n == 0 {
		os.endSoon(o)
	}
	return func(f *Failure) {
		o.fail(f)
		if n--; n == 0 {
			os.end(o, o.partialFailure)
		}
	}
}
