package instancegroup

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// creationLimit is how long an instance may take to come up. Azure itself
	// gives up after 20 minutes at most (Microsoft's page on resilient create),
	// so that its verdict comes first.
	creationLimit = 25 * time.Minute

	// failedGrace is how long an instance that is Failed and powered on, and
	// never served, may take to recover (cluster-api-provider-azure#5303).
	failedGrace = 2 * time.Minute
)

// member judges one listed instance. It says false for an instance that has no
// vmId yet: it cannot be told from others, and shows up with one soon. So it
// does for one that went before: to the runner it would be a new one (F19). The
// lock must be held.
func (g *Group) member(i vmss.Instance, last *View) (Member, bool) {
	id, before := known(i, last)
	if id == "" {
		id = g.strayID(i)
	}
	if _, went := g.gone[id]; id == "" || went {
		return Member{}, false
	}
	m := Member{Instance: i, MemberID: id, assumed: identify(i) == ""}
	if m.assumed && before != nil {
		m.VMID, m.InstanceID = before.VMID, before.InstanceID
	}
	m.Private, m.Public = g.addresses[id].private, g.addresses[id].public
	m.State, m.Reason = classify(i, before, m.Private.IsValid(), g.set.IsSpot())
	m.age(before, g.now(), g.isOpening())
	if g.removing[id] != nil {
		m.State = Deleting
	}
	return m, true
}

// openingTime is how long after its first view the plugin takes what runs for
// older than itself: a list may lack an instance, or its vmId, for a while.
const openingTime = 2 * failedGrace

// isOpening says whether the plugin has just begun. The lock must be held.
func (g *Group) isOpening() bool {
	if g.opened.IsZero() {
		g.opened = g.now()
	}
	return g.now().Sub(g.opened) < openingTime
}

// age judges a member by its past: one that never served and does not come up is
// dead. opening says that the plugin has just begun: what runs then, and was not
// seen being created, may have a job, whatever it looks like.
func (m *Member) age(before *Member, now time.Time, opening bool) {
	m.first, m.served = now, opening && m.IsOn() && !m.Is("Creating")
	if before != nil {
		m.first, m.served, m.failed, m.deleting = before.first, before.served, before.failed, before.deleting
	}
	m.deleting = since(m.deleting, now, m.Is("Deleting"))
	m.failed = since(m.failed, now, m.Is("Failed"))
	switch {
	case m.stray() && !m.IsOn():
		m.State, m.Reason = Dead, fmt.Sprintf("it got no vmId within %s", creationLimit)
	case m.served || m.State == Dead || m.State == Deleting:
	case !m.failed.IsZero() && now.Sub(m.failed) >= failedGrace:
		m.State, m.Reason = Dead, "provisioning failed, and it did not recover: "+m.Failure
	case !m.failed.IsZero():
		m.State = Creating
	case m.State == Creating && now.Sub(m.first) >= creationLimit && !m.busy():
		m.State, m.Reason = Dead, fmt.Sprintf("it did not come up within %s", creationLimit)
	}
	m.served = m.served || m.State == Running
}

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

// busy says whether something may run on an instance that Azure is changing.
func (m *Member) busy() bool {
	return m.Is("Updating") && m.IsOn()
}

// meetStrays keeps account of instances without a vmId, of which lists have some
// early in life (F27). The lock must be held.
func (g *Group) meetStrays(instances []vmss.Instance, last *View) {
	strays := map[string]time.Time{}
	for _, i := range instances {
		if id, _ := known(i, last); id != "" || i.ID == "" || i.InstanceID == "" {
			continue
		}
		key := strings.ToLower(i.ID)
		strays[key] = g.now()
		if since, ok := g.strays[key]; ok {
			strays[key] = since
		}
	}
	g.strays = strays
}

func (g *Group) countStrays() (all, coming int) {
	for _, since := range g.strays {
		if g.now().Sub(since) < creationLimit {
			coming++
		}
	}
	return len(g.strays), coming
}

// strayID is the ID of an instance that has had no vmId for too long; empty for
// others. One that is powered on may have a job.
func (g *Group) strayID(i vmss.Instance) string {
	since, ok := g.strays[strings.ToLower(i.ID)]
	if !ok || g.now().Sub(since) < creationLimit || i.IsOn() {
		return ""
	}
	return strings.ToLower(i.Name) + "-without-vmid"
}

// compare draws the conclusions from what has changed since the last view: an
// instance that leaves lowers the capacity (of those that we delete, going, that
// was counted at acceptance), and one that dies without ever having served speaks
// against making others. The lock must be held.
func (g *Group) compare(v, last *View, going map[string]*removal) {
	served, dead, reason := 0, 0, ""
	for n := range v.Members {
		m, before := &v.Members[n], last.Find(v.Members[n].MemberID)
		if before != nil && before.State != Deleting && m.State == Deleting && going[m.MemberID] == nil {
			g.goal.capacity--
		}
		switch {
		case g.view == nil:
		case m.served && (before == nil || !before.served):
			served++
		case m.State == Dead && !m.served && (before == nil || before.State != Dead):
			dead, reason = dead+1, m.Reason
		}
	}
	for n := range last.Members {
		if m := &last.Members[n]; m.State != Deleting && v.Find(m.MemberID) == nil && going[m.MemberID] == nil {
			g.goal.capacity--
		}
	}
	switch {
	case dead > 0:
		g.stillborn(dead, "did not come up", errors.New(reason))
	case served > 0:
		g.births.ease()
	}
}
