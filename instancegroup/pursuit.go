package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// pursuit is an accepted operation that is followed to its end. It is asked for
// with the updates of the runner, so that there is nothing that could pile up:
// an operation that never ends costs a request now and then, and is given up
// (Azure/karpenter-provider-azure#1860).
type pursuit struct {
	operation vmss.Operation
	count     int      // instances to come, of an increase
	ids       []string // members to go, of a deletion
	began     time.Time
	asked     time.Time
	ended     time.Time // zero while it runs
	failure   error     // nil: it succeeded, or nobody knows
}

const (
	// askEvery is well below Azure's limit of 15 a minute for one operation.
	askEvery = 5 * time.Second

	// askAtMost bounds how many operations one update asks for, and
	// askTimeout how long that may take.
	askAtMost  = 4
	askTimeout = 10 * time.Second

	// giveUp ends the pursuit of an operation that does not end. What exists is
	// what counts then.
	giveUp = 40 * time.Minute
)

// follow asks how far the operations are that are due.
func (g *Group) follow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, p := range g.due() {
		progress, err := g.progress(ctx, p)
		g.note(p, progress, err)
	}
}

// due are the operations to ask for, those first that wait longest.
func (g *Group) due() []*pursuit {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var due []*pursuit
	for _, p := range g.pursuits {
		if p.ended.IsZero() && now.Sub(p.began) >= askEvery && now.Sub(p.asked) >= askEvery {
			due = append(due, p)
		}
	}
	slices.SortStableFunc(due, func(a, b *pursuit) int { return a.asked.Compare(b.asked) })
	return due[:min(len(due), askAtMost)]
}

// progress asks for an operation, or for the state of the scale set where Azure
// named none, knows it no more, or hides it from the identity.
func (g *Group) progress(ctx context.Context, p *pursuit) (vmss.Progress, error) {
	if p.operation != "" {
		progress, err := g.client.Progress(ctx, p.operation)
		if !armerr.Is(err, armerr.NotFound, armerr.Forbidden) {
			return progress, err
		}
		p.operation = ""
	}
	if g.client.Remaining(vmss.ReadScaleSet) < 2 { // the last one is for a write
		return vmss.Progress{}, errLater
	}
	set, err := g.client.ScaleSet(ctx)
	switch {
	case err != nil:
		return vmss.Progress{}, err
	case strings.EqualFold(set.ProvisioningState, "Failed"):
		return vmss.Progress{Ended: true, Failure: fmt.Errorf("scale set %q is in the state Failed", g.set.Name)}, nil
	}
	return vmss.Progress{Ended: strings.EqualFold(set.ProvisioningState, "Succeeded")}, nil
}

// note keeps what was learnt of an operation. Trouble with asking is no failure
// of the operation.
func (g *Group) note(p *pursuit, progress vmss.Progress, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.asked = g.now()
	switch {
	case err == nil && progress.Ended:
		p.ended, p.failure = p.asked, progress.Failure
	case p.asked.Sub(p.began) > giveUp:
		p.ended = p.asked
		g.log.Warn("an operation does not end; what exists counts", "operation", "follow", "duration", giveUp, "error", err)
	default:
		return
	}
	if len(p.ids) == 0 {
		g.log.Debug("an increase has ended", "operation", "increase", "count", p.count, "error", p.failure)
		return
	}
	g.pursuits = slices.DeleteFunc(g.pursuits, func(other *pursuit) bool { return other == p })
	if p.failure != nil {
		g.resume(p)
	}
}

// raising says whether an increase is under way; the lock must be held.
func (g *Group) raising() bool {
	return slices.ContainsFunc(g.pursuits, func(p *pursuit) bool { return len(p.ids) == 0 && p.ended.IsZero() })
}

// listLag is how much later than the end of its operation a list may still lack
// a new instance. It is a guess; one that comes later is taken all the same.
const listLag = 90 * time.Second

// Settle is told how many instances of a view the runner has met for the first
// time, and returns how many that Azure accepted will never come. The runner
// matches its requests with the instances that it meets: a request without one
// would stay pending for ever.
func (g *Group) Settle(v *View, met int) (lost int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.doubt != nil {
		g.doubt.count -= max(0, met-g.owed)
	}
	g.owed = max(0, g.owed-met)
	coming, failure := g.visible(v)
	lost = max(0, g.owed-coming)
	if lost > 0 {
		g.owed -= lost
		g.stillborn(lost, "were accepted by Azure and never created", failure)
	}
	return lost
}

// visible says how many instances may still come that the view does not show,
// and why others did not: it drops the increases that ended long enough before
// the view. No more can come than those of the other ones, and than have no vmId
// yet.
func (g *Group) visible(v *View) (coming int, failure error) {
	coming, failure = v.coming, errNeverCame
	g.pursuits = slices.DeleteFunc(g.pursuits, func(p *pursuit) bool {
		if len(p.ids) > 0 {
			return false
		}
		failed := p.failure != nil && !armerr.Is(p.failure, armerr.Preempted)
		seen := p.ended
		if !failed {
			seen = seen.Add(listLag)
		}
		if p.ended.IsZero() || v.At.Before(seen) {
			coming += p.count
			return false
		}
		if failed {
			failure = p.failure
		}
		return true
	})
	return coming, failure
}

// stillborn holds further increases back after instances that never served: else
// the runner would ask for others at once, and again (the circuit breaker). The
// lock must be held.
func (g *Group) stillborn(count int, what string, cause error) {
	err := fmt.Errorf("increase scale set %q: %d instances %s: %w", g.set.Name, count, what, cause)
	first := g.births.fail(g.now(), nil)
	pause := g.births.until.Sub(g.now())
	if !first {
		g.log.Debug("more instances did not come up", "count", count, "pause", pause, "error", err)
		return
	}
	g.news = err
	g.log.Error("instances did not come up; trying again at growing intervals", "operation", "increase", "count", count, "pause", pause, "error", err)
}

// errNeverCame is the cause where Azure named none.
var errNeverCame = errors.New("no reason is named; fix: look into the scale set's activity log")
