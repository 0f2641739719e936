package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// leaseTag is the tag by which the managers of a scale set see each other. Its
// value names the process that manages the scale set now.
const leaseTag = "fleeting-plugin-azure"

const (
	// connectCheck, decreaseCheck and idleCheck are how old the last check of
	// the tag may be for a connection, for a deletion, and while nothing is
	// written. An increase that raises the capacity always checks, and so does an
	// update that finds instances which this manager did not ask for; one that the
	// warm pool serves goes by decreaseCheck.
	connectCheck  = 30 * time.Second
	decreaseCheck = time.Minute
	idleCheck     = 5 * time.Minute
)

// lease owns whether this process manages the scale set. Each manager takes all
// instances for its own and deletes those it does not need, so two of them would
// fight (jenkinsci/azure-vm-agents-plugin#634). The later one takes the scale
// set over, and the earlier one finds the tag changed. Nothing depends on it:
// where the tag cannot be written, work goes on.
type lease struct {
	owner    string // names this process; empty: it takes no lease
	acquired bool
	backoff  backoff
	checked  time.Time // the tag
	lost     *leaseLostError
	known    map[string]bool // members at the time of the loss
}

func newLease(owner string) lease {
	return lease{owner: owner, backoff: backoff{shortest: time.Minute, longest: time.Hour}}
}

// leaseLostError is the error of a manager whose scale set another one has taken
// over.
type leaseLostError struct{ text string }

func (e *leaseLostError) Error() string { return e.text }

func isLeaseLost(err error) bool {
	_, is := errors.AsType[*leaseLostError](err)
	return is
}

// isWanted reports whether it is time to acquire the lease.
func (l *lease) isWanted(now time.Time) bool {
	return l.owner != "" && !l.acquired && !l.backoff.active(now)
}

// isCheckDue reports whether the last check is older than that.
func (l *lease) isCheckDue(now time.Time, age time.Duration) bool {
	return l.acquired && now.Sub(l.checked) >= age
}

// leaseEvent is what a check of the tag found.
type leaseEvent int

const (
	leaseKept     leaseEvent = iota
	leaseLost                // a newer manager has the scale set, as of now
	leaseReverted            // the tag of an older manager is back
)

// verify reads from a scale set who its manager is. A tag that is gone proves
// nothing, and neither does that of an older manager: tools that keep a model
// remove tags that are not theirs, and write back those that they once read. Then
// the lease is to be acquired again.
func (l *lease) verify(set vmss.ScaleSet, now time.Time) leaseEvent {
	l.checked = now
	other := set.Tags[leaseTag]
	if !l.acquired || other == "" || other == l.owner {
		l.lost, l.known = nil, nil
		return leaseKept
	}
	if began, ok := managerBegan(other); ok && began.Before(l.began()) {
		l.lost, l.known, l.acquired = nil, nil, false
		return leaseReverted
	}
	event := leaseKept
	if l.lost == nil {
		event = leaseLost
	}
	l.lost = &leaseLostError{fmt.Sprintf("change scale set %q: another manager has taken it over: its tag %s says %q, and this one is %q; nothing was changed; fix: give each runner a scale set of its own, end the process that is not wanted, and restart this runner if it is to have the scale set",
		set.Name, leaseTag, other, l.owner)}
	return event
}

// began is when this manager began; without a time in its name no other is older.
func (l *lease) began() time.Time {
	began, _ := managerBegan(l.owner)
	return began
}

// managerBegan reads the time at the end of a manager's name, as in "host process
// 7 since 2026-11-25T08:00:00Z".
func managerBegan(owner string) (time.Time, bool) {
	_, text, found := strings.Cut(owner, " since ")
	if !found {
		return time.Time{}, false
	}
	began, err := time.Parse(time.RFC3339, text)
	return began, err == nil
}

// visible is what of a view this manager may hand out: all, or after the loss of
// the lease those instances that it knew before. The others are the new manager's.
func (l *lease) visible(v *View) *View {
	if l.lost == nil {
		return v
	}
	own := *v
	own.Members = slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return !l.known[m.MemberID] })
	return &own
}

// err is the loss of the lease, if it is known.
func (l *lease) err() error {
	if l.lost == nil {
		return nil
	}
	return l.lost
}

// acquireLease marks the scale set as managed by this process, once.
func (g *Group) acquireLease(ctx context.Context) {
	if !g.wantsLease() {
		return
	}
	ctx, leave, err := g.gate.enter(ctx, fmt.Sprintf("tag scale set %q", g.name))
	if err != nil {
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	err = g.writeLease(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.lease.acquired, g.lease.checked = true, g.now()
	case g.lease.backoff.fail(g.now(), nil) && !armerr.Is(err, armerr.Precondition):
		g.log.Warn("scale set could not be tagged; a second manager of it would not be noticed", "operation", "claim", "tag", leaseTag, "error", err)
	}
}

func (g *Group) wantsLease() bool {
	writes := g.writesRemaining()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lease.isWanted(g.now()) && writes > 1 // demand goes first
}

// writeLease writes the tag alongside those that are there. Its condition is the
// ETag, so that none is lost.
func (g *Group) writeLease(ctx context.Context) error {
	set, err := g.readScaleSet(ctx)
	if err != nil {
		return err
	}
	if set.ETag == "" {
		return fmt.Errorf("tag scale set %q: Azure's response holds no ETag; nothing was changed", g.name)
	}
	before := set.Tags[leaseTag]
	if before == g.lease.owner {
		return nil
	}
	tags := maps.Clone(set.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[leaseTag] = g.lease.owner
	if err := g.client.SetTags(ctx, tags, set.ETag); err != nil {
		return err
	}
	if before != "" {
		g.log.Info("taking the scale set over", "operation", "claim", "tag", leaseTag, "before", before, "now", g.lease.owner)
	}
	return nil
}

// checkLease reads the tag, if the last check is older than that. A read that
// fails stops nothing.
func (g *Group) checkLease(ctx context.Context, age time.Duration) error {
	remaining := g.client.Remaining(vmss.ReadScaleSet)
	g.mu.Lock()
	known, due := g.lease.err(), remaining >= 2 && g.lease.isCheckDue(g.now(), age)
	if due {
		g.lease.checked = g.now()
	}
	g.mu.Unlock()
	if !due {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	set, err := g.readScaleSet(ctx)
	if err != nil {
		return nil //nolint:nilerr // it says nothing about the tag
	}
	return g.verifyLease(set)
}

// verifyLease is an error if another manager has taken the scale set over.
func (g *Group) verifyLease(set vmss.ScaleSet) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.lease.verify(set, g.now()) {
	case leaseLost:
		g.lease.known = g.inventory.observedIDs()
		g.log.Error("another manager owns this scale set; writes disabled", "operation", "claim", "tag", leaseTag, "error", g.lease.lost)
	case leaseReverted:
		g.log.Warn("the tag of an older manager was written back; taking the scale set back", "operation", "claim", "tag", leaseTag,
			"fix", "let infrastructure as code ignore changes of tags and of instances")
	}
	return g.lease.err()
}
