package world

import (
	"cmp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Mixed is the SKU of a scale set that has several sizes, an instance mix. How Azure
// chooses among them is on Microsoft's pages; no traffic is known, so that all here is
// believed.
const Mixed = "Mix"

// The allocation strategies of an instance mix.
const (
	StrategyLowestPrice       = "LowestPrice"
	StrategyCapacityOptimized = "CapacityOptimized"
	StrategyPrioritized       = "Prioritized"
)

// Mixes reports whether the scale set has several sizes.
func (s *ScaleSet) Mixes() bool { return strings.EqualFold(s.Size(), Mixed) }

// sizes are those of new instances, in the order in which they are tried. There are no
// prices here: the lowest is taken to be that of the fewest vCPUs.
func (s *ScaleSet) sizes() []string {
	list := jsonmap.List(s.Model, "properties.skuProfile.vmSizes")
	if !s.Mixes() || len(list) == 0 {
		return []string{s.Size()}
	}
	w := s.world()
	var rank func(one any) int
	switch strategy := jsonmap.Text(s.Model, "properties.skuProfile.allocationStrategy"); {
	case strings.EqualFold(strategy, StrategyPrioritized):
		rank = func(one any) int {
			n, _ := jsonmap.At(one, "rank").(float64)
			return int(n)
		}
	case strings.EqualFold(strategy, StrategyCapacityOptimized):
		rank = func(one any) int { return -w.roomFor(jsonmap.Text(one, "name")) }
	default:
		rank = func(one any) int { return w.cores(jsonmap.Text(one, "name")) }
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b any) int { return cmp.Compare(rank(a), rank(b)) })
	var names []string
	for _, one := range list {
		names = append(names, jsonmap.Text(one, "name"))
	}
	return names
}

// unlimited is the room for what no stock limits.
const unlimited = 1 << 20

// roomFor is how many places the stocks have left for a size.
func (w *World) roomFor(size string) int {
	room := unlimited
	for n := range w.stocks {
		s := &w.stocks[n]
		if s.Size != "" && s.covers(placement{"", size, ""}) {
			room = min(room, s.Count-w.taken(s))
		}
	}
	return room
}

// chooseSize is the size of a new instance in a zone, once others are made as planned: the
// first for which there are quota and a place. Where there is none for any, it is the
// first, which then fails.
func (s *ScaleSet) chooseSize(zone string, planned []placement) string {
	sizes := s.sizes()
	if len(sizes) == 1 {
		return sizes[0]
	}
	for _, size := range sizes {
		all := append(slices.Clone(planned), placement{s.Name, size, zone})
		if s.world().checkQuota(s.demand(all)...) == nil && s.world().short(all, func(*Stock) bool { return true }) == nil {
			return size
		}
	}
	return sizes[0]
}
