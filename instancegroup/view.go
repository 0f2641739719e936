package instancegroup

import (
	"context"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// View is a complete snapshot of the group; it is never changed.
type View struct {
	At      time.Time // when its reading began
	Members []Member  // in the order of their IDs
	Gone    []string  // IDs of the last view's members that exist no more
}

// Find returns the member of an ID, nil where there is none.
func (v *View) Find(id string) *Member {
	i, ok := slices.BinarySearchFunc(v.Members, id, func(m Member, id string) int { return strings.Compare(m.MemberID, id) })
	if !ok {
		return nil
	}
	return &v.Members[i]
}

const (
	// refreshTimeout bounds a whole refresh; fleeting's loop has no deadline of
	// its own, and stands still meanwhile.
	refreshTimeout = 45 * time.Second

	// removalMemory is how long an accepted deletion outweighs a list that
	// still shows the instance alive (azure-sdk-for-net#36946). After that the
	// list is believed again, and the runner asks for the deletion again.
	removalMemory = 10 * time.Minute
)

// Refresh reads the group anew. Concurrent callers share one reading. The
// result is complete, or there is an error and the last view still stands.
func (g *Group) Refresh(ctx context.Context) (*View, error) {
	return g.await(ctx, g.flight.DoChan("view", func() (any, error) { return g.read(ctx) }))
}

// refreshAnew is Refresh with a reading that begins now.
func (g *Group) refreshAnew(ctx context.Context) (*View, error) {
	g.flight.Forget("view")
	return g.Refresh(ctx)
}

// read reads and stores a view. The context of the caller that happened to be
// first must not fail the others, so only its values are used.
func (g *Group) read(ctx context.Context) (*View, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	at := g.now()
	instances, err := g.cloud.Instances(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.findAddresses(ctx, instances); err != nil {
		return nil, err
	}
	missing := g.missing(instances)
	gone, err := g.confirmGone(ctx, missing)
	if err != nil {
		return nil, err
	}
	return g.store(at, instances, missing, gone), nil
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
// happens late in life, is still the one of the last view.
func known(i Instance, last *View) (string, *Member) {
	if id := identify(i); id != "" {
		return id, last.Find(id)
	}
	for n := range last.Members {
		if strings.EqualFold(last.Members[n].Instance.ID, i.ID) {
			return last.Members[n].MemberID, &last.Members[n]
		}
	}
	return "", nil
}

// missing are the members of the last view that a new list lacks.
func (g *Group) missing(instances []Instance) []Member {
	last := g.last()
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

// confirmGone says which of the missing members exist no more. Where a
// deletion was under way the list is believed; else Azure is asked for the
// instance itself, since a list may lag or skip and a job may run there.
func (g *Group) confirmGone(ctx context.Context, missing []Member) (map[string]bool, error) {
	gone := map[string]bool{}
	for _, m := range missing {
		if m.State == Deleting || m.State == Dead || g.isRemoving(m.MemberID) {
			gone[m.MemberID] = true
			continue
		}
		found, err := g.cloud.Instance(ctx, m.InstanceID)
		switch {
		case armerr.KindOf(err) == armerr.NotFound:
			gone[m.MemberID] = true
		case err != nil:
			return nil, err
		default:
			gone[m.MemberID] = !strings.EqualFold(found.VMID, m.VMID)
		}
		g.log.Warn("instance is missing from the list", "instance", m.MemberID, "gone", gone[m.MemberID])
	}
	return gone, nil
}

func (g *Group) isRemoving(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.removingLocked(id)
}

func (g *Group) removingLocked(id string) bool {
	since, ok := g.removing[id]
	return ok && g.now().Sub(since) < removalMemory
}

// store makes the view of a complete reading and keeps it.
func (g *Group) store(at time.Time, instances []Instance, missing []Member, gone map[string]bool) *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := g.lastLocked()
	v := &View{At: at}
	for _, i := range instances {
		if m, ok := g.member(i, last); ok {
			v.Members = append(v.Members, m)
		}
	}
	for _, m := range missing {
		if gone[m.MemberID] {
			v.Gone = append(v.Gone, m.MemberID)
			delete(g.addresses, m.MemberID)
			delete(g.removing, m.MemberID)
		} else {
			v.Members = append(v.Members, m)
		}
	}
	slices.SortFunc(v.Members, func(a, b Member) int { return strings.Compare(a.MemberID, b.MemberID) })
	g.view = v
	return v
}

// member judges one listed instance. It says false for an instance that has no
// vmId yet: it cannot be told from others, and shows up with one soon.
func (g *Group) member(i Instance, last *View) (Member, bool) {
	id, before := known(i, last)
	if id == "" {
		return Member{}, false
	}
	if i.VMID == "" {
		i.VMID = before.VMID
	}
	a := g.addresses[id]
	m := Member{Instance: i, MemberID: id, Private: a.private, Public: a.public}
	m.State, m.Reason = classify(i, before, a.private.IsValid())
	if m.State != Dead && g.removingLocked(id) {
		m.State = Deleting
	}
	return m, true
}
