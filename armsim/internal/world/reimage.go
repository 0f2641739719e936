package world

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Reimage accepts new OS disks for instances, or new ones of all kinds. The operation is on
// the scale set; nil: it leaves the state of their scale set alone.
func (w *World) Reimage(set *ScaleSet, targets []*Instance, allDisks bool) *Operation {
	moveETags(targets)
	o := w.Operations.begin(set, "Reimage")
	done := w.Operations.endAfter(len(targets), o)
	for _, i := range targets {
		i.reimage(allDisks, done)
	}
	return o
}

// reimage gives the instance a new disk, for as long as a stop takes; done runs at its
// end. What ran then runs again, anything else stays off, which is believed.
func (i *Instance) reimage(allDisks bool, done func(*Failure)) {
	w := i.world()
	i.interrupt()
	was := i.savedStatus()
	i.State, i.pending = StateUpdating, done
	i.takeModel()
	i.nameDisks(allDisks)
	i.replaceDisk(func(err error) {
		if err != nil {
			i.fail(&Failure{"OSProvisioningInternalError", err.Error()})
			return
		}
		i.plan(w.draw(w.config.Power), func() { i.finishReimage(was) })
	})
}

// takeModel makes the scale set's profile that of a Uniform set's instance that was
// brought up to it: an upgrade alone leaves the disk as it is (azure-docs#43775). The image
// is looked up again. Data disks of its own stay.
func (i *Instance) takeModel() {
	old, profile := i.Profile, any(i.Profile)
	if i.Set.Uniform() && i.Version == i.Set.Version {
		profile = i.Set.Profile()
	}
	i.Profile, _ = jsonmap.Clone(profile).(object) // a copy: Resource Graph shows the one that was
	i.keepOwnDisks(old)
	i.world().resolveImage(i.Profile)
}

func (i *Instance) finishReimage(was savedState) {
	i.diskChanged = i.world().Clock.Now()
	if was.up() {
		i.run()
		return
	}
	i.State, i.Power, i.Failure = StateSucceeded, was.power, nil
	i.Changed = i.diskChanged
	i.endAction(nil)
	i.Set.settle()
}

// replaceDisk empties the disk of the instance's machine, which goes off, and then goes on
// unless the instance's epoch has passed meanwhile.
func (i *Instance) replaceDisk(then func(error)) {
	if i.machine == nil {
		then(nil)
		return
	}
	os, _ := i.Profile["osProfile"].(object)
	var err error
	i.world().config.Async(func() { err = i.machine.Reimage(PublicKeys(os)) }, i.unlessVoid(func() { then(err) }))
}
