package instancegroup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/singleflight"
)

// Group is a scale set that serves as a group of instances. Its methods may be
// called from any goroutine.
type Group struct {
	cloud Cloud
	mode  mode
	log   hclog.Logger
	now   func() time.Time
	set   ScaleSet // as Open read it

	write  chan struct{} // holds one token; one writer: Azure answers 409 to parallel ones
	flight singleflight.Group

	mu        sync.Mutex
	view      *View                // the latest, nil before the first
	addresses map[string]addresses // by member ID, for as long as it is listed
	removing  map[string]*removal  // by member ID: whose deletion Azure has accepted
	gone      map[string]time.Time // by member ID: when it was found to exist no more
	strays    map[string]time.Time // by resource ID: since when it has no vmId
	readings  uint64               // how many have begun
	stale     bool                 // the last view was served in place of a new one

	pursuits []*pursuit // accepted operations
	owed     int        // accepted instances that the runner has not met yet
	goal     goal
	doubt    *doubt
	news     error          // for the runner, which no call has returned yet
	counts   map[string]int // of what went wrong, by kind

	refusals brake // of increases, by Azure
	troubles brake // of increases, for reasons that pass
	births   brake // instances that never served
	removals brake // of deletions

	owner   string
	claimed bool
	claims  brake
}

// Options are what Open needs.
type Options struct {
	Cloud  Cloud
	Logger hclog.Logger
	Owner  string           // names this process in the scale set's tag; empty: no tag
	Now    func() time.Time // nil: time.Now
}

// Open reads the scale set and checks that it can serve. It changes nothing.
// It refuses, with the fix, what would kill jobs, and logs a warning for what
// would cost time or money.
func Open(ctx context.Context, o Options) (*Group, error) {
	set, err := o.Cloud.ScaleSet(ctx)
	if err != nil {
		return nil, err
	}
	if err := refuse(set); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Group{
		cloud: o.Cloud, mode: modeOf(set, o.Cloud), log: o.Logger.With("scale_set", set.Name), now: o.Now, set: set,
		addresses: map[string]addresses{}, removing: map[string]*removal{}, gone: map[string]time.Time{}, strays: map[string]time.Time{},
		counts: map[string]int{}, owner: o.Owner, write: make(chan struct{}, 1),
		refusals: brake{shortest: 15 * time.Second, longest: 10 * time.Minute},
		troubles: brake{shortest: 2 * time.Second, longest: time.Minute},
		births:   brake{shortest: 15 * time.Second, longest: 10 * time.Minute},
		removals: brake{shortest: 5 * time.Second, longest: 2 * time.Minute},
		claims:   brake{shortest: time.Minute, longest: time.Hour},
	}
	g.warn(ctx)
	return g, nil
}

// writeTimeout bounds a whole write with its reads and repetitions: fleeting's
// loop has no deadline of its own, and stands still meanwhile.
const writeTimeout = time.Minute

// writing waits for its turn to write. The context that it returns has the
// deadline of the whole; done ends the turn. what begins an error.
func (g *Group) writing(ctx context.Context, what string) (_ context.Context, done func(), _ error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	select {
	case g.write <- struct{}{}:
		return ctx, func() { <-g.write; cancel() }, nil
	case <-ctx.Done():
		defer cancel()
		return nil, nil, fmt.Errorf("%s: an earlier change takes too long: %w", what, context.Cause(ctx))
	}
}

// ScaleSet is the scale set as Open read it; its capacity is of that time.
func (g *Group) ScaleSet() ScaleSet { return g.set }

// MaxSize is the number of instances that Azure lets the scale set have:
// 100 in a single placement group, 600 from a managed image, else 1000
// (Microsoft's placement groups and design overview pages).
func (g *Group) MaxSize() int {
	switch m := g.set.Model; {
	case m.SinglePlacementGroup:
		return 100
	case m.ManagedImage:
		return 600
	}
	return 1000
}
