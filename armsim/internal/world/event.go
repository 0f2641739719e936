package world

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
)

// Event is something that others do to the scale sets, once or again and again.
type Event struct {
	After Span `json:"after,omitempty"` // until the first time; 0: Every
	Every Span `json:"every,omitempty"` // from one time to the next; 0: once
	Times int  `json:"times,omitempty"` // in all; 0: no limit

	// Do is evict, kill, deallocate, start or delete, of instances; raise or
	// tag, of scale sets; quota or stock.
	Do string `json:"do"`

	// Object is the name of the instances or scale sets, "*" for any part:
	// all of them. Empty: Count of them, or one, drawn from the seed.
	Object string `json:"object,omitempty"`

	// Count bounds how many instances are concerned, is by how much a capacity
	// is raised, the new quota of vCPUs, or the count of the stock of the scale
	// set Object, Size and Zone.
	Count int `json:"count,omitempty"`

	Size string `json:"size,omitempty"`
	Zone string `json:"zone,omitempty"`
}

// Span is a time.Duration that JSON writes as "30s".
type Span time.Duration

// MarshalText writes the span as time.Duration does.
func (d Span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *Span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Span(parsed)
	return err
}

// streamEvents keeps the draws of each event apart from all others, so that one
// more event shifts nothing.
const streamEvents = 2 << 32

// verb is what an event does to an instance, and to which.
type verb struct {
	able func(*Instance) bool
	do   func(*Instance)
}

var verbs = map[string]verb{
	"evict":      {func(i *Instance) bool { return i.Power == PowerRunning && i.checkEvictable() == nil }, (*Instance).evict},
	"kill":       {func(i *Instance) bool { return i.Power == PowerRunning }, killInBackground},
	"deallocate": {func(i *Instance) bool { return (i.Power == PowerRunning || i.Power == PowerStopped) && !i.Ephemeral() }, changing(ActionDeallocate)},
	"start":      {func(i *Instance) bool { return i.Power == PowerStopped || i.Power == PowerDeallocated }, changing(ActionStart)},
	"delete":     {func(*Instance) bool { return true }, removeExternally},
}

func changing(a PowerAction) func(*Instance) {
	return func(i *Instance) { i.change(a, nil) }
}

func killInBackground(i *Instance) {
	i.cutPower()
	i.halt(func() {})
}

// setVerbs are of scale sets; Count says how.
var setVerbs = []string{"raise", "tag", "quota", "stock"}

// CheckEvents names the first event that is impossible.
func CheckEvents(events []Event) error {
	for n, e := range events {
		if err := e.check(); err != nil {
			return fmt.Errorf("add event %d: %w", n+1, err)
		}
	}
	return nil
}

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
	case (e.Size != "" || e.Zone != "") && e.Do != "stock":
		return errors.New("size and zone are of stock alone")
	case e.Every == 0 && e.Times > 1:
		return errors.New("times needs every")
	}
	return nil
}

// AddEvents plans events from now on. The error names the first that is
// impossible; then none is planned.
func (e *External) AddEvents(events ...Event) error {
	if err := CheckEvents(events); err != nil {
		return err
	}
	for _, one := range events {
		e.planned++
		r := rand.New(rand.NewPCG(e.world.config.Seed, streamEvents+e.planned))
		first := one.After
		if first == 0 {
			first = one.Every
		}
		e.world.Clock.After(time.Duration(first), func() { e.happen(one, r, 1) })
	}
	return nil
}

// happen carries out an event for the nth time.
func (e *External) happen(one Event, r *rand.Rand, n int) {
	switch one.Do {
	case "quota":
		e.world.SetCoreQuota(one.Count)
	case "stock":
		e.world.restock(Stock{ScaleSet: one.Object, Size: one.Size, Zone: one.Zone, Count: one.Count})
	case "raise", "tag":
		e.happenToSets(one, r, n)
	default:
		for _, i := range choose(e.ableTo(one), one.Object, one.Count, r) {
			verbs[one.Do].do(i)
		}
	}
	if one.Every > 0 && (one.Times == 0 || n < one.Times) {
		e.world.Clock.After(time.Duration(one.Every), func() { e.happen(one, r, n+1) })
	}
}

func (e *External) happenToSets(one Event, r *rand.Rand, n int) {
	sets := slices.DeleteFunc(e.scaleSets(), func(set *ScaleSet) bool {
		return one.Object != "" && !wildcard.Match(one.Object, set.Name)
	})
	for _, set := range choose(sets, one.Object, 0, r) {
		if one.Do == "tag" {
			set.tag("armsim", fmt.Sprint(n))
			continue
		}
		_ = set.raise(one.Count) // somebody else's request may fail
	}
}

// ableTo are the instances that are in a state for the event, in an order that
// replays.
func (e *External) ableTo(one Event) []*Instance {
	var all []*Instance
	for i := range e.world.instances() {
		if i.State != StateDeleting && verbs[one.Do].able(i) && (one.Object == "" || wildcard.Match(one.Object, i.Name)) {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, byVMID)
	return all
}

// choose draws count of all: where an object was named no count means all, else
// one.
func choose[T any](all []T, object string, count int, r *rand.Rand) []T {
	if count == 0 && object == "" {
		count = 1
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if count == 0 || count > len(all) {
		return all
	}
	return all[:count]
}
