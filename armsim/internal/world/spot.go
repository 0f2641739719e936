package world

import (
	"errors"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Evictions takes Spot instances away by itself: every so often a running one,
// drawn from the seed. The zero value takes none.
type Evictions struct {
	Every Duration
	Max   int // in all; 0: no limit
}

// simulatedEviction is the latest that an eviction follows its request; the
// warning in the guest is as long (Microsoft's page on Spot virtual machines).
const simulatedEviction = 30 * time.Second

func (m *Model) priority() string { return jsonmap.Text(m.Profile, "priority") }

// Spot reports whether the model is of a Spot instance.
func (m *Model) Spot() bool { return IsSpot(m.priority()) }

// IsSpot reports whether the priority is Spot.
func IsSpot(priority string) bool {
	return strings.EqualFold(priority, "Spot") || strings.EqualFold(priority, "Low") // its name before 2019
}

// checkEvictable says why the instance cannot be evicted.
func (i *Instance) checkEvictable() error {
	switch {
	case !i.Spot():
		return errors.New("its priority is not Spot")
	case i.State == StateDeleting:
		return errors.New("it is being deleted")
	case i.Power == PowerDeallocated || i.Power == PowerDeallocating:
		return errors.New("it is deallocated")
	}
	return nil
}

// evict takes a Spot instance's capacity away: with the policy Delete the
// instance goes with all that is its own, and the capacity falls; else it stays,
// deallocated (Microsoft's pages on Spot priority mix and Spot scale sets).
func (i *Instance) evict() {
	i.world().evicted++
	if strings.EqualFold(jsonmap.Text(i.Profile, "evictionPolicy"), "Delete") {
		i.remove(true, nil)
		return
	}
	i.change(actionEvict, nil)
}

// SimulateEviction has a Spot instance evicted soon. The error says why it
// cannot be.
func (i *Instance) SimulateEviction() error {
	if err := i.checkEvictable(); err != nil {
		return err
	}
	w := i.world()
	w.Clock.After(time.Duration(w.Random.Int64N(int64(simulatedEviction))), func() {
		if !i.gone && i.checkEvictable() == nil {
			i.evict()
		}
	})
	return nil
}

// planEviction plans the next eviction of Config.Evictions.
func (w *World) planEviction(left int) {
	rule := w.config.Evictions
	if rule.Every.Median <= 0 || rule.Max > 0 && left == 0 {
		return
	}
	w.Clock.After(w.draw(rule.Every), func() {
		if w.evictOne() {
			left--
		}
		w.planEviction(left)
	})
}

func (w *World) evictOne() bool {
	var running []*Instance
	for i := range w.instances() {
		if i.Power == PowerRunning && i.checkEvictable() == nil {
			running = append(running, i)
		}
	}
	if len(running) == 0 {
		return false
	}
	slices.SortFunc(running, byVMID) // so that a run replays
	running[w.Random.IntN(len(running))].evict()
	return true
}

func byVMID(a, b *Instance) int { return strings.Compare(a.VMID, b.VMID) }
