package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
)

// Stock is how many virtual machines Azure has room for at the same time, of a size, in a
// zone, for a scale set. Instances take a place when they are accepted or started, and
// give it back when they are deallocated, gone, or have failed without a virtual machine.
type Stock struct {
	// ScaleSet, Size and Zone say whose places these are, in any case, with "*" for any
	// part; empty: of all.
	ScaleSet string `json:"scaleSet,omitempty"`
	Size     string `json:"size,omitempty"`
	Zone     string `json:"zone,omitempty"`

	Count int `json:"count"` // of places, those that are taken included; -1: no limit

	// AtOnce refuses the request with SkuNotAvailable. Otherwise it is accepted, and the
	// instances for which there is no place fail with AllocationFailed.
	AtOnce bool `json:"atOnce,omitempty"`
}

// StockState is a stock and what is taken of it.
type StockState struct {
	Stock
	Taken int `json:"taken"`
}

// placement is where an instance would be.
type placement struct{ scaleSet, size, zone string }

func (s *Stock) covers(p placement) bool {
	is := func(pattern, name string) bool { return pattern == "" || wildcard.Match(pattern, name) }
	return is(s.ScaleSet, p.scaleSet) && is(s.Size, p.size) && is(s.Zone, p.zone)
}

func (s *Stock) same(other Stock) bool {
	return strings.EqualFold(s.ScaleSet, other.ScaleSet) && strings.EqualFold(s.Size, other.Size) && s.Zone == other.Zone
}

// allocation is the virtual machine that an instance has at Azure's, and pays for.
type allocation struct {
	since time.Time // zero: it has none
	spent time.Duration
}

// SetStock limits what there is room for. A stock with the same scale set, size and zone
// as one that there is takes its place, and one with a count of -1 ends it. What runs
// goes on running. The error says what is impossible; then nothing is changed.
func (w *World) SetStock(stocks ...Stock) error {
	if slices.ContainsFunc(stocks, func(s Stock) bool { return s.Count < -1 }) {
		return errors.New("set stock: the count must be 0 or more, or -1 for no limit")
	}
	for _, s := range stocks {
		w.stocks = slices.DeleteFunc(w.stocks, func(old Stock) bool { return old.same(s) })
		if s.Count >= 0 {
			w.stocks = append(w.stocks, s)
		}
	}
	return nil
}

// restock changes the count of a stock, and leaves how it refuses as it was.
func (w *World) restock(s Stock) {
	if n := slices.IndexFunc(w.stocks, func(old Stock) bool { return old.same(s) }); n >= 0 {
		w.stocks[n].Count = s.Count
		return
	}
	w.stocks = append(w.stocks, s)
}

// Stock is what there is room for, in the order in which it was set.
func (w *World) Stock() []StockState {
	states := []StockState{}
	for n := range w.stocks {
		states = append(states, StockState{w.stocks[n], w.taken(&w.stocks[n])})
	}
	return states
}

// taken counts the places of a stock that instances have.
func (w *World) taken(s *Stock) int {
	n := 0
	for i := range w.instances() {
		if !i.extra && !i.allocation.since.IsZero() && s.covers(i.placement()) {
			n++
		}
	}
	return n
}

func (i *Instance) placement() placement { return placement{i.Set.Name, i.Size, i.Zone} }

// short is the first stock that has no place for all of these; nil: all have.
func (w *World) short(wanted []placement, concerns func(*Stock) bool) *Stock {
	for n := range w.stocks {
		s, more := &w.stocks[n], 0
		for _, p := range wanted {
			if s.covers(p) {
				more++
			}
		}
		if more > 0 && concerns(s) && w.taken(s)+more > s.Count {
			return s
		}
	}
	return nil
}

// allocate takes a place for the instance, if it has none. The failure says that there is
// none to be had. Surplus instances need none: they are in no figure.
func (i *Instance) allocate() *Failure {
	w := i.world()
	if !i.allocation.since.IsZero() {
		return nil
	}
	if !i.extra && w.short([]placement{i.placement()}, func(*Stock) bool { return true }) != nil {
		return i.allocationFailed()
	}
	i.allocation.since = w.Clock.Now()
	return nil
}

// free gives the instance's place back.
func (i *Instance) free() {
	if i.allocation.since.IsZero() {
		return
	}
	i.allocation.spent += i.world().Clock.Now().Sub(i.allocation.since)
	i.allocation.since = time.Time{}
}

// allocated is how long the instance had a virtual machine until now.
func (i *Instance) allocated(now time.Time) time.Duration {
	if i.allocation.since.IsZero() {
		return i.allocation.spent
	}
	return i.allocation.spent + now.Sub(i.allocation.since)
}

// allocationFailed has the codes of Microsoft's pages on allocation failures and on
// hibernation. The words of the hibernation are that page's; the others' are reported.
func (i *Instance) allocationFailed() *Failure {
	switch {
	case i.Hibernated:
		return &Failure{"OverconstrainedResumeFromHibernatedStateAllocationRequest",
			"VM allocation failed from hibernated state due to insufficient capacity. Try again later or alternatively stop-deallocate the VM and try starting the VM."}
	case i.Zone != "":
		return &Failure{"ZonalAllocationFailed",
			"Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"}
	}
	return &Failure{"AllocationFailed",
		"Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"}
}

// refuse says that places cannot be had at once, where a stock is so; nil: go on.
func (w *World) refuse(wanted []placement) *Failure {
	s := w.short(wanted, func(s *Stock) bool { return s.AtOnce })
	if s == nil {
		return nil
	}
	size := wanted[slices.IndexFunc(wanted, s.covers)].size
	return &Failure{"SkuNotAvailable", fmt.Sprintf( // pasted out of a deployment
		"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: %s' is currently not available in location '%s'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.",
		size, w.config.Location)}
}
