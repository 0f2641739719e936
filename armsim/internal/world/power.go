package world

// PowerAction is what stopping, deallocating, starting and restarting do.
type PowerAction struct {
	Name   string
	during string
	after  string
}

// The power actions that a client can ask for.
var (
	ActionPowerOff   = PowerAction{"PowerOff", PowerStopping, PowerStopped}
	ActionDeallocate = PowerAction{"Deallocate", PowerDeallocating, PowerDeallocated}
	ActionStart      = PowerAction{"Start", PowerStarting, PowerRunning}
	ActionRestart    = PowerAction{"Restart", PowerRunning, PowerRunning}
)

// actionEvict is an eviction that keeps the instance.
var actionEvict = PowerAction{"Evict", PowerDeallocating, PowerDeallocated}

// ChangePower accepts a power action on instances. The operation is on the
// scale set; nil: it leaves the state of their scale set alone.
func (w *World) ChangePower(set *ScaleSet, a PowerAction, targets []*Instance) *Operation {
	o := w.Operations.begin(set, a.Name)
	done := w.Operations.endAfter(len(targets), o)
	for _, i := range targets {
		i.change(a, done)
	}
	return o
}

// change carries the instance through a power action; done runs at its end.
func (i *Instance) change(a PowerAction, done func(*Failure)) {
	w := i.world()
	i.interrupt()
	wasRunning := i.Power == PowerRunning
	var outcome Outcome
	if a == ActionStart && !wasRunning {
		outcome = w.config.Faults.ForInstance(ChangeStart, i)
	}
	was := i.savedStatus()
	i.State, i.Power, i.pending = StateUpdating, a.during, done
	finish := func() { i.finishChange(a, was, outcome.Fail) }
	switch {
	case outcome.Stuck:
	case a == ActionStart && wasRunning:
		i.Power = PowerRunning // starting what runs disturbs nothing
		i.plan(w.draw(w.config.Power), finish)
	default:
		i.halt(func() { i.plan(outcome.slowed(w.draw(w.config.Power)), finish) })
	}
}

func (i *Instance) finishChange(a PowerAction, was savedState, failure *Failure) {
	if failure != nil {
		i.State, i.Power = was.state, was.power
		if was.up() {
			i.Power = PowerStopped // it was on its way, and is no longer
		}
		i.endAction(failure)
		return
	}
	i.State, i.Power, i.Listed = StateSucceeded, a.after, true
	if a == actionEvict && i.world().config.Unknowns.EvictionFailsInstance {
		i.State = StateFailed
	}
	if a.after == PowerRunning {
		i.run()
	}
	i.endAction(nil)
	i.Set.settle()
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
