package instancegroup

import (
	"cmp"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// warmPool owns which instances are kept deallocated for later increases. The runner is
// not told of them until it gets them. What a later process needs is their mark alone: one
// that is not marked yet is the runner's if this process ends.
type warmPool struct {
	size     int
	claimed  map[string]string    // by member ID: made for the pool, from which model
	running  map[string]time.Time // by member ID: since when one of the pool's runs
	told     map[string]bool      // by member ID: the runner was last told of it
	taken    map[string]time.Time // by member ID: given to the runner, when that was asked for
	leaving  map[string]bool      // by member ID: about to be taken
	parted   map[string]time.Time // by member ID: when it went, unknown to the runner
	unmet    time.Time            // when an increase was last not met in full
	backoff  backoff              // of increases of the pool
	marking  backoff              // of what puts its members to sleep
	starting backoff              // of starts that Azure refused
}

func newWarmPool(size int) warmPool {
	b := backoff{shortest: 30 * time.Second, longest: 10 * time.Minute}
	return warmPool{
		size: size, claimed: map[string]string{}, running: map[string]time.Time{}, told: map[string]bool{}, taken: map[string]time.Time{},
		leaving: map[string]bool{}, parted: map[string]time.Time{}, backoff: b, marking: b, starting: b,
	}
}

// warmSettle is how long an instance runs before it is deallocated for the pool: what its
// first boot does is to be done.
const warmSettle = time.Minute

// demandRest is how long after an increase that was not met in full the pool grows no
// more.
const demandRest = time.Minute

// holds reports whether a member is the pool's. What the runner was told of is not, whatever
// a list shows, which may be behind another one.
func (p *warmPool) holds(m *Member) bool {
	if _, taken := p.taken[m.MemberID]; taken || p.told[m.MemberID] {
		return false
	}
	_, claimed := p.claimed[m.MemberID]
	return claimed || p.leaving[m.MemberID] || m.Mark.IsWarm()
}

// modelOf is the model that a member of the pool was made from; empty: nobody knows.
func (p *warmPool) modelOf(m *Member) string {
	if model, claimed := p.claimed[m.MemberID]; claimed {
		return model
	}
	return modelOf(m.Mark)
}

// members are the pool's in a view.
func (p *warmPool) members(v *View) (all []*Member) {
	for n := range v.Members {
		if p.holds(&v.Members[n]) {
			all = append(all, &v.Members[n])
		}
	}
	return all
}

// isReady reports whether a member of the pool can be started. Of one that only its mark
// shows to be the pool's, the list must not be from before a process that gave it to the
// runner.
func (p *warmPool) isReady(m *Member, model string, now time.Time) bool {
	_, claimed := p.claimed[m.MemberID]
	return m.State == Suspended && m.Mark == vmss.Warm(model) && !p.leaving[m.MemberID] && (claimed || now.Sub(m.first) >= outdated)
}

// claim takes up to most instances that the runner does not know for the pool, and returns
// how many. Those that the runner waits for go first. One that is not of this origin may
// have run a job: a process before this one may have told the runner of it, and the first
// list may lack it.
func (p *warmPool) claim(v *View, known map[string]bool, waiting, most int, from *origin) (n int) {
	if known == nil {
		return 0
	}
	var fresh []*Member
	for k := range v.Members {
		m := &v.Members[k]
		if _, taken := p.taken[m.MemberID]; taken || !from.isOwn(m.Instance) {
			continue
		}
		if !known[m.MemberID] && !p.holds(m) && (m.Mark == vmss.Unmarked || m.ByPolicy) && (m.State == Creating || m.State == Running) {
			fresh = append(fresh, m)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *Member) int { return cmp.Or(a.created.Compare(b.created), byID(*a, *b)) })
	for _, m := range fresh[min(waiting, len(fresh)):] {
		if n < most {
			p.claimed[m.MemberID] = from.model
			n++
		}
	}
	return n
}

// visible is what of a view the runner sees. One that it is being given is on its way.
func (p *warmPool) visible(v *View, now time.Time) *View {
	shown := *v
	shown.Members, shown.pool = make([]Member, 0, len(v.Members)), nil
	told := make(map[string]bool, len(v.Members))
	for _, m := range v.Members {
		if p.holds(&m) {
			shown.pool = append(shown.pool, m)
			continue
		}
		if _, taken := p.taken[m.MemberID]; taken && m.State == Resuming {
			m.State = Creating
		}
		shown.Members = append(shown.Members, m)
		told[m.MemberID] = true
	}
	p.told = told
	shown.Gone = slices.DeleteFunc(slices.Clone(v.Gone), func(id string) bool { return !p.parted[id].IsZero() })
	for id, at := range p.parted {
		if now.Sub(at) > time.Hour {
			delete(p.parted, id)
		}
	}
	return &shown
}

// part drops members that are gone, which the runner must not hear of.
func (p *warmPool) part(base *View, gone []string, now time.Time) {
	for _, id := range gone {
		if m := base.Find(id); m != nil && p.holds(m) {
			p.parted[id] = now
		}
		p.release(id)
		delete(p.taken, id)
	}
}

// release drops a member that is no longer the pool's.
func (p *warmPool) release(id string) {
	delete(p.claimed, id)
	delete(p.running, id)
	delete(p.leaving, id)
}

// take gives members to the runner.
func (p *warmPool) take(ids []string, now time.Time) {
	for _, id := range ids {
		p.taken[id] = now
		p.release(id)
	}
}

// cameUp counts taken members that run, and returns how long that took the slowest.
func (p *warmPool) cameUp(v *View, now time.Time, started func(took time.Duration)) (n int, slowest time.Duration) {
	for id, at := range p.taken {
		if at.IsZero() {
			continue
		}
		if m := v.Find(id); m != nil && m.State == Running {
			took := now.Sub(at)
			started(took)
			n, slowest = n+1, max(slowest, took)
			p.taken[id] = time.Time{} // it stays the runner's
		}
	}
	return n, slowest
}

// surplus are the members of the pool that are of no use: it is smaller now, or they are
// of another model.
func (p *warmPool) surplus(members []*Member, model string) (useless []*Member) {
	over := living(members) - p.size
	for _, m := range members {
		old := p.modelOf(m) != model
		mayGo := m.State != Dead && m.State != Deleting && m.State != Creating && !p.leaving[m.MemberID] // what is created comes up first
		if mayGo && (old || over > 0) {
			useless = append(useless, m)
			over--
		}
	}
	return useless
}

// living is how many members are there to stay.
func living(members []*Member) (n int) {
	for _, m := range members {
		if m.State != Dead && m.State != Deleting {
			n++
		}
	}
	return n
}

// settled are the members that have run for long enough to be deallocated, and those that
// could not be started and have lost their mark for that.
func (p *warmPool) settled(members []*Member, now time.Time) (all []*Member) {
	for _, m := range members {
		if m.State == Suspended && !m.Mark.IsWarm() && !p.leaving[m.MemberID] {
			all = append(all, m)
		}
		if m.State != Running {
			delete(p.running, m.MemberID)
			continue
		}
		if p.running[m.MemberID].IsZero() {
			p.running[m.MemberID] = now
		}
		if now.Sub(p.running[m.MemberID]) >= warmSettle {
			all = append(all, m)
		}
	}
	return all
}

// modelOf is the model that a mark names.
func modelOf(mark vmss.Mark) string {
	if !mark.IsWarm() || mark == "warm" {
		return ""
	}
	return string(mark[len("warm-"):])
}
