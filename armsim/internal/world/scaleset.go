package world

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Provisioning and power states, in Azure's words.
const (
	StateCreating  = "Creating"
	StateUpdating  = "Updating"
	StateSucceeded = "Succeeded"
	StateFailed    = "Failed"
	StateDeleting  = "Deleting"

	PowerStarting     = "starting"
	PowerRunning      = "running"
	PowerStopping     = "stopping"
	PowerStopped      = "stopped"
	PowerDeallocating = "deallocating"
	PowerDeallocated  = "deallocated"
)

// ScaleSet is a Virtual Machine Scale Set. Model is the resource as clients
// wrote it, less what is kept apart: capacity, secrets and identity.
type ScaleSet struct {
	Group     *Group
	ID        string // its resource ID
	Name      string // empty: it stands for the machines that are in no scale set
	UniqueID  string
	Created   time.Time
	State     string
	Model     map[string]any
	Capacity  int
	Revision  int // the ETag
	Version   int // of the virtual machine profile and the size
	Instances []*Instance

	secrets Secrets
	pool    *StandbyPool // nil: none
	numbering
	operationsUnderWay
}

// numbering is what a scale set has given to instances so far.
type numbering struct {
	next   int // number of an instance
	placed int // instances ever, which take the zones in turn
}

// operationsUnderWay are a scale set's.
type operationsUnderWay struct {
	busy     int            // how many
	resize   *Operation     // to a new capacity, if any
	rolling  *Operation     // rolling upgrade, the last one
	deletion *Operation     // of the scale set, if any
	batch    *batchDeletion // of instances, the last one
}

// CreateScaleSet accepts a new scale set. The failure says that there is no
// quota for it, or no place.
func (g *Group) CreateScaleSet(name string, model map[string]any, secrets Secrets, capacity int) (*ScaleSet, *Operation, *Failure) {
	w := g.world
	set := &ScaleSet{
		Group: g, ID: g.ID + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + name, Name: name,
		UniqueID: w.Random.uuid(), Created: w.Clock.Now(), State: StateCreating,
		Model: model, Revision: 1, Version: 1, secrets: secrets,
	}
	if f := set.Admit(capacity); f != nil {
		return nil, nil, f
	}
	g.scaleSets[strings.ToLower(name)] = set
	w.Access.followIdentity(set.UniqueID, model)
	o := w.Operations.begin(set, "Create")
	set.setCapacity(capacity, o)
	return set, o, nil
}

func (s *ScaleSet) world() *World { return s.Group.world }

// ETag is the present one.
func (s *ScaleSet) ETag() string { return `"` + strconv.Itoa(s.Revision) + `"` }

// Size is the VM size of new instances.
func (s *ScaleSet) Size() string { return jsonmap.Text(s.Model, "sku.name") }

// Profile is the virtual machine profile of new instances.
func (s *ScaleSet) Profile() any { return jsonmap.At(s.Model, "properties.virtualMachineProfile") }

// Mode is the orchestration mode as the client wrote it.
func (s *ScaleSet) Mode() string { return jsonmap.Text(s.Model, "properties.orchestrationMode") }

// Uniform reports whether the orchestration mode is Uniform, not Flexible.
func (s *ScaleSet) Uniform() bool { return !strings.EqualFold(s.Mode(), "Flexible") }

// Standalone reports whether s stands for the machines that are in no scale
// set.
func (s *ScaleSet) Standalone() bool { return s.Name == "" }

func (s *ScaleSet) nextZone() string {
	zone := s.zoneOf(s.placed)
	if zone != "" {
		s.placed++
	}
	return zone
}

// zoneOf is the zone of the nth instance; empty: none.
func (s *ScaleSet) zoneOf(n int) string {
	zones := jsonmap.List(s.Model, "zones")
	if len(zones) == 0 {
		return ""
	}
	zone, _ := zones[n%len(zones)].(string)
	return zone
}

func (s *ScaleSet) priority() string { return jsonmap.Text(s.Profile(), "priority") }

// head is what a virtual machine of the set has alongside its properties.
func (s *ScaleSet) head() object {
	head := object{"location": s.Model["location"]}
	for _, key := range []string{"tags", "identity", "plan"} {
		if value, ok := s.Model[key]; ok {
			head[key] = jsonmap.Clone(value)
		}
	}
	return head
}

// Find finds an instance by its ID in requests to the scale set; nil: there is
// none.
func (s *ScaleSet) Find(id string) *Instance {
	if !s.Uniform() {
		return s.Named(id)
	}
	n, err := strconv.Atoi(id)
	i := slices.IndexFunc(s.Instances, func(i *Instance) bool { return i.Number == n })
	if err != nil || i < 0 {
		return nil
	}
	return s.Instances[i]
}

// Named finds an instance by resource name, in any case; nil: there is none.
func (s *ScaleSet) Named(name string) *Instance {
	i := slices.IndexFunc(s.Instances, func(i *Instance) bool { return strings.EqualFold(i.Name, name) })
	if i < 0 {
		return nil
	}
	return s.Instances[i]
}

// Live are the instances that are not being deleted, less those of the standby
// pool.
func (s *ScaleSet) Live() []*Instance {
	var live []*Instance
	for _, i := range s.Instances {
		if i.State != StateDeleting && !i.InPool {
			live = append(live, i)
		}
	}
	return live
}

// lowestFree is the lowest number that no instance has.
func (s *ScaleSet) lowestFree() int {
	used := map[int]bool{}
	for _, i := range s.Instances {
		used[i.Number] = true
	}
	n := 0
	for used[n] {
		n++
	}
	return n
}

// Conflict refuses a write while something runs on the scale set, where
// Config.ParallelWrites asks for that; nil: go on.
func (s *ScaleSet) Conflict() *Failure {
	if s.world().config.ParallelWrites == ParallelConflict && s.busy > 0 {
		return concurrentRequest()
	}
	return nil
}

// Update accepts a new model and capacity. The ETag moves only when something
// changed: a PUT of the same left it (recording 01), a new capacity moved it at
// acceptance (recording 15). Empty secrets keep those there are; new ones are a new model
// (recording 37).
func (s *ScaleSet) Update(model map[string]any, secrets Secrets, capacity int) *Operation {
	secrets = secrets.over(s.secrets)
	newProfile := s.madeOtherwise(model) || secrets != s.secrets
	s.secrets = secrets
	if newProfile {
		s.Version++
	}
	if newProfile || capacity != s.Capacity || !reflect.DeepEqual(model, s.Model) {
		s.Revision++
	}
	s.Model = model
	s.world().Access.followIdentity(s.UniqueID, model)
	o := s.world().Operations.begin(s, "Update")
	if capacity != s.Capacity {
		s.setCapacity(capacity, o)
	} else {
		s.world().Operations.endSoon(o)
	}
	if newProfile {
		s.upgradeItself()
	}
	return o
}

// tag sets a tag, as somebody else would.
func (s *ScaleSet) tag(key, value string) {
	tags, _ := s.Model["tags"].(object)
	changed := object{key: value}
	for other, was := range tags {
		jsonmap.SetDefault(changed, other, was)
	}
	s.Model = maps.Clone(s.Model) // Resource Graph goes on showing the one that was
	s.Model["tags"] = changed
	s.Revision++
	s.world().Operations.endSoon(s.world().Operations.begin(s, "Update"))
}

// makesNoMachines is said of a Flexible set whose virtual machines are put into it.
const makesNoMachines = "its model has no virtual machine profile"

// raise adds n to the capacity, as somebody else would.
func (s *ScaleSet) raise(n int) error {
	if n < 1 {
		return fmt.Errorf("raise scale set %q by %d: it must be 1 or more", s.Name, n)
	}
	if s.Profile() == nil {
		return fmt.Errorf("raise scale set %q by %d: %s", s.Name, n, makesNoMachines)
	}
	if f := s.Admit(s.Capacity + n); f != nil {
		return fmt.Errorf("raise scale set %q by %d: %w", s.Name, n, f)
	}
	s.Revision++
	s.setCapacity(s.Capacity+n, s.world().Operations.begin(s, "Update"))
	return nil
}
