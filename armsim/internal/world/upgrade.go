package world

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// madeOtherwise reports whether new instances of another model differ from those of the
// present one: then instances that there are no longer have the latest model.
func (s *ScaleSet) madeOtherwise(model map[string]any) bool {
	return !reflect.DeepEqual(jsonmap.At(model, "properties.virtualMachineProfile"), s.Profile()) ||
		jsonmap.Text(model, "sku.name") != s.Size()
}

// upgradeItself does to the instances of a Uniform set what its upgrade policy says of a new
// model (Microsoft's page on upgrade policies). What it is in Flexible sets is not simulated.
func (s *ScaleSet) upgradeItself() {
	if !s.Uniform() {
		return
	}
	switch strings.ToLower(jsonmap.Text(s.Model, "properties.upgradePolicy.mode")) {
	case "automatic":
		s.Upgrade(s.outdated())
	case "rolling":
		s.world().Operations.end(s.rolling, preempted())
		s.rolling = s.world().Operations.begin(s, "Rolling upgrade")
		s.roll(s.rolling)
	}
}

// outdated are the instances that an upgrade of the whole set is for.
func (s *ScaleSet) outdated() []*Instance {
	return slices.DeleteFunc(WithoutProtected(s.Live()), func(i *Instance) bool {
		return i.Version == s.Version || i.State == StateCreating || i.Power != PowerRunning
	})
}

// roll upgrades one batch, and after a pause the next one; one that failed ends it.
func (s *ScaleSet) roll(o *Operation) {
	w, batch := s.world(), s.outdated()
	if len(batch) == 0 {
		w.Operations.end(o, nil)
	}
	if !o.Running() {
		return
	}
	percent, pause := s.rollingPolicy()
	batch = batch[:min(len(batch), max(1, len(s.Live())*percent/100))]
	left := len(batch)
	done := func(f *Failure) {
		o.fail(f)
		if left--; left > 0 {
			return
		}
		if o.partialFailure != nil {
			w.Operations.end(o, o.partialFailure)
			return
		}
		w.Clock.After(max(pause, bookkeeping), func() { s.roll(o) })
	}
	for _, i := range batch {
		i.upgrade(done)
	}
}

// rollingPolicy is how many percent of the instances are one batch, and the pause after it;
// Azure's defaults are a fifth and none.
func (s *ScaleSet) rollingPolicy() (percent int, pause time.Duration) {
	policy := jsonmap.At(s.Model, "properties.upgradePolicy.rollingUpgradePolicy")
	percent = 20
	if given, ok := jsonmap.At(policy, "maxBatchInstancePercent").(float64); ok {
		percent = int(given)
	}
	text := strings.TrimPrefix(jsonmap.Text(policy, "pauseTimeBetweenBatches"), "PT")
	pause, _ = time.ParseDuration(strings.ToLower(text)) // ISO 8601's PT1M30S; nobody pauses for days
	return percent, pause
}

// Upgrade brings instances up to the latest model, for which they restart. Those that do not
// run are left out (believed): a restart would switch them on.
func (s *ScaleSet) Upgrade(targets []*Instance) *Operation {
	targets = slices.DeleteFunc(slices.Clone(targets), func(i *Instance) bool { return i.Power != PowerRunning })
	o := s.world().Operations.begin(s, "Upgrade instances")
	done := s.world().Operations.endAfter(len(targets), o)
	for _, i := range targets {
		i.upgrade(done)
	}
	return o
}

// upgrade fails where a quota has no room for the model's size; the instance then stays as
// it is (believed).
func (i *Instance) upgrade(done func(*Failure)) {
	if f := i.checkNewSize(); f != nil {
		i.world().Clock.After(bookkeeping, func() { done(f) })
		return
	}
	i.applyModel()
	i.change(ActionRestart, done)
}

func (i *Instance) checkNewSize() *Failure {
	if i.Set.Mixes() {
		return nil // it keeps its size
	}
	return i.CheckSize(i.Set.Size())
}

// keepOwnDisks leaves an instance with a model of its own the data disks that it had.
func (i *Instance) keepOwnDisks(old object) {
	if disks := jsonmap.At(old, "storageProfile.dataDisks"); i.Customised && disks != nil {
		jsonmap.Ensure(i.Profile, "storageProfile")["dataDisks"] = disks
	}
}

// applyModel gives the instance the scale set's model, less what takes a reimage as well:
// the operating system's profile (azure-docs#43775). Its own data disks stay.
func (i *Instance) applyModel() {
	profile, _ := jsonmap.Clone(i.Set.Profile()).(object)
	if profile == nil {
		profile = object{}
	}
	w, old := i.world(), i.Profile
	w.resolveImage(profile)
	profile["osProfile"] = old["osProfile"]
	i.Profile, i.Version = profile, i.Set.Version
	i.keepOwnDisks(old)
	if !i.Set.Mixes() {
		i.Size = i.Set.Size()
	}
	i.remodel()
}
