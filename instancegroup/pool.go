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
	claimed  map[string]claim     // by member ID: made for the pool
	taken    map[string]time.Time // by member ID: given to the runner, when that was asked for
	leaving  map[string]bool      // by member ID: about to be taken
	parted   map[string]time.Time // by member ID: when it went, unknown to the runner
	unmet    time.Time            // when an increase was last not met in full
	backoff  backoff              // of what the pool does by itself
	starting backoff              // of starts that Azure refused
	served   PoolStarts
}

// claim is that of an instance.
type claim struct {
	model string    // from which it was made
	ready time.Time // since when it runs; zero: it does not
}

// PoolStarts are the starts that the pool has served.
type PoolStarts struct {
	Count int           // instances that the runner got from it
	Up    int           // of those, the ones that have come up
	Took  time.Duration // how long that took them, in all
}

func newWarmPool(size int) warmPool {
	b := backoff{shortest: 30 * time.Second, longest: 10 * time.Minute}
	return warmPool{
		size: size, claimed: map[string]claim{}, taken: map[string]time.Time{}, leaving: map[string]bool{}, parted: map[string]time.Time{},
		backoff: b, starting: b,
	}
}

// warmSettle is how long an instance runs before it is deallocated for the pool: what its
// first boot does is to be done.
const warmSettle = time.Minute

// demandRest is how long after an increase that was not met in full the pool grows no
// more.
const demandRest = time.Minute

// holds reports whether a member is the pool's.
func (p *warmPool) holds(m *Member) bool {
	if _, taken := p.taken[m.MemberID]; taken {
		return false
	}
	_, claimed := p.claimed[m.MemberID]
	return claimed || p.leaving[m.MemberID] || m.Mark.IsWarm()
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

// isReady reports whether a member of the pool can be started.
func (p *warmPool) isReady(m *Member, model string) bool {
	return m.State == Suspended && m.Mark == vmss.Warm(model) && !p.leaving[m.MemberID]
}

// claim takes instances that the runner does not know for the pool, as many as were made
// for it. Those that the runner waits for go first.
func (p *warmPool) claim(v *View, known map[string]bool, waiting, made int, model string) (n int) {
	if made == 0 || known == nil {
		return 0
	}
	var fresh []*Member
	for k := range v.Members {
		m := &v.Members[k]
		if _, taken := p.taken[m.MemberID]; taken {
			continue
		}
		if !known[m.MemberID] && !p.holds(m) && m.Mark == vmss.Unmarked && (m.State == Creating || m.State == Running) {
			fresh = append(fresh, m)
		}
	}
	slices.SortStableFunc(fresh, func(a, b *Member) int { return cmp.Or(a.created.Compare(b.created), byID(*a, *b)) })
	for _, m := range fresh[min(waiting, len(fresh)):] {
		if n < made {
			p.claimed[m.MemberID] = claim{model: model}
			n++
		}
	}
	return n
}

// visible is what of a view the runner sees. One that it is being given is on its way.
func (p *warmPool) visible(v *View, now time.Time) *View {
	shown := *v
	shown.Members, shown.pool = make([]Member, 0, len(v.Members)), nil
	for _, m := range v.Members {
		if p.holds(&m) {
			shown.pool = append(shown.pool, m)
			continue
		}
		if _, taken := p.taken[m.MemberID]; taken && m.State == Resuming {
			m.State = Creating
		}
		shown.Members = append(shown.Members, m)
	}
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
		delete(p.claimed, id)
		delete(p.leaving, id)
		delete(p.taken, id)
	}
}

// take gives members to the runner.
func (p *warmPool) take(ids []string, now time.Time) {
	for _, id := range ids {
		p.taken[id] = now
		delete(p.claimed, id)
		delete(p.leaving, id)
	}
	p.served.Count += len(ids)
}

// cameUp counts taken members that run, and returns how long that took the slowest.
func (p *warmPool) cameUp(v *View, now time.Time, started func(took time.Duration)) (n int, slowest time.Duration) {
	for id, at := range p.taken {
		if at.IsZero() {
			continue
		}
		if m := v.Find(id); m != nil && m.State == Running {
			took := now.Sub(at)
			p.served.Up++
			p.served.Took += took
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
		c, claimed := p.claimed[m.MemberID]
		old := m.Mark.IsWarm() && m.Mark != vmss.Warm(model) || !m.Mark.IsWarm() && claimed && c.model != model
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

// settled are the members that have run for long enough to be deallocated.
func (p *warmPool) settled(members []*Member, now time.Time) (all []*Member) {
	for _, m := range members {
		c := p.claimed[m.MemberID]
		if m.State != Running {
			c.ready = time.Time{}
		} else if c.ready.IsZero() {
			c.ready = now
		}
		if _, claimed := p.claimed[m.MemberID]; claimed || m.Mark.IsWarm() {
			if !claimed {
				c.model = modelOf(m.Mark)
			}
			p.claimed[m.MemberID] = c
		}
		if m.State == Running && now.Sub(c.ready) >= warmSettle {
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
