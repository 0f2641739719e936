package instancegroup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// View is a complete snapshot of the group; it is never changed.
type View struct {
	At      time.Time // when its reading began
	Members []Member  // in the order of their IDs
	Gone    []string  // IDs of earlier members that exist no more, for removalMemory

	reading uint64 // place of its reading among all that began
	unnamed int    // instances without a vmId, which are no members
	coming  int    // of them, those that may get one yet
}

// seats is how many instances count in the capacity: all but those that go.
func (v *View) seats() int {
	n := v.unnamed
	for _, m := range v.Members {
		if m.State != Deleting {
			n++
		}
	}
	return n
}

// Find returns the member of an ID, nil where there is none.
func (v *View) Find(id string) *Member {
	i, ok := slices.BinarySearchFunc(v.Members, id, func(m Member, id string) int { return strings.Compare(m.MemberID, id) })
	if !ok {
		return nil
	}
	return &v.Members[i]
}

// vmIDs returns a function that finds the vmId of a member by its resource ID.
func (v *View) vmIDs() func(resourceID string) string {
	byID := sync.OnceValue(func() map[string]string {
		all := make(map[string]string, len(v.Members))
		for _, m := range v.Members {
			all[strings.ToLower(m.ID)] = m.VMID
		}
		return all
	})
	return func(id string) string { return byID()[strings.ToLower(id)] }
}

// read reads and stores a view. The context of the caller that happened to be
// first must not fail the others, so only its values are used.
func (g *Group) read(ctx context.Context) (*View, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	at, reading := g.now(), g.begin()
	instances, err := g.instances.List(ctx, g.last().vmIDs())
	if err != nil {
		return nil, err
	}
	if err := g.findAddresses(ctx, instances); err != nil {
		return nil, err
	}
	for {
		last := g.last()
		found, gone, err := g.confirmGone(ctx, last, missing(instances, last))
		if err != nil {
			return nil, err
		}
		v := &View{At: at, reading: reading}
		if stored := g.store(v, last, slices.Concat(instances, found), gone); stored != nil {
			return stored, nil
		}
	}
}

// begin numbers a reading. Clocks stand still at times; this does not.
func (g *Group) begin() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readings++
	return g.readings
}

// last is the latest view, an empty one before the first.
func (g *Group) last() *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lastLocked()
}

func (g *Group) lastLocked() *View {
	if g.view == nil {
		return &View{}
	}
	return g.view
}

// known gives an instance its ID. One that has lost its vmId in the answer, as
// happens late in life, is still the one of the last view; one that is being
// created under the number of an older one is another (F17).
func known(i vmss.Instance, last *View) (string, *Member) {
	if id := identify(i); id != "" {
		return id, last.Find(id)
	}
	for n := range last.Members {
		m := &last.Members[n]
		if strings.EqualFold(m.ID, i.ID) && (m.stray() || m.State == Creating || !i.Is("Creating")) {
			return m.MemberID, m
		}
	}
	return "", nil
}

// missing are the members of the last view that a new list lacks.
func missing(instances []vmss.Instance, last *View) []Member {
	listed := make(map[string]bool, len(instances))
	for _, i := range instances {
		id, _ := known(i, last)
		listed[id] = true
	}
	var missing []Member
	for _, m := range last.Members {
		if !listed[m.MemberID] {
			missing = append(missing, m)
		}
	}
	return missing
}

// askAtOnce bounds how many instances are asked for at the same time: hundreds
// go at once when Azure takes its Spot capacity back.
const askAtOnce = 16

// confirmGone says which of the missing members exist no more, and finds the
// others. Azure is asked for the instance itself, since a list may lag or skip:
// a job may run there (F25), or its deletion may yet come to nothing. What was
// found out before an error is remembered, so that the next reading has less to
// ask.
func (g *Group) confirmGone(ctx context.Context, last *View, missing []Member) (found []vmss.Instance, gone []string, err error) {
	var mu sync.Mutex
	var asking errgroup.Group
	asking.SetLimit(askAtOnce)
	for _, m := range missing {
		asking.Go(func() error {
			i, exists, err := g.find(ctx, last, m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
			case exists:
				found = append(found, i)
			default:
				gone = append(gone, m.MemberID)
			}
			return err
		})
	}
	err = asking.Wait()
	if len(missing) > 0 {
		g.log.Info("instances are missing from the list", "count", len(missing), "gone", len(gone), "found", len(found))
	}
	if err != nil {
		g.remember(gone)
	}
	return found, gone, err
}

// find looks for a member that a list lacks.
func (g *Group) find(ctx context.Context, last *View, m Member) (vmss.Instance, bool, error) {
	if g.went(m.MemberID) {
		return vmss.Instance{}, false, nil
	}
	i, err := g.instances.Get(ctx, m.InstanceID)
	if armerr.Is(err, armerr.NotFound) {
		return vmss.Instance{}, false, nil
	}
	if err != nil {
		return vmss.Instance{}, false, err
	}
	id, _ := known(i, last)
	return i, id == m.MemberID, nil
}

func (g *Group) went(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, went := g.gone[id]
	return went
}

// store completes the view of a reading and keeps it. If a reading that began
// later is in already, its view is the result. If one that began earlier came
// in since last was looked at, the result is nil: what it added may be missing
// here, and must be asked for first.
func (g *Group) store(v, last *View, instances []vmss.Instance, gone []string) *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch current := g.lastLocked(); {
	case current.reading > v.reading:
		return current
	case current.reading != last.reading:
		return nil
	}
	going := maps.Clone(g.removing)
	g.forget(gone)
	g.meetStrays(instances, last)
	for _, i := range instances {
		if m, ok := g.member(i, last); ok {
			v.Members = append(v.Members, m)
		}
	}
	v.unnamed, v.coming = g.countStrays()
	slices.SortStableFunc(v.Members, func(a, b Member) int { return strings.Compare(a.MemberID, b.MemberID) })
	// A page boundary that moves shows an instance twice (F26).
	v.Members = slices.CompactFunc(v.Members, func(a, b Member) bool { return a.MemberID == b.MemberID })
	v.Gone = slices.Sorted(maps.Keys(g.gone))
	g.compare(v, last, going)
	g.view = v
	return v
}

// remember keeps what a reading that failed has found out.
func (g *Group) remember(gone []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range gone {
		g.gone[id] = g.now()
	}
}

// forget drops what is known of members that went, and remembers that they did:
// the reading that finds out need not be the one that the runner is told of.
func (g *Group) forget(gone []string) {
	now := g.now()
	old := func(_ string, since time.Time) bool { return now.Sub(since) >= removalMemory }
	maps.DeleteFunc(g.gone, old)
	for _, id := range gone {
		g.gone[id] = now
		delete(g.addresses, id)
		delete(g.removing, id)
	}
}
