package instancegroup

import (
	"context"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// freshAge is how long ago an instance may have been read for a connection, or
	// to count as healthy, without a request. The address may belong to another
	// instance by now, but not to one that is up: it was made afterwards, and the
	// next list ends the job. taskscaler holds locks meanwhile that stop all scaling,
	// so that a request for each connection costs more than its time.
	freshAge = 30 * time.Second

	// maxAge is the same where Azure does not respond: fleeting removes an instance
	// whose address it cannot have, and trouble with the API says nothing about
	// the instance.
	maxAge = 2 * time.Minute

	// longAge is the same where Azure's limits leave no room for a request. Lists of
	// a thousand instances take minutes.
	longAge = 5 * time.Minute
)

// Locate finds a running instance and its addresses, as it was read last if that is
// no longer ago than freshAge, or Azure's limits leave no room. Else it reads the
// instance itself: an address may belong to another one by now. The error says that it is gone, being deleted, dead,
// or not up yet, or that another manager has taken the scale set over.
func (g *Group) Locate(ctx context.Context, id string) (Member, error) {
	if err := g.checkLease(ctx, connectCheck); err != nil {
		return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
	}
	m := g.last().Find(id)
	if m == nil || m.State != Running {
		v, err := g.Refresh(ctx)
		if err != nil {
			return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
		}
		m = v.Find(id)
	}
	if m == nil {
		return Member{}, fmt.Errorf("locate instance %q: it no longer exists", id)
	}
	if m.State == Running && m.Private.IsValid() && g.isFresh(m) {
		return *m, nil
	}
	state, reason, err := g.probe(ctx, m)
	switch {
	case err != nil && (m.State != Running || g.now().Sub(m.known()) > maxAge):
		return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
	case err != nil:
		g.log.Warn("instance could not be checked; the last known address serves", "instance", id, "error", err)
	case state != Running:
		return Member{}, fmt.Errorf("locate instance %q: %s", id, reason)
	case !m.Private.IsValid():
		return Member{}, fmt.Errorf("locate instance %q: it has no address yet", id)
	}
	return *m, nil
}

// isFresh reports whether what is known of a member serves without a request.
func (g *Group) isFresh(m *Member) bool {
	age := g.now().Sub(m.known())
	return age <= freshAge || age <= longAge && g.reach().ReadsRemaining() < 1
}

// Check reads an instance anew, unless it was read just now, and returns an error if no
// job can run on it:
// it no longer exists, failed, was evicted, or lost its power. Trouble with
// Azure's API says nothing about the instance, and is no error here.
func (g *Group) Check(ctx context.Context, id string) error {
	m := g.last().Find(id)
	if m == nil {
		v, err := g.Refresh(ctx)
		if err != nil {
			g.log.Warn("instance could not be checked", "instance", id, "error", err)
			return nil
		}
		if m = v.Find(id); m == nil {
			return fmt.Errorf("check instance %q: it no longer exists", id)
		}
	}
	if m.State == Running && g.isFresh(m) && !isShort(g.listRoom()) {
		return nil
	}
	state, reason, err := g.probe(ctx, m)
	if err != nil {
		g.log.Warn("instance could not be checked", "instance", id, "error", err)
		return nil
	}
	if state == Dead || state == Deleting {
		return fmt.Errorf("check instance %q: %s", id, reason)
	}
	return nil
}

// probe reads one instance. One that no longer exists counts as Dead. An error
// is one of the request.
func (g *Group) probe(ctx context.Context, m *Member) (State, string, error) {
	i, err := g.reach().Get(ctx, m.InstanceID)
	switch {
	case isGone(err):
		return Dead, "it no longer exists", nil
	case err != nil:
		return 0, "", err
	case i.VMID != "" && identify(i) != m.MemberID:
		return Dead, "it no longer exists, and its number belongs to another instance", nil
	}
	state, reason := g.judgeNow(i, m)
	switch {
	case state == Deleting:
		reason = "it is being deleted"
	case reason == "":
		reason = "it is " + state.String()
	}
	return state, reason, nil
}

// judgeNow judges a member as it was read just now.
func (g *Group) judgeNow(i vmss.Instance, m *Member) (State, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.inventory.circumstances(m.MemberID, g.now(), g.now())
	c.spot, c.addressed = g.admission.set.IsSpot(), true
	return judge(i, m, c)
}

// isGone reports whether a read shows that the instance does not exist. For a
// write Azure says InvalidParameter with target instanceIds where it says
// NotFound for others; a read may do so, too.
func isGone(err error) bool { return armerr.Is(err, armerr.NotFound, armerr.InstanceGone) }
