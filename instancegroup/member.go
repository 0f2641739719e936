package instancegroup

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// DefaultCreationLimit suits images that come up at once. Azure itself gives
	// up after 20 minutes (Microsoft's page on resilient create), so that its
	// verdict comes first; with extensions it waits longer.
	DefaultCreationLimit = 25 * time.Minute

	// DefaultFailedGrace is what it took to recover where that was seen
	// (cluster-api-provider-azure#5303).
	DefaultFailedGrace = 2 * time.Minute
)

// Timeouts are how long is waited for instances.
type Timeouts struct {
	Creation    time.Duration // for one to come up; 0: DefaultCreationLimit
	FailedGrace time.Duration // for one that is Failed and powered on, and never served, to recover; negative: none; 0: DefaultFailedGrace
}

func (t Timeouts) withDefaults() Timeouts {
	if t.Creation == 0 {
		t.Creation = DefaultCreationLimit
	}
	if t.FailedGrace == 0 {
		t.FailedGrace = DefaultFailedGrace
	}
	return t
}

// Member is an instance of the group under the ID by which the runner knows it.
type Member struct {
	vmss.Instance
	MemberID string
	State    State
	Reason   string // why it is Dead, also while it is Deleting after that
	Private  netip.Addr
	Public   netip.Addr // the zero Addr: it has none

	seen    time.Time // when it was read last, or just before
	heard   time.Time // when Azure Resource Graph showed it to be up, at worst; it proves nothing
	reading uint64    // the reading that read it
	created time.Time // when Azure began to create it; zero: nobody knows

	assumed bool      // the response held no vmId: it is taken for the one of the last view
	served  bool      // it was Running once, or may have been before the plugin began
	first   time.Time // when it was seen first
	failed  time.Time // since when its provisioning state is Failed; zero: it is not

	deleting time.Time // the same of Deleting
	resuming time.Time // the same of the state Resuming
}

// known is when the member was last known to be there.
func (m *Member) known() time.Time {
	if m.heard.After(m.seen) {
		return m.heard
	}
	return m.seen
}

// isUnidentified reports whether the member never got a vmId.
func (m *Member) isUnidentified() bool { return m.VMID == "" }

// identify makes the ID for an instance: short, readable, the same after a
// restart, and not shared by a later instance that Azure gives the same number
// (Microsoft: Uniform instance IDs may be reused). Empty without a vmId or a
// number: such entries turn up in lists (F27).
func identify(i vmss.Instance) string {
	if len(i.VMID) < 8 || i.InstanceID == "" {
		return ""
	}
	return strings.ToLower(i.Name) + "-" + strings.ToLower(i.VMID[:8])
}

// inherit takes over the past of the member. opening means that the plugin has
// just begun: what runs then, and was not seen being created, may have a job,
// whatever it looks like.
func (m *Member) inherit(before *Member, opening bool, now time.Time) {
	m.first, m.served = now, opening && m.IsOn() && !m.Is("Creating")
	m.created = m.Created
	if !opening && (m.created.IsZero() || m.created.After(now)) {
		m.created = now // the clocks differ
	}
	if before != nil {
		m.first, m.served, m.failed, m.deleting, m.created = before.first, before.served, before.failed, before.deleting, before.created
	}
	if m.SSHKeys == nil && before != nil {
		m.SSHKeys = before.SSHKeys // they are for life; not each response holds the model
	}
	if before != nil {
		m.resuming = before.resuming
	}
	m.resuming = since(m.resuming, now, m.State == Resuming)
	m.served = m.served || m.isSuspended() || m.Mark != vmss.Unmarked
	m.deleting = since(m.deleting, now, m.Is("Deleting"))
	m.failed = since(m.failed, now, m.Is("Failed"))
}

// applyTimeouts declares a member dead that never served and does not come up.
func (m *Member) applyTimeouts(t Timeouts, now time.Time) {
	if m.isUnidentified() && !m.IsOn() {
		m.State, m.Reason = Dead, fmt.Sprintf("it got no vmId within creation_limit (%s)", t.Creation)
		return
	}
	if m.State == Resuming && now.Sub(m.resuming) >= t.Creation {
		m.State, m.Reason = Dead, fmt.Sprintf("%sit did not come up within creation_limit (%s); fix: raise it if the image needs longer", couldNotResume, t.Creation)
	}
	if m.served || m.State == Dead || m.State == Deleting {
		return
	}
	if reason := m.startFailure(t, now); reason != "" {
		m.State, m.Reason = Dead, reason
	} else if !m.failed.IsZero() {
		m.State = Creating // it may recover
	}
}

// startFailure is why a member that never served is given up; empty while there
// is time left.
func (m *Member) startFailure(t Timeouts, now time.Time) string {
	if !m.failed.IsZero() {
		if now.Sub(m.failed) < t.FailedGrace {
			return ""
		}
		return fmt.Sprintf("provisioning failed, and it did not recover within failed_grace (%s): %s", max(0, t.FailedGrace), m.Failure)
	}
	if m.State == Creating && now.Sub(m.first) >= t.Creation && !m.isBusy() {
		return fmt.Sprintf("it did not come up within creation_limit (%s); fix: raise it if the image needs longer", t.Creation)
	}
	return ""
}

// isBusy reports whether something may run on an instance that Azure is changing.
func (m *Member) isBusy() bool { return m.Is("Updating") && m.IsOn() }

// since is when something began that is so now, zero where it is not.
func since(begun, now time.Time, is bool) time.Time {
	switch {
	case !is:
		return time.Time{}
	case begun.IsZero():
		return now
	}
	return begun
}
