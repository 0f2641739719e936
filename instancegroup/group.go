package instancegroup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/singleflight"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Group is a scale set that serves as a group of instances. Its methods may be
// called from any goroutine.
type Group struct {
	client    vmss.Client
	instances vmss.Instances
	log       hclog.Logger
	now       func() time.Time
	set       vmss.ScaleSet // as Open read it

	write  chan struct{} // holds one token; one writer: Azure answers 409 to parallel ones
	flight singleflight.Group

	closed  chan struct{} // closed by Close
	closing sync.Once

	mu        sync.Mutex
	view      *View                // the latest, nil before the first
	addresses map[string]addresses // by member ID, for as long as it is listed
	removing  map[string]*removal  // by member ID: whose deletion Azure has accepted
	gone      map[string]time.Time // by member ID: when it was found to exist no more
	strays    map[string]time.Time // by resource ID: since when it has no vmId
	readings  uint64               // how many have begun
	opened    time.Time            // when the first view was made
	stale     bool                 // the last view was served in place of a new one

	pursuits []*pursuit // accepted operations
	owed     int        // accepted instances that the runner has not met yet
	goal     goal
	doubt    *doubt
	news     error // for the runner, which no call has returned yet
	buried   int   // dead instances that were removed, ever

	refusals brake // of increases, by Azure
	troubles brake // of increases, for reasons that pass
	births   brake // instances that never served
	removals brake // of deletions

	owner    string
	claimed  bool
	claims   brake
	looked   time.Time // at the tag
	stranger *stranger // another manager has the scale set
}

// Options are what Open needs.
type Options struct {
	Client vmss.Client
	Logger hclog.Logger
	Owner  string           // names this process in the scale set's tag; empty: no tag
	Now    func() time.Time // nil: time.Now
}

// Open reads the scale set and checks that it can serve. It changes nothing.
// It refuses, with the fix, what would kill jobs, and logs a warning for what
// would cost time or money.
func Open(ctx context.Context, o Options) (*Group, error) {
	set, err := o.Client.ScaleSet(ctx)
	if err != nil {
		return nil, err
	}
	findings := preflight.Check(set)
	if err := preflight.Refuse(set, findings); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Group{
		client: o.Client, instances: o.Client.Instances(set.Mode), log: o.Logger.With("scale_set", set.Name), now: o.Now, set: set,
		addresses: map[string]addresses{}, removing: map[string]*removal{}, gone: map[string]time.Time{}, strays: map[string]time.Time{},
		owner: o.Owner, write: make(chan struct{}, 1), closed: make(chan struct{}),
		refusals: brake{shortest: 15 * time.Second, longest: 10 * time.Minute},
		troubles: brake{shortest: 2 * time.Second, longest: time.Minute},
		births:   brake{shortest: 15 * time.Second, longest: 10 * time.Minute},
		removals: brake{shortest: 5 * time.Second, longest: 2 * time.Minute},
		claims:   brake{shortest: time.Minute, longest: time.Hour},
	}
	g.warn(ctx, findings)
	return g, nil
}

// writeTimeout bounds a whole write with its reads and repetitions: fleeting's
// loop has no deadline of its own, and stands still meanwhile.
const writeTimeout = time.Minute

var errClosed = errors.New("the plugin is shutting down; nothing was changed")

// writing waits for its turn to write. The context that it returns has the
// deadline of the whole; done ends the turn, and what begins an error. That
// context does not end with ctx: when the runner dies, gRPC ends the contexts of
// all calls at once, and a write cut off there is one of which nobody knows
// whether it took effect.
func (g *Group) writing(ctx context.Context, what string) (_ context.Context, done func(), err error) {
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	select {
	case g.write <- struct{}{}:
		if err = g.mayWrite(ctx); err == nil {
			return whole, func() { <-g.write; cancel() }, nil
		}
		<-g.write
	case <-g.closed:
		err = errClosed
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-whole.Done():
		err = fmt.Errorf("an earlier change takes too long: %w", context.Cause(whole))
	}
	cancel()
	return nil, nil, fmt.Errorf("%s: %w", what, err)
}

// mayWrite decides at the beginning of a turn: select takes any of the cases
// that are ready, and Close waits for those who have a turn.
func (g *Group) mayWrite(ctx context.Context) error {
	select {
	case <-g.closed:
		return errClosed
	default:
		return context.Cause(ctx)
	}
}

// Close ends writing: no write begins any more, and the one under way may
// finish until ctx ends. Reading goes on. Closing again waits again.
func (g *Group) Close(ctx context.Context) error {
	g.closing.Do(func() { close(g.closed) })
	select {
	case g.write <- struct{}{}:
		<-g.write
		return nil
	default:
	}
	select {
	case g.write <- struct{}{}:
		<-g.write
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close scale set %q: a change is still under way: %w", g.set.Name, context.Cause(ctx))
	}
}

// ScaleSet is the scale set as Open read it; its capacity is of that time.
func (g *Group) ScaleSet() vmss.ScaleSet { return g.set }
