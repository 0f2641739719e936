package world

import (
	"maps"
	"slices"
	"time"
)

// past owns how the world looked, for as long as Azure Resource Graph is behind it. It
// is kept only where somebody may ask for it.
type past struct {
	lag     time.Duration
	moments []moment // oldest first; the last but few are too old to show
}

// moment is a copy of all that lists of instances show.
type moment struct {
	at     time.Time
	groups map[*Group]*Group
	sets   map[*ScaleSet]*ScaleSet
}

// momentsInLag is how many moments are kept of the time that Resource Graph is behind:
// what it shows is older than that by up to the time between two.
const momentsInLag = 5

// RememberPast has the world keep how it was so long ago.
func (w *World) RememberPast(lag time.Duration) {
	w.past.lag = lag
	w.keepMoment()
}

func (w *World) keepMoment() {
	p, now := &w.past, w.Clock.Now()
	p.moments = append(p.moments, w.moment(now))
	for len(p.moments) > 1 && now.Sub(p.moments[1].at) >= p.lag {
		p.moments = slices.Delete(p.moments, 0, 1)
	}
	w.Clock.After(max(time.Millisecond, p.lag/momentsInLag), w.keepMoment)
}

func (w *World) moment(now time.Time) moment {
	m := moment{at: now, groups: map[*Group]*Group{}, sets: map[*ScaleSet]*ScaleSet{}}
	for _, g := range w.groups {
		was := *g
		was.Standalone = m.set(g.Standalone, &was)
		was.scaleSets = maps.Clone(g.scaleSets)
		for name, set := range g.scaleSets {
			was.scaleSets[name] = m.set(set, &was)
		}
		m.groups[g] = &was
	}
	return m
}

// set copies a scale set and its instances; what they were made from does not change
// and is shared.
func (m *moment) set(set *ScaleSet, of *Group) *ScaleSet {
	was := *set
	was.Group, was.Instances = of, make([]*Instance, len(set.Instances))
	for n, i := range set.Instances {
		then := *i
		then.Set = &was
		was.Instances[n] = &then
	}
	m.sets[set] = &was
	return &was
}

// ago is the newest moment that is as old as Resource Graph is behind, at worst the
// oldest that there is.
func (w *World) ago() *moment {
	p, now := &w.past, w.Clock.Now()
	n := len(p.moments) - 1
	for n > 0 && now.Sub(p.moments[n].at) < p.lag {
		n--
	}
	return &p.moments[n]
}

// Ago is the group as Resource Graph shows it: a copy, empty where the group was not
// there yet. RememberPast must have been called.
func (g *Group) Ago() *Group {
	if was := g.world.ago().groups[g]; was != nil {
		return was
	}
	return newGroup(g.world, g.Name, g.Location)
}

// Ago is the same of a scale set.
func (s *ScaleSet) Ago() *ScaleSet {
	if was := s.world().ago().sets[s]; was != nil {
		return was
	}
	return &ScaleSet{Group: s.Group, ID: s.ID, Name: s.Name, Model: s.Model}
}
