package instancegroup

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// removal is a deletion that Azure has accepted. The runner takes it for done,
// so the plugin sees to it until the instance is gone.
type removal struct {
	sent  time.Time // acceptance
	again bool      // the operation has failed
}

const (
	// removalMemory is how long one that went stays gone whatever a lagging
	// list says (azure-sdk-for-net#36946).
	removalMemory = 10 * time.Minute

	// A deletion is sent again if the instance does not even begin to go for
	// removalLag after Azure has accepted, or does not end for stuckDeleting.
	removalLag    = 10 * time.Minute
	stuckDeleting = 30 * time.Minute
)

// due says whether the deletion of a member has to be sent again.
func (r *removal) due(i vmss.Instance, now time.Time) bool {
	return !i.Is("Deleting") && (r.again || now.Sub(r.sent) >= removalLag)
}

// stuck are the members that hang in a deletion, whoever began it: after a
// restart nobody knows.
func (g *Group) stuck(v *View) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []string
	for n := range v.Members {
		m := &v.Members[n]
		since := m.deleting
		if r := g.removing[m.MemberID]; r != nil && r.sent.After(since) {
			since = r.sent
		}
		if !m.deleting.IsZero() && g.now().Sub(since) >= stuckDeleting {
			ids = append(ids, m.MemberID)
		}
	}
	return ids
}

func (g *Group) isDue(m *Member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.removing[m.MemberID]
	return r != nil && r.due(m.Instance, g.now())
}

// own are the members that the plugin deletes though nobody asks: the dead, of
// which the runner was told that they are gone, and those whose deletion has
// come to nothing.
func (g *Group) own(v *View) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var ids []string
	for n := range v.Members {
		m := &v.Members[n]
		r := g.removing[m.MemberID]
		if m.stray() && m.IsOn() {
			continue // it has come up after all, and may have a job
		}
		if r == nil && m.State == Dead || r != nil && r.due(m.Instance, now) {
			ids = append(ids, m.MemberID)
		}
	}
	return ids
}

// accepted notes a deletion that Azure has accepted.
func (g *Group) accepted(ids []string, operations []vmss.Operation) {
	if len(ids) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, id := range ids {
		if _, went := g.gone[id]; went {
			continue
		}
		r := g.removing[id]
		if r == nil {
			r = &removal{}
			g.removing[id] = r
			if m := g.lastLocked().Find(id); m != nil && m.State != Deleting {
				g.goal.capacity--
			}
		}
		r.sent, r.again = now, false
		g.explain(id)
	}
	for _, o := range operations {
		if o != "" {
			g.pursuits = append(g.pursuits, &pursuit{operation: o, ids: ids, began: now})
		}
	}
	g.log.Info("instances are being deleted", "operation", "decrease", "count", len(ids), "instances", ids)
}

// explain logs why the plugin deletes what nobody asked for, and counts it; the
// lock must be held.
func (g *Group) explain(id string) {
	m := g.lastLocked().Find(id)
	if m == nil || m.Reason == "" {
		return
	}
	g.buried++
	g.log.Warn("removing a dead instance", "instance", id, "reason", m.Reason, "count", g.buried)
}

// resume sends deletions again whose operation has failed; the lock must be
// held. One that a newer operation superseded is no failure
// (kubernetes/autoscaler#9505).
func (g *Group) resume(p *pursuit) {
	left := 0
	for _, id := range p.ids {
		if r := g.removing[id]; r != nil && !r.sent.After(p.began) {
			r.again = true
			left++
		}
	}
	if left == 0 {
		return
	}
	if !armerr.Is(p.failure, armerr.Preempted) {
		g.removals.fail(g.now(), nil)
	}
	g.log.Warn("a deletion has failed; sending it again", "operation", "decrease", "count", left, "error", p.failure)
}
