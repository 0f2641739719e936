package world

import (
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// surplus is how many instances more than n Azure makes of a scale set that
// overprovisions, to keep those that are ready first: a fifth, which is the share
// of addresses that Microsoft's page on scale sets asks to leave for them. They
// are in no figure: not in the capacity, the quota or the bill.
func (s *ScaleSet) surplus(n int) int {
	if n < 1 || !s.Uniform() || !jsonmap.Bool(s.Model, "properties.overprovision") {
		return 0
	}
	return (n + 4) / 5
}

// trim deletes the surplus instances, or as many others that are not ready, once
// there are enough that are, or no others will be.
func (s *ScaleSet) trim() {
	if !slices.ContainsFunc(s.Instances, func(i *Instance) bool { return i.extra }) {
		return
	}
	s.promote()
	ours := slices.DeleteFunc(s.Live(), func(i *Instance) bool { return !i.counted && !i.extra })
	extra := count(ours, func(i *Instance) bool { return i.extra })
	ready := count(ours, func(i *Instance) bool { return i.State == StateSucceeded })
	pending := count(ours, func(i *Instance) bool { return i.State == StateCreating })
	if extra == 0 || ready < s.Capacity && pending > 0 {
		return
	}
	slices.SortStableFunc(ours, func(a, b *Instance) int { return b.expendable() - a.expendable() })
	for _, i := range ours[:extra] {
		i.replace(ours)
	}
}

// promote has surplus instances count where others were never made.
func (s *ScaleSet) promote() {
	counted := count(s.Instances, func(i *Instance) bool { return i.counted })
	for _, i := range s.Live() {
		if i.extra && counted < s.Capacity {
			i.extra, i.counted = false, true
			counted++
		}
	}
}

func count(all []*Instance, is func(*Instance) bool) int {
	n := 0
	for _, i := range all {
		if is(i) {
			n++
		}
	}
	return n
}

// expendable ranks what is deleted first.
func (i *Instance) expendable() int {
	switch {
	case i.State == StateCreating:
		return 3
	case i.State == StateFailed:
		return 2
	case i.extra:
		return 1
	}
	return 0
}

// replace deletes the instance; where it counts in the capacity, a surplus one
// of the others takes its place.
func (i *Instance) replace(others []*Instance) {
	if i.counted {
		heir := others[slices.IndexFunc(others, func(other *Instance) bool { return other.extra })]
		heir.extra, heir.counted = false, true
	}
	i.extra, i.removal = false, i.Set.resize
	i.remove(false, nil)
}
