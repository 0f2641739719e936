package world

import (
	"strconv"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// Instance is a virtual machine of a scale set, or a standalone one.
type Instance struct {
	Set     *ScaleSet
	Created time.Time
	Identity
	Model
	Status
	Network

	poolState
	life
	deletion
	counted    bool // in the scale set's capacity
	extra      bool // of overprovisioning, and not counted
	machine    *machine.Machine
	allocation allocation
	ownTags    bool // a client gave it tags, which those of the set no longer replace
	scripted   bool // a run command is on its way on it
	resizes
}

// resizes are the operations on the scale set's capacity that are about the
// instance; nil: none.
type resizes struct {
	creation *Operation // that created it
	removal  *Operation // that chose it to be deleted
}

// Model is what an instance was made from. The profile is the scale set's at
// the time of creation: later changes do not reach it.
type Model struct {
	Size    string
	Zone    string         // empty: none
	Head    map[string]any // what a virtual machine has alongside its properties
	Profile map[string]any
	Version int            // of the profile
	Extra   map[string]any // further properties of a Uniform set's instance

	Customised bool // a client gave it a model of its own
}

// Ephemeral reports whether the OS disk is on the host, and goes when the instance does.
func (m *Model) Ephemeral() bool {
	return jsonmap.Text(m.Profile, "storageProfile.osDisk.diffDiskSettings.option") != ""
}

func (m *Model) hibernationEnabled() bool {
	return jsonmap.Bool(m.Profile, hibernationEnabled)
}

// hibernationEnabled is where a virtual machine's properties, and a scale set's, allow
// hibernation (recordings 21 and 23).
const hibernationEnabled = "additionalCapabilities.hibernationEnabled"

// Status is what becomes of an instance.
type Status struct {
	State      string // provisioning state
	Power      string // empty: none is known yet
	Hibernated bool   // where it is deallocated
	Failure    *Failure
	Revision   int // the ETag of a virtual machine

	Changed     time.Time // when the last action on it ended; at first, when it was accepted
	AgentSeen   time.Time // when its guest agent last reported; zero: never
	diskChanged time.Time
}

// DiskChanged is when the operating system's disk was last attached or detached.
func (s *Status) DiskChanged() time.Time { return s.diskChanged }

func newStatus(now time.Time) Status {
	return Status{State: StateCreating, Revision: 1, Changed: now, diskChanged: now}
}

// ETag is that of a virtual machine; a Uniform set's instance has the set's.
func (s *Status) ETag() string { return `"` + strconv.Itoa(s.Revision) + `"` }

// life is the part of an instance's existence that its plans are for: an action
// that interrupts it voids them.
type life struct {
	epoch   int            // of what is planned; another one voids it
	pending func(*Failure) // ends the power action under way, if any
}

// interrupt voids what is planned for the instance. A power action under way
// has then done all that it will ever do: its operation must not run for ever.
func (l *life) interrupt() {
	l.epoch++
	l.endAction(nil)
}

func (l *life) endAction(f *Failure) {
	if done := l.pending; done != nil {
		l.pending = nil
		done(f)
	}
}

// unlessVoid is then, for as long as the instance's epoch lasts.
func (l *life) unlessVoid(then func()) func() {
	epoch := l.epoch
	return func() {
		if l.epoch == epoch {
			then()
		}
	}
}

func (i *Instance) world() *World { return i.Set.Group.world }

// plan runs do after d, unless the instance's epoch has passed by then.
func (i *Instance) plan(d time.Duration, do func()) {
	i.world().Clock.After(d, i.unlessVoid(do))
}

// newInstance makes an instance that is not in the scale set's list yet.
func (s *ScaleSet) newInstance() *Instance {
	w := s.world()
	if !w.config.Polite && w.Random.IntN(4) == 0 {
		s.next++ // IDs have gaps on Azure, as after overprovisioning
	}
	profile, _ := jsonmap.Clone(s.Profile()).(object)
	w.resolveImage(profile)
	if can := jsonmap.At(s.Model, "properties.additionalCapabilities"); can != nil && !s.Uniform() {
		profile["additionalCapabilities"] = jsonmap.Clone(can)
	}
	number := s.next
	if w.config.Unknowns.NumbersReused && s.Uniform() {
		number = s.lowestFree()
	}
	i := &Instance{Set: s, Created: w.Clock.Now()}
	i.Identity = Identity{Number: number, VMID: w.Random.uuid()}
	i.nameDisks(true)
	zone := s.nextZone()
	i.Model = Model{Size: s.chooseSize(zone, nil), Zone: zone, Head: s.head(), Profile: profile, Version: s.Version, Extra: object{}}
	i.Status = newStatus(i.Created)
	if !s.Uniform() {
		w.Access.followIdentity(i.VMID, i.Head)
	}
	s.next++
	i.assignNames()
	return i
}

// createInstance accepts a new instance. It is Creating without a power state,
// then starting with a network interface, and running at last. One that is ready
// in the standby pool is taken instead.
func (s *ScaleSet) createInstance() {
	if s.takeStandby() {
		return
	}
	s.create(s.newInstance(), true)
}

// create accepts a new instance, which counts in the capacity or is surplus.
func (s *ScaleSet) create(i *Instance, counted bool) {
	w := s.world()
	i.counted, i.extra, i.creation = counted, !counted, s.resize
	outcome := w.config.Faults.ForInstance(ChangeCreate, i)
	if outcome.Absent != nil {
		s.failAbsent(s.resize, outcome.Absent)
		return
	}
	s.Instances = append(s.Instances, i)
	w.created++
	if err := i.connect(); err != nil {
		// No settle here: the scale set's other instances are yet to be made.
		i.State, i.Failure = StateFailed, connectFailure(err)
		return
	}
	if outcome.Fail == nil {
		outcome.Fail = i.allocate()
	}
	i.boot(outcome)
}

// boot plans a new instance's way to running, or to what a fault makes of it.
func (i *Instance) boot(outcome Outcome) {
	boot := outcome.slowed(i.world().draw(i.world().config.Boot))
	i.plan(boot/3, func() { i.Power, i.Listed = PowerStarting, true })
	switch {
	case outcome.Fail != nil:
		i.plan(boot, func() { i.fail(outcome.Fail) })
	case outcome.FailRunning != nil:
		i.plan(boot, func() { i.runFailed(outcome.FailRunning) })
	case !outcome.Stuck:
		i.plan(boot, i.run)
	}
}

// bootMachine switches the instance's machine on, and reports whether it runs;
// else the instance has failed.
func (i *Instance) bootMachine() bool {
	if i.machine == nil {
		return true
	}
	err := i.machine.Boot()
	if err != nil {
		i.fail(&Failure{"VMStartTimedOut", err.Error()})
	}
	return err == nil
}

// run is the end of a boot: the instance runs.
func (i *Instance) run() {
	if !i.bootMachine() {
		return
	}
	if i.State == StateCreating {
		i.Revision++ // recording 03
	}
	i.State, i.Power, i.Listed, i.Failure = StateSucceeded, PowerRunning, true, nil
	i.Changed = i.world().Clock.Now()
	i.reportAgent()
	i.endAction(nil)
	i.Set.settle()
}

// agentReport is how long after a start the guest agent reports again. Until then its old
// status stands, also "Ready" (recording 20); how long that is is believed.
const agentReport = 15 * time.Second

// reportAgent has the guest agent report: at once when the instance was made, else after a
// while.
func (i *Instance) reportAgent() {
	if i.AgentSeen.IsZero() {
		i.AgentSeen = i.world().Clock.Now()
		return
	}
	i.plan(agentReport, func() { i.AgentSeen = i.world().Clock.Now() })
}

// runFailed ends a creation that failed after the virtual machine was on, as
// where an extension or the guest agent does: the instance is Failed, and runs.
func (i *Instance) runFailed(f *Failure) {
	if !i.bootMachine() {
		return
	}
	i.Revision++
	i.State, i.Power, i.Listed, i.Failure = StateFailed, PowerRunning, true, f
	i.Changed = i.world().Clock.Now()
	i.reportAgent()
	i.Set.settle()
}

// fail ends a creation without a VM, or an action that found no machine: the instance
// stays listed as Failed, has no power state, and counts in the capacity until somebody
// deletes it.
func (i *Instance) fail(f *Failure) {
	i.epoch++
	i.State, i.Power, i.Failure, i.Changed = StateFailed, "", f, i.world().Clock.Now()
	i.free()
	i.endAction(f)
	i.Set.settle()
}
