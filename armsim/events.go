package armsim

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Event is something that others do to the scale sets, once or again and again.
type Event struct {
	After Span `json:"after,omitempty"` // until the first time; 0: Every
	Every Span `json:"every,omitempty"` // from one time to the next; 0: once
	Times int  `json:"times,omitempty"` // in all; 0: no limit

	// Do is evict, kill, deallocate, start or delete, of instances; raise or
	// tag, of scale sets; or quota.
	Do string `json:"do"`

	// Object is the name of the instances or scale sets, "*" for any part:
	// all of them. Empty: Count of them, or one, drawn from the seed.
	Object string `json:"object,omitempty"`

	// Count bounds how many instances are met, is by how much a capacity is
	// raised, or the new quota of vCPUs.
	Count int `json:"count,omitempty"`
}

// verb is what an event does to an instance, and to which.
type verb struct {
	able func(*instance) bool
	do   func(*Server, *instance)
}

var verbs = map[string]verb{
	"evict":      {func(i *instance) bool { return i.power == powerRunning && i.evictable() == nil }, (*Server).evict},
	"kill":       {func(i *instance) bool { return i.power == powerRunning }, (*Server).killInBackground},
	"deallocate": {func(i *instance) bool { return i.power == powerRunning || i.power == powerStopped }, changing(actionDeallocate)},
	"start":      {func(i *instance) bool { return i.power == powerStopped || i.power == powerDeallocated }, changing(actionStart)},
	"delete":     {func(*instance) bool { return true }, (*Server).foreignRemove},
}

func changing(a powerAction) func(*Server, *instance) {
	return func(s *Server, i *instance) { s.change(i, a, nil) }
}

func (s *Server) killInBackground(i *instance) {
	s.cut(i)
	s.halt(i, func() {})
}

// setVerbs are of scale sets; Count says how.
var setVerbs = []string{"raise", "tag", "quota"}

func (e Event) check() error {
	_, known := verbs[e.Do]
	switch {
	case !known && !slices.Contains(setVerbs, e.Do):
		all := slices.Concat(slices.Sorted(maps.Keys(verbs)), setVerbs)
		return fmt.Errorf("do %q: there is nothing of that name; known: %s", e.Do, strings.Join(all, ", "))
	case e.After < 0 || e.Every < 0 || e.Times < 0 || e.Count < 0:
		return errors.New("after, every, times and count must not be negative")
	case e.Do == "raise" && e.Count == 0:
		return errors.New("raise needs a count")
	case e.Every == 0 && e.Times > 1:
		return errors.New("times needs every")
	}
	return nil
}

// AddEvents plans events from now on. The error names the first that is
// impossible; then none is planned.
func (s *Server) AddEvents(events ...Event) error {
	if err := checkAll("event", events); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		s.planned++
		r := rand.New(rand.NewPCG(s.Seed, streamEvents+s.planned))
		first := e.After
		if first == 0 {
			first = e.Every
		}
		s.time.after(time.Duration(first), func() { s.happen(e, r, 1) })
	}
	return nil
}

// happen carries out an event for the nth time.
func (s *Server) happen(e Event, r *rand.Rand, n int) {
	switch e.Do {
	case "quota":
		s.config.CoreQuota = e.Count
	case "raise", "tag":
		s.happenToSets(e, r, n)
	default:
		for _, i := range chosen(s.ableTo(e), e.Object, e.Count, r) {
			verbs[e.Do].do(s, i)
		}
	}
	if e.Every > 0 && (e.Times == 0 || n < e.Times) {
		s.time.after(time.Duration(e.Every), func() { s.happen(e, r, n+1) })
	}
}

func (s *Server) happenToSets(e Event, r *rand.Rand, n int) {
	sets := slices.DeleteFunc(s.sets(), func(set *scaleSet) bool { return e.Object != "" && !wildcardFold(e.Object, set.name) })
	for _, set := range chosen(sets, e.Object, 0, r) {
		if e.Do == "tag" {
			s.tag(set, "armsim", fmt.Sprint(n))
			continue
		}
		_ = s.raise(set, e.Count) // somebody else's request may fail
	}
}

// ableTo are the instances that an event can meet, in an order that replays.
func (s *Server) ableTo(e Event) []*instance {
	var all []*instance
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			if i.state != stateDeleting && verbs[e.Do].able(i) && (e.Object == "" || wildcardFold(e.Object, i.name)) {
				all = append(all, i)
			}
		}
	}
	slices.SortFunc(all, func(a, b *instance) int { return strings.Compare(a.vmID, b.vmID) })
	return all
}

// chosen draws count of all: where an object was named no count means all, else
// one.
func chosen[T any](all []T, object string, count int, r *rand.Rand) []T {
	if count == 0 && object == "" {
		count = 1
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if count == 0 || count > len(all) {
		return all
	}
	return all[:count]
}
