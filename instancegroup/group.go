package instancegroup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Group is a scale set that serves as a group of instances. Its methods may be
// called from any goroutine.
//
// It is the shell around parts that each own their state: it asks Azure, locks,
// and lets the parts decide. Requests go out without the lock.
type Group struct {
	client vmss.Client
	name   string // of the scale set
	log    hclog.Logger
	now    func() time.Time

	gate    *writeGate
	sshKeys SSHKeys

	hidden sync.Once // the log says that this identity may not read operations

	mu          sync.Mutex // guards what follows
	current     *reading   // under way; nil: none
	failed      error      // of the last reading
	pace        pace
	index       pageIndex
	graph       graph
	admission   admission
	inventory   inventory
	ledger      ledger
	deletions   deletions
	suspensions suspensions
	pool        warmPool
	lease       lease
	keyWrite    keyWrite
	backoffs    increaseBackoffs
	shortage    shortage
	deferredErr error // for the runner, which no call has returned yet
	watch       watch
}

// Options are what Open needs.
type Options struct {
	Client   vmss.Client
	Logger   hclog.Logger
	Owner    string           // names this process in the scale set's tag; empty: no tag
	Now      func() time.Time // nil: time.Now
	Timeouts Timeouts
	SSHKeys  SSHKeys  // what the model's keys must be before instances are made; nil: whatever they are
	Observer Observer // nil: nobody is told what happens

	ResourceGraph bool // long lists are read through Azure Resource Graph, too
	Suspension    Suspension
	WarmPool      int // how many instances are kept deallocated for later increases
}

// Suspension is how instances are suspended.
type Suspension struct {
	On         bool // else one that is deallocated is dead, whoever did it
	Hibernate  bool // the memory is kept
	IfPossible bool // a scale set whose instances cannot be suspended is served without
}

// fit refuses a scale set whose instances cannot be suspended as is wanted, or turns that
// off.
func (s *Suspension) fit(set vmss.ScaleSet, log hclog.Logger) error {
	if !s.On {
		return nil
	}
	findings := preflight.Suspension(set, s.Hibernate)
	if len(findings) > 0 && s.IfPossible {
		s.On = false
		log.Info("instances are not suspended: "+findings[0].Problem, "operation", "read", "scale_set", set.Name)
		return nil
	}
	return preflight.Refuse(set, findings)
}

// Suspends reports whether instances can be suspended.
func (g *Group) Suspends() bool { return g.inventory.suspends }

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
	if err := o.Suspension.fit(set, o.Logger); err != nil {
		return nil, err
	}
	if o.WarmPool > 0 {
		if err := preflight.Refuse(set, preflight.WarmPool(set)); err != nil {
			return nil, err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Group{
		client: o.Client, name: set.Name, log: o.Logger.With("scale_set", set.Name), now: o.Now, gate: newWriteGate(), sshKeys: o.SSHKeys,
		admission: admission{set: set, instances: o.Client.Instances(set.Mode), problems: findings},
		inventory: newInventory(o.Timeouts), deletions: newDeletions(), suspensions: newSuspensions(), pool: newWarmPool(o.WarmPool), lease: newLease(o.Owner), backoffs: newIncreaseBackoffs(), shortage: newShortage(),
		watch: watch{observer: o.Observer}, graph: graph{on: o.ResourceGraph},
	}
	g.suspensions.hibernate, g.inventory.suspends, g.inventory.suspension = o.Suspension.Hibernate, o.Suspension.On, g.suspensions.of
	g.warn(ctx, findings)
	return g, nil
}

// warn logs what is worth knowing before the first job.
func (g *Group) warn(ctx context.Context, findings []preflight.Finding) {
	settings, err := g.client.AutoscaleSettings(ctx)
	if err != nil {
		g.log.Info("autoscale settings could not be read; make sure that none targets this scale set", "operation", "read", "error", err)
	}
	if f, ok := preflight.Autoscale(settings); ok {
		findings = append(slices.Clone(findings), f)
	}
	for _, f := range findings {
		if f.Severity == preflight.Warning {
			g.log.Warn(f.Problem, "operation", "read", "fix", f.Fix)
		}
	}
}

// Close ends writing: no write begins any more, and the one under way may
// finish until ctx ends. Reading goes on. Closing again waits again.
func (g *Group) Close(ctx context.Context) error {
	if err := g.gate.close(ctx); err != nil {
		return fmt.Errorf("close scale set %q: a change is still under way: %w", g.name, err)
	}
	return nil
}

// ScaleSet is the scale set as it was read last and found fit to serve; its
// capacity is of that time.
func (g *Group) ScaleSet() vmss.ScaleSet {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.admission.set
}
