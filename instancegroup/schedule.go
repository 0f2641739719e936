package instancegroup

import (
	"context"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// schedule decides which reading is due: of the whole list, of some of its pages, of what
// Azure Resource Graph shows, or none.
type schedule struct{ *Group }

// dueReading begins the reading that is due, of the whole list or of some pages, or joins
// the one under way. Without one, the error is that of the last.
func (g schedule) dueReading(ctx context.Context) (*reading, error) {
	room, graphed := g.listRoom(), g.graphRoom()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.graph.current != nil:
		return g.graph.current, nil
	case g.current != nil && !g.graphIsDueLocked(room, graphed):
		return g.current, nil
	case g.current != nil:
	case g.inventory.last().reading == 0 || g.pace.mayList(g.needLocked(room), room, g.now()):
		return g.beginReadingLocked(ctx, &reading{room: room}), nil
	}
	if g.graphIsDueLocked(room, graphed) {
		return g.beginGraphLocked(ctx, room), nil
	}
	if pages := g.pagesToReadLocked(room); len(pages) > 0 {
		return g.beginReadingLocked(ctx, &reading{room: room, pages: pages}), nil
	}
	return nil, g.failed
}

// needLocked is how much there is to learn from a list.
func (g schedule) needLocked(room vmss.ListRoom) need {
	if g.failed != nil {
		return due
	}
	if g.index.serves(room) && g.ledger.pending() <= mostUnlisted {
		return max(g.ledger.need(g.now(), time.Hour), min(underway, g.needOfAgesLocked(room)))
	}
	return g.needOfAgesLocked(room)
}

// resumeAge is how long starting an instance again takes at least, or deallocating it:
// recorded starts took 8 to 26 seconds, and deallocations 10 to 31.
const resumeAge = 15 * time.Second

// needOfAgesLocked is the need where instances are looked for at their age.
func (g schedule) needOfAgesLocked(room vmss.ListRoom) need {
	v, now, after := g.inventory.last(), g.now(), g.pace.patienceOf(room)
	n := max(g.ledger.need(now, after), g.deletions.need(now), g.suspensions.need(now, min(after, resumeAge)))
	if v.identifying > 0 {
		n = max(n, underway)
	}
	for i := range v.Members {
		if v.Members[i].State != Creating {
			continue
		}
		if n = max(n, underway); now.Sub(v.Members[i].created) >= after {
			return due
		}
	}
	return n
}

// pagesToReadLocked are the pages that are worth reading again now, the best first.
func (g schedule) pagesToReadLocked(r vmss.ListRoom) []int {
	if !g.index.serves(r) {
		return nil
	}
	waits, best, graphed := map[int]time.Duration{}, []int{}, g.graph.serves(r, g.now())
	for n, p := range g.index.pages {
		waits[n] = g.waitingForLocked(p, graphed)
		if n == len(g.index.pages)-1 && !graphed {
			waits[n] += g.unlistedLocked(p)
		}
		if waits[n] >= worthReading(r) {
			best = append(best, n)
		}
	}
	slices.SortStableFunc(best, func(a, b int) int { return int(waits[b] - waits[a]) })
	return best[:min(len(best), g.pace.glances(r, g.now()))]
}

// unlistedLocked is how long instances have waited that no list has shown yet.
func (g schedule) unlistedLocked(last indexedPage) time.Duration {
	now, n := g.now(), 0
	for _, i := range g.ledger.increases {
		if now.Sub(i.began) >= unlistedAge {
			n += i.pending
		}
	}
	return time.Duration(n) * now.Sub(last.read) / 2
}

// waitingForLocked is how long the instances of a page that may have come up since have waited
// in all, as expected. Where Resource Graph tells of those that come up, deletions do that
// wait for proof.
func (g schedule) waitingForLocked(p indexedPage, graphed bool) time.Duration {
	v, now := g.inventory.last(), g.now()
	news := 0.0
	for _, id := range p.ids {
		m := v.Find(id)
		if m == nil {
			continue
		}
		if m.State == Creating && !graphed {
			news += g.pace.boots.chance(p.read.Sub(m.created), now.Sub(m.created))
		}
		if _, asked := g.deletions.asked[id]; asked || g.suspensions.isChanging(id) {
			news++
		}
	}
	return time.Duration(news * float64(now.Sub(p.read)) / 2)
}
