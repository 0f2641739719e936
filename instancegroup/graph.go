package instancegroup

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// graphInterval is how often a list is read through Azure Resource Graph at most,
	// and graphAges into how many parts the age of the youngest instance that is looked
	// for divides: what has not come up in five minutes is not about to do so within
	// seconds.
	graphInterval = 5 * time.Second
	graphAges     = 12

	// graphTimeout bounds such a list: the provider's waits for its end.
	graphTimeout = 15 * time.Second

	// graphRest is how long none is read after an error, and graphAbsence after the
	// provider has answered instead.
	graphRest    = 10 * time.Minute
	graphAbsence = time.Hour

	// graphLag is how far Resource Graph is behind: less than a minute (Microsoft's page
	// azure-resource-graph-get-list-api).
	graphLag = time.Minute
)

// graph owns when a long list is read through Azure Resource Graph. It shows what was so
// seconds to minutes ago, so that one thing is learnt from it: that a new instance is up.
// It proves neither that anything is gone nor which instance has a number, and changes
// no other state.
type graph struct {
	on      bool
	current *reading  // under way, alongside a list that waits for Azure's limits; nil: none
	began   time.Time // of the last list
	told    time.Time // when one told something
	since   time.Time // when the instances that are pending began to be so
	rests   time.Time // none is read until then
	worked  bool      // the last one did
	boots   boots     // until Resource Graph showed an instance to be up
	warned  graphWarnings
}

type graphWarnings struct{ failed, absent bool }

// serves reports whether Resource Graph tells of new instances, in place of pages. Where
// Azure allows many pages of a long list, these tell as much, and sooner.
func (x *graph) serves(room vmss.ListRoom, now time.Time) bool {
	return x.on && !isShort(room) && room.PerMinute <= steadyPages && !now.Before(x.rests)
}

// ended notes how a list ended. An error stops the use of Resource Graph for a while.
func (x *graph) ended(err error, log hclog.Logger, now time.Time) {
	x.worked = err == nil
	switch {
	case err == nil:
	case armerr.Is(err, armerr.Throttled): // the budget knows until when
	case errors.Is(err, vmss.ErrNotByGraph):
		x.rests = now.Add(graphAbsence)
		if !x.warned.absent {
			log.Warn("the subscription has no Azure Resource Graph for lists: they were answered by Compute, and counted against its limits", "operation", "update", "error", err,
				"fix", "ask Microsoft's product group for access (learn.microsoft.com, azure-resource-graph-get-list-api), or set use_resource_graph = false")
		}
		x.warned.absent = true
	default:
		x.rests = now.Add(graphRest)
		if !x.warned.failed {
			log.Warn("instances could not be listed by Azure Resource Graph; Compute's lists serve, and it is tried again later", "operation", "update", "error", err,
				"fix", "set use_resource_graph = false if this stays so")
		}
		x.warned.failed = true
	}
}

// graphRoom is what Resource Graph's quota leaves; nothing where it is not used.
func (g schedule) graphRoom() (r vmss.ListRoom) {
	if g.graph.on {
		r = g.reach().GraphRoom()
	}
	return r
}

// graphIsDueLocked reports whether to list through Resource Graph now.
func (g schedule) graphIsDueLocked(room, graphed vmss.ListRoom) bool {
	now := g.now()
	if !g.graph.serves(room, now) || graphed.Pages < max(room.Cost, graphed.Cost) {
		return false
	}
	if !g.graph.worked && room.Pages < 1 {
		return false // the provider may answer, and its limit has no room for that
	}
	if g.current != nil && !g.current.resumes.After(now) {
		return false // a list is about to tell
	}
	youngest, ok := g.youngestDueLocked(g.graph.boots.early())
	return ok && now.Sub(g.graph.began) >= max(graphInterval, youngest/graphAges)
}

// youngestDueLocked is the least age of instances that have been on their way for as
// long as after; false where there are none. Of those that no list has shown it is not
// known: an increase takes over what the one before it left. One of them may be as old
// as that there were some without a break.
func (g schedule) youngestDueLocked(after time.Duration) (youngest time.Duration, ok bool) {
	now := g.now()
	if since := g.graph.notePending(g.ledger.pending(), now); now.Sub(since) >= after {
		youngest, ok = min(now.Sub(since), now.Sub(g.graph.told)), true
	}
	consider := func(age time.Duration) {
		if age >= after && (!ok || age < youngest) {
			youngest, ok = age, true
		}
	}
	for _, i := range g.ledger.increases {
		consider(now.Sub(i.began))
	}
	v := g.inventory.last()
	for n := range v.Members {
		if v.Members[n].State == Creating {
			consider(now.Sub(v.Members[n].created))
		}
	}
	return youngest, ok
}

// notePending returns since when instances have been pending without a break.
func (x *graph) notePending(pending int, now time.Time) time.Time {
	if pending == 0 || x.since.IsZero() {
		x.since = now
	}
	return x.since
}

// beginGraphLocked begins a reading through Resource Graph.
func (g schedule) beginGraphLocked(ctx context.Context, room vmss.ListRoom) *reading {
	g.graph.began = g.now()
	return g.beginReadingLocked(ctx, &reading{room: room, graph: true, pages: []int{}})
}

// graphReading is a reading through Resource Graph.
type graphReading struct{ *reading }

// run tells of instances that are up by now. An error of Resource Graph's is none of the
// reading: the provider's lists go on.
func (r graphReading) run(ctx context.Context) error {
	r.findAddressesEarly(ctx)
	var up []vmss.Instance
	err := r.list(ctx, func(page []vmss.Instance) { up = append(up, r.take(page)...) })
	r.mu.Lock()
	r.graph().ended(err, r.log, r.now())
	r.mu.Unlock()
	before := r.addressed()
	if err := r.findAddresses(ctx, up); err != nil {
		return err
	}
	if r.addressed() > before {
		r.take(up)
	}
	return nil
}

func (r graphReading) graph() *graph { return &r.Group.graph }

func (r graphReading) list(ctx context.Context, page func([]vmss.Instance)) error {
	ctx, cancel := context.WithTimeout(ctx, graphTimeout)
	defer cancel()
	return r.reach().ListByGraph(ctx, r.knownVMID(), page)
}

// take takes over that instances of a page are up, and returns these. They do not count
// as having been seen.
func (r graphReading) take(page []vmss.Instance) (up []vmss.Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	base, now := r.inventory.last(), r.now()
	if up = r.inventory.comeUp(page, r.deletions.has); len(up) == 0 {
		return nil
	}
	r.inventory.addressUnlisted(up)
	r.graph().told = now
	l := listing{at: r.at, number: r.number, heard: r.at.Add(-graphLag), base: base, instances: up, spot: r.admission.set.IsSpot()}
	c := r.inventory.patch(l, r.deletions.has, now)
	c.boots = nil // it took less: that is known of what was seen
	for n := range c.settled {
		c.settled[n].within = now.Sub(base.At)
	}
	for _, i := range up {
		m := r.inventory.last().Find(identify(i))
		if m != nil && m.State == Running {
			r.graph().boots.add(now.Sub(m.created))
		}
	}
	r.concludeLocked(l, c)
	return up
}

// comeUp are the instances that run by what Resource Graph shows, and are not known to:
// they were being created when they were read last, or are younger than the last list.
// One that is gone, or that is being deleted, is none of them, nor is one whose number
// another instance has.
func (inv *inventory) comeUp(page []vmss.Instance, isDeleted func(id string) bool) (up []vmss.Instance) {
	v, holders := inv.last(), map[string]string{}
	for n := range v.Members {
		holders[strings.ToLower(v.Members[n].ID)] = v.Members[n].MemberID
	}
	for _, i := range page {
		id := identify(i)
		holder, held := holders[strings.ToLower(i.ID)]
		switch {
		case id == "" || !i.Is("Succeeded") || !i.IsOn() || inv.isGone(id) || isDeleted(id) || held && holder != id:
		case held && v.Find(id).isOnItsWay(), !held && v.isYounger(i):
			up = append(up, i)
		}
	}
	return up
}

// isOnItsWay reports whether a member was being created when it was read last.
func (m *Member) isOnItsWay() bool { return m.State == Creating && m.Is("Creating") }

// isAheadOf reports whether Resource Graph showed the member to be up, and a list whose page
// was read before that shows it being created: it goes on while such a list waits.
func (m *Member) isAheadOf(i vmss.Instance) bool { return !m.heard.IsZero() && i.Is("Creating") }

// markUnread has what Resource Graph tells of a member count as no reading of it.
func (m *Member) markUnread(before *Member) {
	if m.heard.IsZero() {
		return
	}
	m.reading = 0
	if before != nil {
		m.reading = before.reading
	}
}

// isYounger reports whether an instance may have been created after the last list. The
// clocks differ.
func (v *View) isYounger(i vmss.Instance) bool {
	return i.Created.After(v.At.Add(-time.Minute))
}
