package fallback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Group is one scale set; *instancegroup.Group is one.
type Group interface {
	ScaleSet() vmss.ScaleSet
	Observe(ctx context.Context) (*instancegroup.View, error)
	ReconcilePending(ctx context.Context, v *instancegroup.View, discovered int) (lost int)
	Reap(ctx context.Context, v *instancegroup.View) error
	Increase(ctx context.Context, n int) (int, error)
	Shortage() error
	TakeWarm(ctx context.Context, n int) (int, error)
	Decrease(ctx context.Context, ids []string) ([]string, error)
	Locate(ctx context.Context, id string) (instancegroup.Member, error)
	Check(ctx context.Context, id string) error
	Suspends() bool
	Suspend(ctx context.Context, ids []string) ([]string, error)
	Resume(ctx context.Context, ids []string) ([]string, error)
	Tend(ctx context.Context, v *instancegroup.View) error
	KeepWarm(ctx context.Context)
	Close(ctx context.Context) error
}

// Source is where a scale set comes from.
type Source struct {
	Name   string // for people; no two have the same
	Suffix string // of the IDs of its instances; empty where no other scale set has its name

	// Open reads the scale set and checks that it can serve. An *armerr.Error means that
	// it could not be read.
	Open func(ctx context.Context) (Group, error)
}

const (
	// openInterval is how often a scale set that could not be read at the start is tried
	// again.
	openInterval = 30 * time.Second

	// openTimeout is how long that may take.
	openTimeout = 10 * time.Second

	// unknownSize is the size of a scale set that has not been read: the most that Azure
	// allows any.
	unknownSize = 1000
)

// Sets are the scale sets of a runner, in the order in which they are to be used. Their
// methods may be called from any goroutine.
type Sets struct {
	all      []*set
	log      hclog.Logger
	now      func() time.Time
	suspends bool // those that could be read at the start do

	mu     sync.Mutex // guards what follows, and the sets' states
	owners map[string]*set
	closed bool
}

// set is a scale set with its state.
type set struct {
	Source
	group   Group               // nil: it could not be read so far
	view    *instancegroup.View // the last one; nil: there is none
	failure error               // why it could not be read last
	reading *observation        // under way, or not taken yet; nil: none
	retry   time.Time           // when to open it again
}

// Options are what Open needs.
type Options struct {
	Sources []Source // at least one
	Logger  hclog.Logger
	Now     func() time.Time // nil: time.Now
}

// Open opens all scale sets at the same time. One that cannot be read is opened later,
// if another one can. Its error is that of the first that must not serve, or of all.
func Open(ctx context.Context, o Options) (*Sets, error) {
	f := &Sets{log: o.Logger, now: o.Now, owners: map[string]*set{}}
	if f.now == nil {
		f.now = time.Now
	}
	for _, source := range o.Sources {
		f.all = append(f.all, &set{Source: source})
	}
	errs := make([]error, len(f.all))
	each(f.all, func(n int, s *set) { s.group, errs[n] = s.Open(ctx) })
	opened := 0
	for n, s := range f.all {
		if errs[n] == nil {
			opened++
			continue
		}
		s.group = nil // an interface may hold a nil pointer
		if _, unread := errors.AsType[*armerr.Error](errs[n]); !unread {
			return nil, errs[n]
		}
	}
	if opened == 0 {
		return nil, joined(errs)
	}
	for n, s := range f.all {
		if errs[n] != nil {
			s.failure, s.retry = errs[n], f.now().Add(openInterval)
			f.log.Error("the scale set cannot be read; the others serve without it, and it is tried again", "operation", "read", "scale_set", s.Name, "error", errs[n])
		}
	}
	f.suspends = f.allSuspend()
	return f, nil
}

// each calls do for all sets at the same time, and returns when all are done.
func each(sets []*set, do func(n int, s *set)) {
	var all sync.WaitGroup
	for n, s := range sets[1:] {
		all.Go(func() { do(n+1, s) })
	}
	do(0, sets[0])
	all.Wait()
}

// joined is all errors in one line, nil where there is none.
func joined(errs []error) error {
	var first error
	for _, err := range errs {
		switch {
		case err == nil:
		case first == nil:
			first = err
		default:
			first = fmt.Errorf("%w; and: %w", first, err)
		}
	}
	return first
}

// MaxSize is how many instances Azure allows in all scale sets together.
func (f *Sets) MaxSize() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.all {
		if s.group == nil {
			n += unknownSize
			continue
		}
		n += s.group.ScaleSet().MaxSize()
	}
	return n
}

// Close is instancegroup.Group's, of all.
func (f *Sets) Close(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	groups := make([]Group, len(f.all))
	for n, s := range f.all {
		groups[n] = s.group
	}
	f.mu.Unlock()
	errs := make([]error, len(f.all))
	each(f.all, func(n int, _ *set) {
		if groups[n] != nil {
			errs[n] = groups[n].Close(ctx)
		}
	})
	return joined(errs)
}

// Suffixes are what tells apart the IDs of instances of scale sets that have the same
// name, in the order of their resource IDs; the first of each name needs none. A vmId
// tells all instances apart, and the plugin's IDs hold the beginning of it only.
func Suffixes(resourceIDs []string) []string {
	suffixes := make([]string, len(resourceIDs))
	for n, id := range resourceIDs {
		parts := strings.Split(strings.ToLower(id), "/") // "", subscriptions, …, resourceGroups, …, providers, …
		for _, before := range resourceIDs[:n] {
			others := strings.Split(strings.ToLower(before), "/")
			if others[len(others)-1] != parts[len(parts)-1] {
				continue
			}
			if suffixes[n] = "." + parts[4]; others[4] == parts[4] {
				suffixes[n] += "." + parts[2]
				break
			}
		}
	}
	return suffixes
}
