package armsim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Provisioning and power states, in Azure's words.
const (
	stateCreating  = "Creating"
	stateUpdating  = "Updating"
	stateSucceeded = "Succeeded"
	stateFailed    = "Failed"
	stateDeleting  = "Deleting"

	powerStarting     = "starting"
	powerRunning      = "running"
	powerStopping     = "stopping"
	powerStopped      = "stopped"
	powerDeallocating = "deallocating"
	powerDeallocated  = "deallocated"
)

// bookkeeping is how long an operation takes that makes or removes nothing;
// a capacity PATCH that changed nothing took 1.4 s in recording 06.
const bookkeeping = time.Second

type group struct {
	name      string
	location  string
	tags      any
	deleting  *operation
	scaleSets map[string]*scaleSet
	autoscale map[string]object

	machines   *scaleSet // virtual machines of no scale set
	interfaces map[string]*plainInterface
}

// scaleSet is a Virtual Machine Scale Set. model is the resource as clients
// wrote it, less what is kept apart: capacity, secrets and identity.
type scaleSet struct {
	group     *group
	name      string
	model     object
	password  string
	capacity  int
	revision  int // the ETag
	version   int // of the virtual machine profile
	uniqueID  string
	created   time.Time
	state     string
	busy      int // operations under way
	instances []*instance
	nextID    int
	born      int        // instances ever, which take the zones in turn
	goal      *operation // the capacity operation under way, if any
	removal   *operation
	deletion  *removed // of instances, the last one
}

func (s *scaleSet) etag() string  { return fmt.Sprintf(`"%d"`, s.revision) }
func (s *scaleSet) size() string  { return text(s.model, "sku.name") }
func (s *scaleSet) profile() any  { return at(s.model, "properties.virtualMachineProfile") }
func (s *scaleSet) uniform() bool { return !strings.EqualFold(s.mode(), "Flexible") }
func (s *scaleSet) mode() string  { return text(s.model, "properties.orchestrationMode") }

// loose tells the set of a group's machines that are in no scale set.
func (s *scaleSet) loose() bool { return s.name == "" }

func (s *scaleSet) nextZone() string {
	zones := list(s.model, "zones")
	if len(zones) == 0 {
		return ""
	}
	zone, _ := zones[s.born%len(zones)].(string)
	s.born++
	return zone
}

// head is what a virtual machine of the set has beside its properties.
func (s *scaleSet) head() object {
	head := object{"location": s.model["location"]}
	for _, key := range []string{"tags", "identity", "plan"} {
		if value, ok := s.model[key]; ok {
			head[key] = clone(value)
		}
	}
	return head
}

func (s *scaleSet) find(id string) *instance {
	if !s.uniform() {
		return s.named(id)
	}
	n, err := strconv.Atoi(id)
	i := slices.IndexFunc(s.instances, func(i *instance) bool { return i.id == n })
	if err != nil || i < 0 {
		return nil
	}
	return s.instances[i]
}

func (s *scaleSet) named(name string) *instance {
	i := slices.IndexFunc(s.instances, func(i *instance) bool { return strings.EqualFold(i.name, name) })
	if i < 0 {
		return nil
	}
	return s.instances[i]
}

func (s *scaleSet) live() []*instance {
	var live []*instance
	for _, i := range s.instances {
		if i.state != stateDeleting {
			live = append(live, i)
		}
	}
	return live
}

// setCapacity moves the scale set to a new goal. A newer goal supersedes an
// older one, whose operation ends as preempted (kubernetes/autoscaler#3018);
// on the way down Azure picks the victims: here the newest, in a Uniform set
// the highest IDs.
func (s *Server) setCapacity(set *scaleSet, want int, o *operation) {
	s.end(set.goal, preempted())
	missing := s.missing(set, want)
	set.goal, set.capacity = o, want
	live := set.live()
	for range missing {
		s.create(set)
	}
	for _, victim := range live[max(0, len(live)-max(0, -missing)):] {
		s.remove(victim, false, func(p *problem) { o.unmet = cmp.Or(o.unmet, p) })
	}
	s.time.after(bookkeeping, func() { s.settle(set) })
}

// missing is how many instances a capacity asks for beyond those there are,
// negative where it is fewer. A Flexible set goes by the capacity that it had,
// which is more than its instances where some were deleted as virtual machines
// (dataplat/dbatools#10540).
func (s *Server) missing(set *scaleSet, want int) int {
	if !set.uniform() && !s.config.Unknowns.FlexibleCountsInstances {
		return want - set.capacity
	}
	seats := 0
	for _, i := range set.instances {
		if i.seat {
			seats++
		}
	}
	return want - seats
}

// settle ends the capacity operation once nothing is on its way any more.
func (s *Server) settle(set *scaleSet) {
	if set.goal == nil || set.goal.absent > 0 {
		return
	}
	failure := set.goal.unmet
	for _, i := range set.instances {
		if i.state == stateCreating || i.state == stateDeleting {
			return
		}
		if i.failure != nil && !i.created.Before(set.goal.started) {
			failure = i.failure
		}
	}
	s.end(set.goal, failure)
	set.goal = nil
}

// drop deletes a scale set with all its instances.
func (s *Server) drop(set *scaleSet, o *operation) {
	set.state, set.removal, set.capacity = stateDeleting, o, 0
	set.revision++
	s.end(set.goal, preempted())
	set.goal = nil
	for _, i := range set.live() {
		s.remove(i, false, nil)
	}
	for _, i := range set.instances {
		i.before.vacated = i.before.seat // the capacity fell with all of them
	}
	s.time.after(bookkeeping, func() { s.dropped(set) })
}

func (s *Server) dropped(set *scaleSet) {
	if set.removal == nil || !set.removal.running() || len(set.instances) > 0 {
		return
	}
	delete(set.group.scaleSets, strings.ToLower(set.name))
	s.end(set.removal, nil)
	s.groupEmptied(set.group)
}

func (s *Server) groupEmptied(g *group) {
	if g.deleting == nil || !g.deleting.running() || len(g.scaleSets) > 0 || len(g.machines.instances) > 0 {
		return
	}
	for _, n := range g.interfaces {
		s.releaseInterface(n)
	}
	delete(s.groups, strings.ToLower(g.name))
	s.end(g.deleting, nil)
}

// scaleSets yields all scale sets there are, and those of loose machines.
func (s *Server) scaleSets() func(yield func(*scaleSet) bool) {
	return func(yield func(*scaleSet) bool) {
		for _, g := range s.groups {
			if !yield(g.machines) {
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

// coresUsed counts the vCPUs of all instances against the regional quota.
func (s *Server) coresUsed() int {
	used := 0
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			used += cores(i.size)
		}
	}
	return used
}

// cores reads the vCPUs out of a size's name: the first number after the
// family, as 2 in Standard_D2s_v5 (Microsoft's VM size naming conventions).
func cores(size string) int {
	_, rest, _ := strings.Cut(size, "_")
	digits := strings.TrimLeft(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n == 0 {
		return 1
	}
	return n
}
