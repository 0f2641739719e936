package instancegroup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// operation is a long-running operation that Azure accepted. It is polled along
// with the runner's updates, so that nothing can pile up: one that never ends
// costs a request now and then, and is abandoned
// (Azure/karpenter-provider-azure#1860).
type operation struct {
	id      vmss.Operation // empty where Azure named none, or no longer knows it, or it was abandoned
	began   time.Time
	polled  time.Time
	ended   time.Time // zero while it runs
	failure error     // nil: it succeeded, or nobody knows
}

const (
	// pollInterval is well below Azure's limit of 15 a minute for one operation. Few
	// end before, and what an operation tells the instances mostly tell, too.
	pollInterval    = 10 * time.Second
	longestInterval = 30 * time.Second

	// listedFirst is how long the lists have to tell, where they are long and yet cheap,
	// what an operation would.
	listedFirst = 2 * time.Minute

	// pollsPerUpdate bounds how many operations one update polls, and
	// pollTimeout how long that may take.
	pollsPerUpdate = 4
	pollTimeout    = 10 * time.Second

	// abandonAfter is when an operation that does not end is no longer followed.
	// What exists is what counts then.
	abandonAfter = 40 * time.Minute
)

func (o *operation) isDue(now time.Time) bool {
	return o.ended.IsZero() && now.Sub(o.began) >= pollInterval && now.Sub(o.polled) >= o.interval(now)
}

// interval grows with the operation's age: most end within a minute or two.
func (o *operation) interval(now time.Time) time.Duration {
	return min(longestInterval, max(pollInterval, now.Sub(o.began)/3))
}

// record stores the result of a poll. An error of the poll is no failure of the
// operation.
func (o *operation) record(now time.Time, p vmss.Progress, err error) (ended, abandoned bool) {
	o.polled = now
	switch {
	case err == nil && p.Ended:
		o.ended, o.failure = now, p.Failure
		return true, false
	case now.Sub(o.began) > abandonAfter:
		o.ended, o.id = now, "" // nobody knows how it has ended
		return true, true
	}
	return false, false
}

// dueOperations are the ones of that age to poll now, those first that wait longest.
func dueOperations(all []*operation, age time.Duration, now time.Time) []*operation {
	due := slices.DeleteFunc(all, func(o *operation) bool { return now.Sub(o.began) < age || !o.isDue(now) })
	slices.SortStableFunc(due, func(a, b *operation) int {
		if c := a.polled.Compare(b.polled); c != 0 {
			return c
		}
		return a.began.Compare(b.began)
	})
	return due[:min(len(due), pollsPerUpdate)]
}

// operationPoll polls the operations that are due.
type operationPoll struct {
	*Group
	room vmss.ListRoom
}

func (p operationPoll) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	age := time.Duration(0)
	if isPlentiful(p.room) {
		age = listedFirst
	}
	p.mu.Lock()
	due := dueOperations(slices.Concat(p.ledger.operations(), p.deletions.operations(), p.suspensions.operations()), age, p.now())
	p.mu.Unlock()
	for _, o := range due {
		progress, err := p.progress(ctx, o)
		p.record(o, progress, err)
	}
}

// progress polls an operation, or reads the state of the scale set where Azure
// named none, no longer knows it, or hides it from the identity.
func (p operationPoll) progress(ctx context.Context, o *operation) (vmss.Progress, error) {
	if id := p.idOf(o); id != "" {
		progress, err := p.client.Progress(ctx, id)
		if !armerr.Is(err, armerr.NotFound, armerr.Forbidden) {
			return progress, err
		}
		if armerr.Is(err, armerr.Forbidden) {
			p.hidden.Do(func() {
				p.log.Warn("operations could not be read; why they fail stays unknown", "operation", "follow", "error", err)
			})
		}
		p.unname(o)
	}
	if p.client.Remaining(vmss.ReadScaleSet) < 2 { // the last one is for a write
		return vmss.Progress{}, errDeferred
	}
	set, err := p.readScaleSet(ctx)
	switch {
	case err != nil:
		return vmss.Progress{}, err
	case strings.EqualFold(set.ProvisioningState, "Failed"):
		return vmss.Progress{Ended: true, Failure: fmt.Errorf("scale set %q is in the state Failed", p.name)}, nil
	}
	return vmss.Progress{Ended: strings.EqualFold(set.ProvisioningState, "Succeeded")}, nil
}

func (p operationPoll) idOf(o *operation) vmss.Operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return o.id
}

// unname is for an operation that Azure no longer tells of.
func (p operationPoll) unname(o *operation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o.id = ""
}

func (p operationPoll) record(o *operation, progress vmss.Progress, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended, abandoned := o.record(p.now(), progress, err)
	if abandoned {
		p.log.Warn("operation timed out; relying on the instance list", "operation", "follow", "duration", abandonAfter, "error", err)
	}
	if !ended {
		return
	}
	if i := p.ledger.find(o); i != nil {
		p.log.Debug("an increase has ended", "operation", "increase", "pending", i.pending, "error", o.failure)
		return
	}
	if ids := p.suspensions.finish(o); ids != nil {
		if o.failure != nil {
			p.log.Warn("the power of instances could not be changed", "operation", "follow", "instances", ids, "error", o.failure)
		}
		return
	}
	deleted, unfinished := p.deletions.finish(o)
	if isScarce(p.room) {
		p.dropLocked(deleted)
	}
	if unfinished > 0 {
		if !armerr.Is(o.failure, armerr.Preempted) {
			p.deletions.backoff.fail(p.now(), nil)
		}
		p.log.Warn("a deletion has failed; sending it again", "operation", "decrease", "count", unfinished, "error", o.failure)
	}
}

// dropLocked takes instances out of the view whose deletion has ended. Where lists are
// scarce, none has to prove that.
func (p operationPoll) dropLocked(ids []string) {
	if len(ids) == 0 {
		return
	}
	base := p.inventory.last()
	l := listing{base: base, confirmed: confirmation{gone: ids}}
	p.watch.changed(l, changes{gone: ids}, &p.deletions, p.now())
	p.inventory.drop(ids, p.now())
	p.forgetLocked(base, ids)
}
