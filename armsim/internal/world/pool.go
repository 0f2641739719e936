package world

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// StandbyPool is a standby pool of a Flexible set as a resource (Microsoft.StandbyPool). It
// makes virtual machines and keeps them, for the set to take.
type StandbyPool struct {
	ID       string
	Name     string
	Location string
	Set      *ScaleSet
	Kept     string // how it keeps them, one of the Pool constants
	Most     int    // virtual machines, less the instances that the set has
	Least    int    // virtual machines
	Created  time.Time
	Changed  time.Time
	Revision int

	planned  bool      // that it is filled
	degraded time.Time // until then it makes none; zero: it does
}

// How a pool keeps virtual machines.
const (
	PoolRunning     = "Running"
	PoolDeallocated = "Deallocated"
	PoolHibernated  = "Hibernated"
)

// poolPause is how long a pool makes no virtual machines after one failed (Microsoft's
// blog on standby pools).
const poolPause = 30 * time.Second

// pools are a group's, by name in lower case. The zero value has none.
type pools struct{ byName map[string]*StandbyPool }

// Pool finds a standby pool by name, in any case; nil: there is none.
func (g *Group) Pool(name string) *StandbyPool { return g.pools.byName[strings.ToLower(name)] }

// Pools are the standby pools in the order of their names in lower case.
func (g *Group) Pools() []*StandbyPool {
	var all []*StandbyPool
	for _, name := range slices.Sorted(maps.Keys(g.pools.byName)) {
		all = append(all, g.pools.byName[name])
	}
	return all
}

// Pool is the set's standby pool; nil: it has none.
func (s *ScaleSet) Pool() *StandbyPool { return s.pool }

// ScaleSetByID finds a scale set by its resource ID, in any case; nil: there is none.
func (w *World) ScaleSetByID(id string) *ScaleSet {
	for set := range w.scaleSets() {
		if !set.Standalone() && strings.EqualFold(set.ID, id) {
			return set
		}
	}
	return nil
}

// PutPool writes a standby pool of a scale set, and begins to fill it.
func (g *Group) PutPool(name, location string, set *ScaleSet, kept string, least, most int) *StandbyPool {
	now := g.world.Clock.Now()
	p := g.Pool(name)
	if p == nil {
		p = &StandbyPool{
			ID: g.ID + "/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/" + name, Name: name, Created: now,
		}
		if g.pools.byName == nil {
			g.pools.byName = map[string]*StandbyPool{}
		}
		g.pools.byName[strings.ToLower(name)] = p
	}
	if p.Set != nil && p.Set != set {
		p.leave()
	}
	p.Location, p.Set, p.Kept, p.Least, p.Most = location, set, kept, least, most
	p.Changed = now
	p.Revision++
	set.pool = p
	p.planFill(0)
	return p
}

// DeletePool accepts the deletion of a standby pool with its virtual machines.
func (g *Group) DeletePool(p *StandbyPool) *Operation {
	o := g.world.Operations.begin(nil, "Delete standby pool")
	o.Resource = p.ID
	members := p.Members()
	done := g.world.Operations.endAfter(len(members), o)
	g.dropPool(p)
	for _, i := range members {
		i.remove(false, done)
	}
	return o
}

// leave takes the pool from its set, with its virtual machines.
func (p *StandbyPool) leave() {
	for _, i := range p.Members() {
		i.remove(false, nil)
	}
	p.Set.pool = nil
}

func (g *Group) dropPool(p *StandbyPool) {
	p.Set.pool = nil
	g.world.Access.dropBelow(p.ID)
	delete(g.pools.byName, strings.ToLower(p.Name))
}

// ETag is the present one.
func (p *StandbyPool) ETag() string { return `"` + strconv.Itoa(p.Revision) + `"` }

// Degraded reports whether the pool makes no virtual machines because one failed.
func (p *StandbyPool) Degraded() bool { return !p.degraded.IsZero() }

// Members are the virtual machines in the pool that are not being deleted.
func (p *StandbyPool) Members() []*Instance {
	var members []*Instance
	for _, i := range p.Set.Instances {
		if i.InPool && i.State != StateDeleting {
			members = append(members, i)
		}
	}
	return members
}

// target is how many virtual machines the pool shall have: a set at its maximum has an
// empty one (Microsoft's pages on standby pools).
func (p *StandbyPool) target() int {
	return max(p.Least, p.Most-len(p.Set.Live()))
}

// planFill has the pool filled after d, once.
func (p *StandbyPool) planFill(d time.Duration) {
	if p.planned {
		return
	}
	p.planned = true
	p.Set.world().Clock.After(d, func() {
		p.planned = false
		if p.Set.pool == p && p.Set.State != StateDeleting {
			p.fill()
		}
	})
}

// fill brings the pool to its target. One that failed is deleted, and the pool waits.
func (p *StandbyPool) fill() {
	now := p.Set.world().Clock.Now()
	members := p.Members()
	for _, i := range members {
		if i.State == StateFailed {
			i.remove(false, nil)
			p.degraded = now.Add(poolPause)
		}
	}
	if p.Degraded() && now.Before(p.degraded) {
		p.planFill(p.degraded.Sub(now))
		return
	}
	p.degraded = time.Time{}
	members = p.Members()
	for range p.target() - len(members) {
		if _, f := p.Set.addStandby(p.Kept); f != nil { // it then waits, which is believed
			p.degraded = now.Add(poolPause)
			p.planFill(poolPause)
			break
		}
	}
	for _, i := range members[min(len(members), max(0, p.target())):] {
		i.remove(false, nil)
	}
}

// refill has the set's pool look after itself, if there is one, after something changed.
func (s *ScaleSet) refill() {
	if s.pool != nil {
		s.pool.planFill(bookkeeping)
	}
}

// States counts the members by what the pool's runtime view calls it.
func (p *StandbyPool) States() map[string]int {
	counts := map[string]int{}
	for _, i := range p.Set.Instances {
		if i.InPool {
			counts[i.poolStateName()]++
		}
	}
	return counts
}

func (i *Instance) poolStateName() string {
	switch {
	case i.State == StateDeleting:
		return "Deleting"
	case i.Power == PowerDeallocated && i.Hibernated:
		return "Hibernated"
	case i.Power == PowerDeallocated:
		return "Deallocated"
	case i.Power == PowerDeallocating && i.kept == PoolHibernated:
		return "Hibernating"
	case i.Power == PowerDeallocating:
		return "Deallocating"
	case i.Power == PowerStarting:
		return "Starting"
	case i.Power == PowerRunning:
		return "Running"
	}
	return "Creating"
}

// CanHibernate reports whether the set's model lets its virtual machines hibernate.
func (s *ScaleSet) CanHibernate() bool {
	return jsonmap.Bool(s.Model, "properties."+hibernationEnabled)
}
