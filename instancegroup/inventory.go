package instancegroup

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// goneMemory is how long a member that went stays gone, whatever an outdated
// list shows (azure-sdk-for-net#36946).
const goneMemory = 10 * time.Minute

// inventory owns what is known of the instances: the latest complete view, the
// addresses, which members are gone, and which instances have no identity yet.
type inventory struct {
	view         *View                // the latest, nil before the first
	observed     *View                // the latest that the runner was given
	addresses    map[string]addresses // by member ID, for as long as it is listed
	gone         map[string]time.Time // by member ID: when it was found not to exist
	unidentified map[string]time.Time // by resource ID in lower case: since when it has no vmId
	readings     uint64               // how many have begun
	opened       time.Time            // when the first view was made
	stale        bool                 // the last view was served in place of a new one

	suspends   bool                       // instances may be suspended
	suspension func(id string) suspension // what this process does to the power of a member

	addressesRead time.Time        // when the interfaces were listed last
	unlisted      []vmss.Interface // what was listed then, for instances that no list has shown yet
	timeouts      Timeouts
}

func newInventory(t Timeouts) inventory {
	return inventory{timeouts: t.withDefaults(), suspension: func(string) suspension { return suspension{} }, addresses: map[string]addresses{}, gone: map[string]time.Time{}, unidentified: map[string]time.Time{}}
}

// beginReading numbers a reading. Clocks stand still at times; this does not.
func (inv *inventory) beginReading() uint64 {
	inv.readings++
	return inv.readings
}

// last is the latest view, an empty one before the first.
func (inv *inventory) last() *View {
	if inv.view == nil {
		return &View{}
	}
	return inv.view
}

// apply makes a view of a listing and stores it; isDeleted names the members
// whose deletion Azure has accepted. If a reading that began later is in
// already, its view stands. The result is false if another reading has changed the
// view since base was looked at: what it added may be missing here, and must be
// confirmed first.
func (inv *inventory) apply(l listing, isDeleted func(id string) bool, now time.Time) (changes, bool) {
	switch current := inv.last(); {
	case current.reading > l.number:
		return changes{}, true
	case inv.view != nil && current != l.base:
		return changes{}, false
	}
	inv.forget(l.confirmed.gone, now)
	inv.trackUnidentified(l, now)
	v := &View{At: l.at, reading: l.number, listed: len(l.instances), lacked: len(l.confirmed.kept), Members: inv.members(l, isDeleted, now), Gone: slices.Sorted(maps.Keys(inv.gone)), keepsFailed: l.uniform}
	v.unidentified, v.identifying = inv.countUnidentified(now)
	c := observeChanges(v.Members, l.base, isDeleted)
	c.departed += departures(v, l.base, isDeleted)
	c.evicted = earlyEvictions(l, v, isDeleted, now)
	if c.gone = l.confirmed.gone; inv.view == nil { // nothing is known of their past
		c.served, c.boots, c.settled, c.failed, c.reason = 0, nil, nil, 0, ""
	}
	inv.view = v
	return c, true
}

// drop takes members out of the latest view that are gone.
func (inv *inventory) drop(ids []string, now time.Time) {
	inv.forget(ids, now)
	v := *inv.last()
	v.Members = slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return slices.Contains(ids, m.MemberID) })
	v.Gone = slices.Sorted(maps.Keys(inv.gone))
	inv.view = &v
}

// revive no longer takes members for gone.
func (inv *inventory) revive(ids []string) {
	for _, id := range ids {
		delete(inv.gone, id)
	}
}

// patch takes a page over into the latest view, of which nothing else changes: what is
// not on the page may be on another. An instance that is up and whose address is yet to
// be read is left as it was: it would look as if it did not come up.
func (inv *inventory) patch(l listing, isDeleted func(id string) bool, now time.Time) changes {
	l.instances = slices.DeleteFunc(slices.Clone(l.instances), func(i vmss.Instance) bool { return inv.lacksAddress(i, now) })
	read := inv.members(l, isDeleted, now)
	c := observeChanges(read, l.base, isDeleted)
	v := *l.base
	v.Members = make([]Member, 0, len(l.base.Members)+len(read))
	for _, m := range l.base.Members {
		for len(read) > 0 && read[0].MemberID < m.MemberID {
			v.Members, read = append(v.Members, read[0]), read[1:]
		}
		if len(read) > 0 && read[0].MemberID == m.MemberID {
			m, read = read[0], read[1:]
		}
		v.Members = append(v.Members, m)
	}
	v.Members = append(v.Members, read...)
	inv.view = &v
	c.evicted = earlyEvictions(l, &v, isDeleted, now)
	return c
}

// members are the instances of a listing that have an identity, in the order of
// their IDs. A page boundary that moves shows an instance twice (F26).
func (inv *inventory) members(l listing, isDeleted func(id string) bool, now time.Time) []Member {
	var members []Member
	for _, i := range l.all() {
		if m, ok := inv.member(i, l, now); ok {
			if isDeleted(m.MemberID) {
				m.State = Deleting
			}
			members = append(members, m)
		}
	}
	slices.SortStableFunc(members, byID)
	return slices.CompactFunc(members, func(a, b Member) bool { return a.MemberID == b.MemberID })
}

func byID(a, b Member) int { return strings.Compare(a.MemberID, b.MemberID) }

// member judges one listed instance. It is false for an instance that has no
// vmId yet: it cannot be told from others, and shows up with one soon. So it is
// for one that went before: to the runner it would be a new one (F19).
func (inv *inventory) member(i vmss.Instance, l listing, now time.Time) (Member, bool) {
	id, before := matchPrevious(i, l.base)
	if id == "" {
		id = inv.unidentifiedID(i, now)
	}
	if id == "" || inv.isGone(id) {
		return Member{}, false
	}
	if before != nil && (before.reading > l.number || before.isAheadOf(i) || l.confirmed.unread[id]) {
		return *before, true // a later reading has its page in already, or this one has not looked
	}
	m := Member{Instance: i, MemberID: id, assumed: identify(i) == "", seen: l.seen, heard: l.heard, reading: l.number}
	if m.assumed && before != nil {
		m.VMID, m.InstanceID = before.VMID, before.InstanceID
	}
	if i.Bare && before != nil {
		m.Tags, m.Mark, m.ByPolicy = before.Tags, before.Mark, before.ByPolicy
	}
	if written := inv.suspension(id).marked; written != nil {
		m.Mark = *written // a list may be behind, or show no marks
	}
	i.Mark = m.Mark
	m.Private, m.Public = inv.addresses[id].private, inv.addresses[id].public
	c := inv.circumstances(id, l.seen, now)
	c.spot, c.addressed = l.spot, m.Private.IsValid()
	m.State, m.Reason = judge(i, inv.past(i, before, now), c)
	if m.State == Suspended { // its addresses are read anew when it runs
		delete(inv.addresses, id)
		m.Private, m.Public = netip.Addr{}, netip.Addr{}
	}
	m.inherit(before, inv.isOpening(now), now)
	m.markUnread(before)
	if before != nil && before.seen.After(m.seen) {
		m.seen = before.seen
	}
	m.applyTimeouts(inv.timeouts, now)
	m.served = m.served || m.State == Running
	return m, true
}

// openingTime is how long after its first view the plugin takes what runs for
// older than itself: a list may lack an instance, or its vmId, for a while.
const openingTime = 4 * time.Minute

// past is what an instance was before. One that Azure is changing when the plugin
// begins, and that is powered on, counts as running: it may have a job, and the
// runner would drop its state of an instance that is being created.
func (inv *inventory) past(i vmss.Instance, before *Member, now time.Time) *Member {
	if before == nil && inv.isOpening(now) && i.IsOn() && (i.Is("Updating") || i.Is("Migrating")) {
		return &Member{State: Running}
	}
	return before
}

// isOpening reports whether the plugin has just begun.
func (inv *inventory) isOpening(now time.Time) bool {
	if inv.opened.IsZero() {
		inv.opened = now
	}
	return now.Sub(inv.opened) < openingTime
}

// observe notes that the runner is given a view.
func (inv *inventory) observe(v *View) { inv.observed = v }

// countNew is how many instances of a view the runner was not given before.
func (inv *inventory) countNew(v *View) (n int) {
	before := inv.observedIDs()
	for i := range v.Members {
		if !before[v.Members[i].MemberID] {
			n++
		}
	}
	return n
}

// observedOrNil is observedIDs, or nil where the runner was given no view yet.
func (inv *inventory) observedOrNil() map[string]bool {
	if inv.observed == nil {
		return nil
	}
	return inv.observedIDs()
}

// observedIDs are the members of the latest view that the runner was given.
func (inv *inventory) observedIDs() map[string]bool {
	ids := map[string]bool{}
	if inv.observed != nil {
		for n := range inv.observed.Members {
			ids[inv.observed.Members[n].MemberID] = true
		}
	}
	return ids
}

func (inv *inventory) isGone(id string) bool {
	_, gone := inv.gone[id]
	return gone
}

// remember keeps what a reading that failed has found out.
func (inv *inventory) remember(gone []string, now time.Time) {
	for _, id := range gone {
		inv.gone[id] = now
	}
}

// abandon counts members as gone whose IDs have not the form of a mode: their
// scale set is gone. Uniform instance IDs are numbers, Flexible ones are names.
func (inv *inventory) abandon(mode vmss.OrchestrationMode, now time.Time) {
	for _, m := range inv.last().Members {
		_, err := strconv.Atoi(m.InstanceID)
		if isNumber := err == nil; isNumber != (mode == vmss.Uniform) {
			inv.gone[m.MemberID] = now
		}
	}
}

// forget drops what is known of members that went, and remembers that they did:
// the reading that finds out need not be the one that the runner is shown. It is told
// of each, however long updates fail.
func (inv *inventory) forget(gone []string, now time.Time) {
	untold := inv.observedIDs()
	maps.DeleteFunc(inv.gone, func(id string, since time.Time) bool { return now.Sub(since) >= goneMemory && !untold[id] })
	inv.remember(gone, now)
	for _, id := range gone {
		delete(inv.addresses, id)
	}
}

// trackUnidentified keeps account of instances without a vmId, of which lists
// have some early in life (F27).
func (inv *inventory) trackUnidentified(l listing, now time.Time) {
	tracked := map[string]time.Time{}
	for _, i := range l.all() {
		if id, _ := matchPrevious(i, l.base); id != "" || i.ID == "" || i.InstanceID == "" {
			continue
		}
		key := strings.ToLower(i.ID)
		tracked[key] = now
		if since, ok := inv.unidentified[key]; ok {
			tracked[key] = since
		}
	}
	inv.unidentified = tracked
}

// countUnidentified returns how many instances have no vmId, and how many of
// them may still get one.
func (inv *inventory) countUnidentified(now time.Time) (all, identifying int) {
	for _, since := range inv.unidentified {
		if now.Sub(since) < inv.timeouts.Creation {
			identifying++
		}
	}
	return len(inv.unidentified), identifying
}

// unidentifiedID is the ID of an instance that has had no vmId for too long;
// empty for others. One that is powered on may have a job.
func (inv *inventory) unidentifiedID(i vmss.Instance, now time.Time) string {
	since, ok := inv.unidentified[strings.ToLower(i.ID)]
	if !ok || now.Sub(since) < inv.timeouts.Creation || i.IsOn() {
		return ""
	}
	return strings.ToLower(i.Name) + "-without-vmid"
}

// setAddress stores the addresses of a member. An instance keeps them for life.
func (inv *inventory) setAddress(id string, a addresses) {
	if !inv.isGone(id) {
		inv.addresses[id] = a
	}
}
