package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

type object = jsonmap.Object

// bookkeeping is how long an operation takes that makes or removes nothing;
// a capacity PATCH that changed nothing took 1.4 s in recording 06.
const bookkeeping = time.Second

// Config sets up a World. All of it is needed but the times, whose zero means
// at once.
type Config struct {
	SubscriptionID string
	Location       string
	Seed           uint64
	Clock          *Clock

	Boot, Delete, Power Duration

	Suspension SuspensionTimes

	Polite         bool   // no gaps in instance IDs
	ParallelWrites string // one of the Parallel constants; empty: ParallelQueue
	CoreQuota      int    // 0: none
	Evictions      Evictions
	Unknowns       Unknowns
	Catalog        *catalog.Catalog // nil: the default one

	Delays        Delays
	NotRegistered []string // namespaces of providers

	Faults Faults

	// Async runs work in the background without the lock, then its second
	// argument with the lock held.
	Async func(work, then func())
}

// World is the simulated state. See the package comment for its lock.
type World struct {
	Clock      *Clock
	Random     *Random
	Operations *Operations
	External   *External
	Access     *Access
	Policies   *Policies
	Providers  *Providers
	Catalog    *catalog.Catalog

	groups    map[string]*Group // by name in lower case
	config    Config
	addresses *addresses
	hosting   *hosting // nil: instances have no machines
	stuck     []func() // deletions that wait until the faults are cleared
	past      past
	stocks    []Stock       // in the order in which they were set
	absent    int           // instances asked for that were never made
	created   int           // instances ever
	evicted   int           // Spot instances ever
	lived     time.Duration // of instances that are gone
	allocated time.Duration // they had virtual machines
}

// New makes a world without resource groups. The error says what of the
// configuration is not possible.
func New(c Config) (*World, error) {
	if err := checkParallel(c.ParallelWrites); err != nil {
		return nil, err
	}
	random := newRandom(c.Seed)
	addresses, err := newAddresses(random.IntN(networks))
	if err != nil {
		return nil, err
	}
	w := &World{
		Clock: c.Clock, Random: random, Operations: newOperations(c.Clock),
		groups: map[string]*Group{}, config: c, addresses: addresses, Catalog: c.Catalog,
		Access:    newAccess(c.Clock, c.SubscriptionID, c.Delays),
		Policies:  newPolicies(),
		Providers: newProviders(c.Clock, c.NotRegistered),
	}
	if w.Catalog == nil {
		w.Catalog = catalog.New(c.Location)
	}
	w.External = &External{world: w}
	return w, nil
}

// hosting is where and how machines are made.
type hosting struct {
	dir  string
	port int
	env  []string
}

// HostMachines gives all new instances machines with directories in dir and
// their SSH server at the port, 0 for a free one, which is returned. release
// gives the port back. It must be called before there are instances: where
// somebody listens at the port in the network that was drawn, as another
// simulator may, it takes the next one that is free.
func (w *World) HostMachines(dir string, port int, env []string) (sshPort int, release func(), err error) {
	for range networks {
		sshPort, release, err = machine.ReservePort(w.addresses.whole, port)
		if err == nil {
			w.hosting = &hosting{dir: dir, port: sshPort, env: env}
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		if w.addresses, err = newAddresses(w.addresses.network + 1); err != nil {
			break
		}
	}
	return sshPort, release, err
}

// StartEvictions begins what Config.Evictions asks for.
func (w *World) StartEvictions() { w.planEviction(w.config.Evictions.Max) }

// Unknowns are the open questions about Azure that are answered against what is
// believed.
func (w *World) Unknowns() Unknowns { return w.config.Unknowns }

// AddGroup makes a resource group.
func (w *World) AddGroup(name, location string) *Group {
	g := newGroup(w, name, location)
	w.groups[strings.ToLower(name)] = g
	return g
}

// Group finds a resource group by name, in any case; nil: there is none.
func (w *World) Group(name string) *Group { return w.groups[strings.ToLower(name)] }

// Groups are all resource groups, in the order of their names in lower case.
func (w *World) Groups() []*Group {
	var all []*Group
	for _, name := range slices.Sorted(maps.Keys(w.groups)) {
		all = append(all, w.groups[name])
	}
	return all
}

// scaleSets yields all scale sets there are, and those of standalone machines,
// in no order.
func (w *World) scaleSets() func(yield func(*ScaleSet) bool) {
	return func(yield func(*ScaleSet) bool) {
		for _, g := range w.groups {
			if !yield(g.Standalone) {
				return
			}
			for _, set := range g.scaleSets {
				if !yield(set) {
					return
				}
			}
		}
	}
}

// instances yields every instance there is, in no order.
func (w *World) instances() func(yield func(*Instance) bool) {
	return func(yield func(*Instance) bool) {
		for set := range w.scaleSets() {
			for _, i := range set.Instances {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// Faults decide what goes wrong with instances.
type Faults interface {
	// ForInstance is what a change, one of the Change constants, shall come to.
	ForInstance(change string, i *Instance) Outcome
}

// The changes of an instance that can go wrong.
const (
	ChangeCreate = "instance.create"
	ChangeDelete = "instance.delete"
	ChangeStart  = "instance.start"

	// A deallocation or hibernation that somebody asks for: an eviction is none.
	ChangeDeallocate = "instance.deallocate"
)

// Outcome is what a change of an instance comes to. The zero value leaves it
// as it should be.
type Outcome struct {
	Fail        *Failure // it ends so
	FailRunning *Failure // a creation ends so, but the virtual machine runs
	Absent      *Failure // the instance is never made, its operation ends so
	Stuck       bool     // it never ends
	Slow        float64  // it takes so many times as long; 0: once
}

func (o Outcome) slowed(d time.Duration) time.Duration {
	if o.Slow > 0 {
		return time.Duration(float64(d) * o.Slow)
	}
	return d
}

// ResumeStuck lets deletions go on that were stuck.
func (w *World) ResumeStuck() {
	stuck := w.stuck
	w.stuck = nil
	for _, resume := range stuck {
		resume()
	}
}

// SwitchOff voids everything planned for instances, and returns their machines
// for the caller to destroy.
func (w *World) SwitchOff() []*machine.Machine {
	var machines []*machine.Machine
	for i := range w.instances() {
		i.epoch++
		if i.machine != nil {
			machines = append(machines, i.machine)
		}
	}
	return machines
}

func (w *World) draw(d Duration) time.Duration { return d.draw(w.Random.Rand) }

// find finds an instance by resource name or vmId, nil where there is none.
func (w *World) find(name string) *Instance {
	for i := range w.instances() {
		if i.Name == name || i.VMID == name {
			return i
		}
	}
	return nil
}

// What Config.ParallelWrites may be: how a scale set takes a new capacity or a
// deletion of instances while another operation on it runs.
const (
	ParallelQueue    = "queue"    // it takes both
	ParallelConflict = "conflict" // it refuses the second with 409 Conflict
	ParallelPreempt  = "preempt"  // a newer deletion ends an older one, whose instances stay (kubernetes/autoscaler#9505)
)

func checkParallel(writes string) error {
	switch writes {
	case "", ParallelQueue, ParallelConflict, ParallelPreempt:
		return nil
	}
	return fmt.Errorf("parallel writes %q: there is nothing of that name; known: queue, conflict, preempt", writes)
}
