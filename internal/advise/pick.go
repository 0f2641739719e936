package advise

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

type job = jobs.Job

// front are the candidates that no other beats in both waiting and cost, by what they
// are chosen by, the cheapest first.
func front(all []*Candidate, wait func(sim.Figures) time.Duration, cost func(*Candidate) float64) (kept []*Candidate) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(cost(a), cost(b)), cmp.Compare(wait(a.Train), wait(b.Train)))
	})
	for _, c := range all {
		if len(kept) == 0 || wait(c.Train) < wait(kept[len(kept)-1].Train) {
			kept = append(kept, c)
		}
	}
	return kept
}

// cost orders candidates: money where a price is known, else hours of instances.
func (s *search) cost(c *Candidate) float64 {
	if money := s.in.MonthlyCost(c, c.Train); money > 0 {
		return money
	}
	return c.Train.VMHours
}

// tries are the candidates that the slice was played with.
func (s *search) tries() []*Candidate {
	return slices.SortedFunc(maps.Values(s.seen), func(a, b *Candidate) int { return cmp.Compare(a.key(), b.key()) })
}

// best are up to n of the front of the coarse tries, those that the goal asks for among
// them.
func (s *search) best(n int) []*Candidate {
	line := front(filter(s.tries(), s.mayBePicked), s.in.Target.of, s.cost)
	wanted, _ := s.choose(line)
	if wanted == nil && len(line) > 0 {
		wanted = line[0]
	}
	place := slices.Index(line, wanted)
	// What lies next to the wanted one on the front is most likely to become it.
	slices.SortStableFunc(line, func(a, b *Candidate) int {
		return cmp.Compare(distance(slices.Index(line, a), place), distance(slices.Index(line, b), place))
	})
	return line[:min(n, len(line))]
}

// mayBePicked: max_use_count is kept as it is.
func (s *search) mayBePicked(c *Candidate) bool { return c.MaxUseCount == s.in.Fleet.MaxUseCount }

func distance(a, b int) int { return max(a-b, b-a) }

// baseline is what a pick is compared with: the policy in use, else GitLab's sample; nil:
// it was not played yet.
func (s *search) baseline() *Candidate {
	all := s.whole
	if len(all) == 0 {
		all = s.tries()
	}
	for _, c := range all {
		if c.Current || s.in.Current == nil && c.Label == references()[0].Label {
			return c
		}
	}
	return nil
}

// pick chooses among all that may be.
func (s *search) pick() (*Candidate, string) {
	return s.choose(filter(s.whole, s.mayBePicked))
}

// choose takes the cheapest that reaches the target, or the one that waits least within
// the budget; without either the cheapest that waits no longer than the baseline. The text
// says where the goal is missed.
func (s *search) choose(all []*Candidate) (*Candidate, string) {
	if len(all) == 0 {
		return nil, "nothing with this max_use_count was simulated"
	}
	wait := func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(s.in.Target.of(a.Train), s.in.Target.of(b.Train)), cmp.Compare(s.cost(a), s.cost(b)))
	}
	cheaper := func(a, b *Candidate) int { return cmp.Compare(s.cost(a), s.cost(b)) }
	if s.in.Budget > 0 {
		within := filter(all, func(c *Candidate) bool { return s.in.MonthlyCost(c, c.Train) <= s.in.Budget })
		if len(within) == 0 {
			c := slices.MinFunc(all, cheaper)
			return c, fmt.Sprintf("no policy costs as little as %.0f %s a month; this is the cheapest", s.in.Budget, s.in.Currency)
		}
		return slices.MinFunc(within, wait), ""
	}
	limit := s.in.Target.Limit
	if s.in.Target.Metric == "" {
		limit = s.baseline().Train.P95
	}
	within := filter(all, func(c *Candidate) bool { return s.in.Target.of(c.Train) <= limit })
	if len(within) == 0 {
		c := slices.MinFunc(all, wait)
		return c, fmt.Sprintf("no policy that was tried reaches %s; this one waits least", s.in.Target)
	}
	return slices.MinFunc(within, cheaper), ""
}

func filter(all []*Candidate, keep func(*Candidate) bool) (kept []*Candidate) {
	for _, c := range all {
		if keep(c) {
			kept = append(kept, c)
		}
	}
	return kept
}
