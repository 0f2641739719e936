package sim

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// vm is a virtual machine of the fake instance group.
type vm struct {
	id      string
	number  int
	told    bool // of by an update
	created time.Time
	ready   time.Time     // when it runs
	fails   bool          // it never runs, but fails at ready
	evicted time.Time     // when Spot takes it; zero: never
	lasts   time.Duration // that its deletion takes
	gone    time.Time     // when its deletion is complete; zero: nobody deletes it
	jobs    int           // that run on it now
	busy    time.Time     // since when jobs run on it
}

// group is a fake instance group. States follow from the clock whenever it is asked.
type group struct {
	provider.InstanceGroup // nil: for what the scaler does not call

	fleet Fleet
	seed  uint64
	tally *tally

	mu   sync.Mutex
	vms  map[string]*vm
	next int
	warm warmPool
}

func newGroup(s Setting, t *tally) *group {
	return &group{fleet: s.Fleet, seed: s.Seed, tally: t, vms: map[string]*vm{}, warm: warmPool{size: s.WarmPool}}
}

// Init implements provider.InstanceGroup.
func (g *group) Init(context.Context, hclog.Logger, provider.Settings) (provider.ProviderInfo, error) {
	return provider.ProviderInfo{ID: "advise", MaxSize: g.fleet.MaxInstances}, nil
}

// Update implements provider.InstanceGroup. Instances come in the order of their
// creation, so that one seed means one course of events.
func (g *group) Update(_ context.Context, fn func(string, provider.State)) error {
	g.mu.Lock()
	now := time.Now()
	type told struct {
		number int
		id     string
		state  provider.State
	}
	all := make([]told, 0, len(g.vms))
	for id, v := range g.vms {
		state := v.state(now)
		if !v.told && state == provider.StateDeleted {
			state = provider.StateCreating // fleeting matches no request with one that it first hears of as deleted
		}
		v.told = true
		all = append(all, told{v.number, id, state})
		if state == provider.StateDeleted {
			g.removeLocked(v, now)
		}
	}
	g.keepWarmLocked(now)
	g.mu.Unlock()
	slices.SortFunc(all, func(a, b told) int { return a.number - b.number })
	for _, one := range all {
		fn(one.id, one.state)
	}
	return nil
}

func (v *vm) state(now time.Time) provider.State {
	switch {
	case !v.gone.IsZero() && !now.Before(v.gone):
		return provider.StateDeleted
	case !v.gone.IsZero():
		return provider.StateDeleting
	case !v.evicted.IsZero() && !now.Before(v.evicted):
		return provider.StateDeleted
	case now.Before(v.ready):
		return provider.StateCreating
	case v.fails:
		return provider.StateDeleted
	}
	return provider.StateRunning
}

// removeLocked ends an instance whose end was seen.
func (g *group) removeLocked(v *vm, now time.Time) {
	end := now
	switch {
	case !v.gone.IsZero():
		end = v.gone
	case !v.evicted.IsZero() && !now.Before(v.evicted):
		end = v.evicted
	}
	g.tally.instance(v.created, end)
	if v.jobs > 0 {
		g.tally.busy(v.busy, end)
	}
	delete(g.vms, v.id)
}

// Increase implements provider.InstanceGroup.
func (g *group) Increase(_ context.Context, n int) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for range n {
		g.addLocked(now)
	}
	g.tally.created(n)
	return n, nil
}

// addLocked draws an instance's fate from its number, so that all candidates get the
// same instances.
func (g *group) addLocked(now time.Time) {
	random := rand.New(rand.NewPCG(g.seed, uint64(g.next)))
	boot, resume, lasts := g.fleet.Boot.draw(random), g.fleet.Resume.draw(random), g.fleet.Deletion.draw(random)
	v := &vm{id: strconv.Itoa(g.next), number: g.next, created: now, lasts: lasts}
	v.fails = random.Float64() < g.fleet.FailedStarts
	life := random.ExpFloat64()
	start := boot
	if g.warm.take() {
		start = resume
	}
	v.ready = now.Add(start)
	if g.fleet.Evictions > 0 {
		v.evicted = v.ready.Add(time.Duration(life / g.fleet.Evictions * float64(time.Hour)))
	}
	g.next++
	g.vms[v.id] = v
}

// Decrease implements provider.InstanceGroup.
func (g *group) Decrease(_ context.Context, ids []string) ([]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, id := range ids {
		if v := g.vms[id]; v != nil && v.gone.IsZero() {
			v.gone = now.Add(v.lasts)
		}
	}
	return ids, nil
}

// ConnectInfo implements provider.InstanceGroup. It must not sleep: the scaler calls it
// with a sync.Mutex held, for which time stands still in a bubble.
func (g *group) ConnectInfo(_ context.Context, id string) (provider.ConnectInfo, error) {
	return provider.ConnectInfo{ID: id}, nil
}

// Heartbeat implements provider.InstanceGroup.
func (g *group) Heartbeat(context.Context, string) error { return nil }

// Shutdown implements provider.InstanceGroup.
func (g *group) Shutdown(context.Context) error { return nil }

// begin notes that a job runs on an instance, and returns when Spot takes that.
func (g *group) begin(id string) (evicted time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.vms[id]
	if v == nil {
		return time.Time{}
	}
	if v.jobs++; v.jobs == 1 {
		v.busy = time.Now()
	}
	return v.evicted
}

// end notes that a job no longer runs.
func (g *group) end(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.vms[id]
	if v == nil {
		return
	}
	if v.jobs--; v.jobs == 0 {
		g.tally.busy(v.busy, time.Now())
	}
}

// close ends the instances that are left.
func (g *group) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, v := range g.vms {
		g.tally.instance(v.created, now)
	}
	for _, w := range g.warm.making {
		g.tally.instance(w.created, now)
	}
}
