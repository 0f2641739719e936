package instancegroup

import (
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// circumstances are what else than its view an instance's state depends on.
type circumstances struct {
	spot      bool
	addressed bool
	suspends  bool // instances may be suspended
	seen      time.Time
	now       time.Time
	suspension
}

// judge reads an instance's state. One that is off is suspended if this process did
// that, or an earlier one has marked it so and it did not run since: else it was evicted,
// or stopped from outside.
func judge(i vmss.Instance, before *Member, c circumstances) (State, string) {
	final := before != nil && before.Reason != "" || i.Is("Deleting") || i.Is("Creating")
	if c.phase == lost && !final {
		return Dead, c.reason
	}
	if (c.suspends || c.phase != untouched || i.Mark.IsWarm()) && !final {
		if state, reason, ok := c.suspendedState(i, before); ok {
			return state, reason
		}
	}
	return classify(i, before, c.spot, c.addressed)
}

// suspendedState is false for an instance that is judged as any other.
func (c *circumstances) suspendedState(i vmss.Instance, before *Member) (State, string, bool) {
	switch c.phase {
	case suspending:
		if i.IsOn() && !isChanged(i) && c.hasFailed(c.seen) {
			return 0, "", false
		}
		return offState(i), "", true
	case suspended:
		if i.IsOn() && c.seen.Sub(c.since) < outdated {
			return Suspended, "", true
		}
	case resuming:
		if isOff(i) && !isChanged(i) && c.hasFailed(c.seen) {
			return Dead, couldNotResume + c.cause(), true
		}
		return Resuming, "", !i.IsOn() || isChanged(i) || !c.addressed
	case resumed:
		return keep(before), "", isOff(i) && c.seen.Sub(c.since) < outdated
	}
	return c.markedState(i, before)
}

// couldNotResume begins the reason of a member that is dead because of that.
const couldNotResume = "it could not be resumed: "

// markedState is the state of an instance of which this process knows only its mark, or
// that it was suspended.
func (c *circumstances) markedState(i vmss.Instance, before *Member) (State, string, bool) {
	was := before != nil && before.isSuspended()
	ours := c.phase == suspended || c.phase == doubtful || i.Mark.IsWarm() || c.suspends && i.Mark == vmss.Suspended && (before == nil || before.State != Running)
	switch {
	case !ours || i.Is("Failed") && i.Failure != "":
		return 0, "", false
	case isOff(i):
		return offState(i), "", true
	case strings.EqualFold(i.PowerState, "starting"), was && i.IsOn() && (isChanged(i) || !c.addressed):
		return Resuming, "", true
	}
	return 0, "", false
}

// offState is the state of an instance that is off, or about to be, at the plugin's wish.
func offState(i vmss.Instance) State {
	if powerOf(i) == "deallocated" && !isChanged(i) {
		return Suspended
	}
	return Suspending
}

func powerOf(i vmss.Instance) string { return strings.ToLower(i.PowerState) }

// isOff reports whether an instance is powered off, or about to be.
func isOff(i vmss.Instance) bool {
	switch powerOf(i) {
	case "stopped", "stopping", "deallocated", "deallocating":
		return true
	}
	return false
}

// isChanged reports whether Azure is changing an instance.
func isChanged(i vmss.Instance) bool { return i.Is("Updating") || i.Is("Migrating") }

// isSuspended reports whether the runner has put the member to sleep and not had it back
// since.
func (m *Member) isSuspended() bool {
	return m.State == Suspending || m.State == Suspended || m.State == Resuming
}

// circumstances are those of a member that was read at a time.
func (inv *inventory) circumstances(id string, seen, now time.Time) circumstances {
	return circumstances{suspends: inv.suspends, seen: seen, now: now, suspension: inv.suspension(id)}
}

// restate changes the state of members of the latest view, of which something is known
// before it is read.
func (inv *inventory) restate(ids []string, state State, reason string, now time.Time) {
	v := *inv.last()
	v.Members = slices.Clone(v.Members)
	for _, id := range ids {
		m := v.Find(id)
		if m == nil {
			continue
		}
		m.State, m.Reason = state, reason
		m.resuming = since(time.Time{}, now, state == Resuming)
	}
	inv.view = &v
}
