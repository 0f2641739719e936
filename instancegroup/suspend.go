package instancegroup

import (
	"context"
	"fmt"
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Suspend deallocates instances that run, and returns those of which Azure has accepted
// it or which are suspended already, even alongside an error. Each is marked on Azure
// before, so that whoever comes later can tell it from one that was evicted. What Azure's
// request limits leave no room for is left out without an error: the runner asks again.
func (g *Group) Suspend(ctx context.Context, ids []string) ([]string, error) {
	c := powerChange{Group: g, verb: "suspend", call: vmss.DeallocateInstances, to: suspending, from: Running, already: []State{Suspending, Suspended}}
	return c.run(ctx, ids)
}

// Resume starts instances that are suspended, and returns those of which Azure has accepted
// it or which run already, even alongside an error. One that Azure refuses by itself for
// want of a machine is dead from then on: the next update says so, and the runner asks for
// another.
func (g *Group) Resume(ctx context.Context, ids []string) ([]string, error) {
	c := powerChange{Group: g, verb: "resume", call: vmss.StartInstances, to: resuming, from: Suspended, already: []State{Resuming, Running}}
	return c.run(ctx, ids)
}

// powerChange suspends or resumes instances.
type powerChange struct {
	*Group
	verb    string
	call    vmss.Call
	to      phase
	from    State
	already []State
	splits  int  // that are left
	plain   bool // without hibernation
}

func (c *powerChange) run(ctx context.Context, ids []string) ([]string, error) {
	done, members, unfit := c.selected(ids)
	if len(members) == 0 {
		return done, unfit
	}
	if c.client.Remaining(c.call) < 1 {
		return done, armerr.Join(unfit, c.deferred(len(members)))
	}
	ctx, leave, err := c.gate.enter(ctx, fmt.Sprintf("%s %d instances of scale set %q", c.verb, len(members), c.name))
	if err != nil {
		return done, err
	}
	defer leave()
	if err := c.checkLease(ctx, decreaseCheck); err != nil {
		return done, err
	}
	if c.to == suspending {
		members, err = c.mark(ctx, members)
	} else {
		c.adopt(members)
	}
	c.splits = maxSplits
	accepted, refused := c.send(ctx, members)
	return append(done, accepted...), armerr.Join(unfit, err, refused)
}

// deferred is the error where Azure's limits leave no room: nobody asks again to resume.
func (c *powerChange) deferred(n int) error {
	if c.to == suspending {
		return nil
	}
	return fmt.Errorf("%s %d instances of scale set %q: Azure's request limits are used up; nothing was changed; fix: none needed, try again", c.verb, n, c.name)
}

// selected divides the IDs into those that need nothing and the members to change. The
// error is about the others.
func (c *powerChange) selected(ids []string) (done []string, members []*Member, unfit error) {
	v := c.last()
	var all []error
	for _, id := range ids {
		m := v.Find(id)
		switch {
		case m == nil:
			all = append(all, fmt.Errorf("%s instance %q: it no longer exists", c.verb, id))
		case slices.Contains(c.already, m.State):
			done = append(done, id)
		case m.State != c.from:
			all = append(all, fmt.Errorf("%s instance %q: it is %s", c.verb, id, m.State))
		case !slices.Contains(members, m):
			members = append(members, m)
		}
	}
	return done, members, armerr.Join(all...)
}

// send changes the power of members in one call, and if Azure refuses it for them
// together, in halves.
func (c *powerChange) send(ctx context.Context, batch []*Member) (done []string, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	outcome, err := c.request(ctx, batch)
	done = c.accept(batch, outcome)
	c.doubt(batch, outcome)
	switch {
	case err == nil, meetsAll(err), len(done)+len(outcome.Doubtful) > 0:
		return done, err
	case len(batch) == 1 || c.splits == 0 || c.client.Remaining(c.call) < 1:
		c.refuse(batch, err)
		return done, err
	}
	c.splits--
	middle := len(batch) / 2
	first, e1 := c.send(ctx, batch[:middle])
	second, e2 := c.send(ctx, batch[middle:])
	return append(first, second...), armerr.Join(e1, e2)
}

// sendAfter is send for members whose marks are being written: meanwhile Azure may refuse
// to change them (409; believed, as of any two changes of one resource). Those are sent
// once more when the writes have ended.
func (c *powerChange) sendAfter(ctx context.Context, marks []vmss.Operation, batch []*Member) ([]string, error) {
	done, err := c.send(ctx, batch)
	if !armerr.Is(err, armerr.Conflict) || !slices.ContainsFunc(marks, func(o vmss.Operation) bool { return o != "" }) || c.client.Remaining(c.call) < 1 {
		return done, err
	}
	c.awaitMarks(ctx, marks)
	again, err := c.send(ctx, slices.DeleteFunc(slices.Clone(batch), func(m *Member) bool { return slices.Contains(done, m.MemberID) }))
	return append(done, again...), err
}

func (c *powerChange) request(ctx context.Context, batch []*Member) (vmss.PowerOutcome, error) {
	if c.to == resuming {
		return c.reach().Start(ctx, instanceIDs(batch))
	}
	return c.reach().Deallocate(ctx, instanceIDs(batch), c.suspensions.hibernate && !c.plain)
}

// memberIDs are those of the members of a batch with these instance IDs.
func memberIDs(batch []*Member, instanceIDs []string) (ids []string) {
	for _, m := range batch {
		if slices.Contains(instanceIDs, m.InstanceID) {
			ids = append(ids, m.MemberID)
		}
	}
	return ids
}

// accept keeps account of what Azure has accepted, and returns the members' IDs.
func (c *powerChange) accept(batch []*Member, o vmss.PowerOutcome) []string {
	ids := memberIDs(batch, o.Accepted)
	if len(ids) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspensions.begin(ids, c.to, o.Operation, c.now())
	state := Suspending
	if c.to == resuming {
		state = Resuming
	}
	c.inventory.restate(ids, state, "", c.now())
	c.log.Info("the power of instances is being changed", "operation", c.verb, "count", len(ids), "instances", ids)
	return ids
}

func (c *powerChange) adopt(members []*Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspensions.adopt(members, c.now())
}

// doubt is for those whose response was lost. A start begins to show; nobody must take
// what a deallocation does for an eviction.
func (c *powerChange) doubt(batch []*Member, o vmss.PowerOutcome) {
	if c.to != suspending {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspensions.begin(memberIDs(batch, o.Doubtful), doubtful, "", c.now())
}

// refuse gives up a member that Azure has no machine for. Of several that it refuses
// together it may have machines for most: they stay. So they do for want of quota, for which
// nobody would get another instance.
func (c *powerChange) refuse(batch []*Member, err error) {
	if len(batch) > 1 || c.to != resuming || !armerr.Is(err, armerr.Allocation) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id, reason := batch[0].MemberID, couldNotResume+err.Error()
	c.suspensions.lose(id, reason, c.now())
	c.inventory.restate([]string{id}, Dead, reason, c.now())
}
