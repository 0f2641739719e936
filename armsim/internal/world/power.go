package world

// PowerAction is what stopping, deallocating, starting and restarting do.
type PowerAction struct {
	Name       string
	during     string
	after      string
	hibernates bool
}

// The power actions that a client can ask for. A hibernation is a deallocation that keeps
// the memory, and is started as any other.
var (
	ActionPowerOff   = PowerAction{"PowerOff", PowerStopping, PowerStopped, false}
	ActionDeallocate = PowerAction{"Deallocate", PowerDeallocating, PowerDeallocated, false}
	ActionHibernate  = PowerAction{"Deallocate", PowerDeallocating, PowerDeallocated, true}
	ActionStart      = PowerAction{"Start", PowerStarting, PowerRunning, false}
	ActionRestart    = PowerAction{"Restart", PowerRunning, PowerRunning, false}
)

// actionEvict is an eviction that keeps the instance.
var actionEvict = PowerAction{"Evict", PowerDeallocating, PowerDeallocated, false}

// SuspensionTimes are the times of what frees the virtual machine of an instance and
// brings it back. Each is that of a stop where it is zero.
type SuspensionTimes struct {
	Deallocate Duration
	Start      Duration // after a deallocation
	Hibernate  Duration
	Resume     Duration // a start after a hibernation
}

// powerTime is the time of an action on the instance as it is.
func (c *Config) powerTime(a PowerAction, i *Instance) Duration {
	own := c.Power
	switch {
	case a == ActionStart && i.Hibernated:
		own = c.Suspension.Resume
	case a == ActionStart && i.Power == PowerDeallocated:
		own = c.Suspension.Start
	case a.hibernates:
		own = c.Suspension.Hibernate
	case a.after == PowerDeallocated:
		own = c.Suspension.Deallocate
	}
	if own == (Duration{}) {
		return c.Power
	}
	return own
}

// ChangePower accepts a power action on instances. The operation is on the
// scale set; nil: it leaves the state of their scale set alone.
func (w *World) ChangePower(set *ScaleSet, a PowerAction, targets []*Instance) *Operation {
	if a != ActionRestart {
		moveETags(targets)
	}
	o := w.Operations.begin(set, a.Name)
	done := w.Operations.endAfter(len(targets), o)
	for _, i := range targets {
		i.change(a, done)
	}
	return o
}

// moveETags moves the ETag of each virtual machine, and once that of a Uniform set: it
// went from 2 to 4 while instances were upgraded, stopped, started and restarted
// (azure-cli, test_vmss_create_and_modify). Which of these moved it is believed.
func moveETags(targets []*Instance) {
	moved := map[*ScaleSet]bool{}
	for _, i := range targets {
		switch {
		case !i.Set.Uniform():
			i.Revision++
		case !moved[i.Set]:
			i.Set.Revision++
			moved[i.Set] = true
		}
	}
}

// change carries the instance through a power action; done runs at its end.
func (i *Instance) change(a PowerAction, done func(*Failure)) {
	w := i.world()
	i.interrupt()
	wasRunning := i.Power == PowerRunning
	if a == ActionPowerOff && i.Power == PowerDeallocated {
		a.during, a.after, a.hibernates = PowerDeallocated, PowerDeallocated, i.Hibernated // it stays so
	}
	outcome := i.outcomeOf(a)
	was := i.savedStatus()
	takes := w.config.powerTime(a, i)
	i.State, i.Power, i.pending = StateUpdating, a.during, done
	finish := func() { i.finishChange(a, was, outcome.Fail) }
	switch {
	case outcome.Stuck:
	case a == ActionStart && wasRunning:
		i.Power = PowerRunning // starting what runs disturbs nothing
		i.plan(w.draw(takes), finish)
	default:
		i.halt(func() { i.plan(outcome.slowed(w.draw(takes)), finish) })
	}
}

// outcomeOf is what an action comes to: what the faults have for it, or the lack of a place
// for the virtual machine. A restart of what does not run needs one, too.
func (i *Instance) outcomeOf(a PowerAction) (outcome Outcome) {
	faults, starts := i.world().config.Faults, a.after == PowerRunning && i.Power != PowerRunning
	switch {
	case starts && a == ActionStart:
		outcome = faults.ForInstance(ChangeStart, i)
	case (a == ActionDeallocate || a == ActionHibernate) && i.Power != PowerDeallocated:
		outcome = faults.ForInstance(ChangeDeallocate, i)
	}
	if starts && outcome.Fail == nil {
		outcome.Fail = i.allocate()
	}
	return outcome
}

func (i *Instance) finishChange(a PowerAction, was savedState, failure *Failure) {
	if failure == nil && a.after == PowerRunning {
		failure = i.reconnect()
	}
	if failure != nil {
		i.revert(a, was, failure)
		return
	}
	i.State, i.Power, i.Listed = StateSucceeded, a.after, true
	i.Hibernated, i.Changed = a.hibernates, i.world().Clock.Now()
	if a.after == PowerDeallocated {
		i.diskChanged = i.Changed
		i.giveBack()
	}
	if a == actionEvict && i.world().config.Unknowns.EvictionFailsInstance {
		i.State = StateFailed
	}
	if a.after == PowerRunning {
		i.run()
	}
	i.endAction(nil)
	i.Set.settle()
}

// revert takes the instance back to what it was before an action that failed.
func (i *Instance) revert(a PowerAction, was savedState, failure *Failure) {
	i.State, i.Power = was.state, was.power
	if was.up() {
		i.Power = PowerStopped // it was on its way, and is no longer
	}
	if i.Power == PowerDeallocated {
		i.free()
	}
	if a == ActionStart && i.world().config.Unknowns.FailedStartFailsInstance {
		i.State, i.Failure = StateFailed, failure
	}
	i.Changed = i.world().Clock.Now()
	i.endAction(failure)
}

// giveBack returns to Azure what a deallocated instance does not keep: its place, and
// its dynamic public addresses.
func (i *Instance) giveBack() {
	i.free()
	i.world().addresses.releasePublic(i)
}

// reconnect gives the instance public addresses again, where it has given them back.
func (i *Instance) reconnect() *Failure {
	if err := i.world().addresses.attachPublic(i); err != nil {
		return connectFailure(err)
	}
	if i.machine == nil {
		return nil
	}
	private, public := i.addresses()
	if err := i.machine.Move(append(private, public...)); err != nil {
		return connectFailure(err)
	}
	return nil
}

// halt switches the instance's machine off and goes on to then, unless the
// instance's epoch has passed meanwhile.
func (i *Instance) halt(then func()) {
	if i.machine == nil {
		then()
		return
	}
	i.world().config.Async(i.machine.PowerOff, i.unlessVoid(then))
}

// poweredOn reports whether the instance has a virtual machine whose power can be cut.
func (i *Instance) poweredOn() bool {
	return i.Power == PowerStarting || i.Power == PowerRunning || i.Power == PowerStopping
}

// cutPower is what a power cut from outside does to the resource. A deletion
// under way goes on.
func (i *Instance) cutPower() {
	i.Power = PowerStopped
	if i.State == StateDeleting {
		return
	}
	i.interrupt()
	if i.State == StateCreating || i.State == StateUpdating {
		i.State, i.Listed = StateSucceeded, true
	}
	i.Set.settle()
}
