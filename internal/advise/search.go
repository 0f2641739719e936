package advise

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// search is one under way.
type search struct {
	in     *Input
	player Player
	spans  spans
	slice  [2]int // places of the jobs that coarse tries are played with

	done, total int
	known       int                   // candidates that are tried in any case
	seen        map[string]*Candidate // that the slice was played with, by key
	whole       []*Candidate          // that all jobs were played with
}

// The numbers of runs; the bar says how far they are.
const (
	finalists  = 6
	extraSeeds = 2
	sliceSpan  = 7 * 24 * time.Hour
	sliceJobs  = 4000
)

// Search tries candidates: coarse ones with a part of the jobs, finer ones around the
// best of them, and the best of all with all jobs. Where the context ends early the
// Advice is of what is known by then, and Interrupted; before the policy to compare with
// was played it is an error.
func Search(ctx context.Context, in *Input, player Player) (*Advice, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	s := &search{in: in, player: player, spans: in.spans(), seen: map[string]*Candidate{}}
	s.chooseSlice()
	err := s.run(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	if err != nil && (len(s.whole) <= s.known || s.baseline() == nil) {
		s.settleForSlice()
	}
	if s.baseline() == nil {
		return nil, err
	}
	return s.advice(err != nil), nil
}

// settleForSlice has the advice be about the slice alone.
func (s *search) settleForSlice() {
	in := *s.in
	in.Jobs = in.Jobs[s.slice[0]:s.slice[1]]
	s.in, s.spans = &in, in.spans()
	s.spans.split = s.spans.start
	s.whole = s.tries()
}

// chooseSlice takes the last week that policies may be chosen by.
func (s *search) chooseSlice() {
	all := s.in.Jobs
	to, _ := slices.BinarySearchFunc(all, s.spans.split, func(j job, at time.Time) int { return j.Arrives.Compare(at) })
	to = max(to, 1)
	from, _ := slices.BinarySearchFunc(all, all[to-1].Arrives.Add(-sliceSpan), func(j job, at time.Time) int { return j.Arrives.Compare(at) })
	s.slice = [2]int{max(from, to-sliceJobs), to}
}

func (s *search) run(ctx context.Context) error {
	known := references()
	if s.in.Current != nil {
		now := &Candidate{Policies: s.in.Current, MaxUseCount: s.in.Fleet.MaxUseCount, Current: true, WarmPool: s.in.Fleet.WarmPool}
		known = unique(append([]*Candidate{now}, known...))
	}
	s.known = len(known)
	coarse := unique(append(copies(known), s.grid()...))
	s.total = len(coarse) + finalists + len(known) + finalists + len(s.schedules(nil)) + 2*extraSeeds
	if err := s.playSlice(ctx, coarse); err != nil {
		return err
	}
	if err := s.playSlice(ctx, s.finer()); err != nil {
		return err
	}
	best := copies(s.best(finalists))
	if err := s.playWhole(ctx, unique(append(append(known, best...), s.schedules(best)...))); err != nil {
		return err
	}
	return s.playSeeds(ctx)
}

func copies(all []*Candidate) (out []*Candidate) {
	for _, c := range all {
		again := *c
		out = append(out, &again)
	}
	return out
}

// unique leaves out candidates that play as one before them.
func unique(all []*Candidate) (out []*Candidate) {
	first := map[string]*Candidate{}
	for _, c := range all {
		if same := first[c.key()]; same != nil {
			same.Label = cmp.Or(same.Label, c.Label)
			continue
		}
		first[c.key()] = c
		out = append(out, c)
	}
	return out
}

// grid are the coarse candidates.
func (s *search) grid() (all []*Candidate) {
	most := min(peak(s.in.Jobs), s.in.Fleet.MaxInstances*max(1, s.in.Fleet.CapacityPerInstance))
	for _, count := range []int{0, 1, 2, 4, 8, 16, 32, 64, 128} {
		if count > most {
			break
		}
		for _, idle := range []time.Duration{5 * time.Minute, 20 * time.Minute} {
			all = append(all, s.candidate(count, idle, false))
			if count > 0 {
				all = append(all, s.candidate(count, idle, true))
			}
		}
	}
	for _, pool := range s.in.Pools {
		for _, count := range []int{0, 2} { // for the first of a burst, and the pool for the rest
			c := s.candidate(count, 5*time.Minute, false)
			c.WarmPool = pool
			all = append(all, c)
		}
	}
	return all
}

func (s *search) candidate(count int, idle time.Duration, preemptive bool) *Candidate {
	return &Candidate{MaxUseCount: s.in.Fleet.MaxUseCount, Policies: []sim.Policy{{IdleCount: count, IdleTime: idle, Preemptive: preemptive}}}
}

// finer are neighbours of the best coarse candidates.
func (s *search) finer() (all []*Candidate) {
	for _, c := range s.best(finalists / 2) {
		p := c.Policies[0]
		for _, count := range []int{p.IdleCount * 3 / 4, p.IdleCount * 3 / 2} {
			near := s.candidate(count, p.IdleTime, p.Preemptive && count > 0)
			near.WarmPool = c.WarmPool
			all = append(all, near)
		}
		near := s.candidate(p.IdleCount, p.IdleTime/2, p.Preemptive)
		near.WarmPool = c.WarmPool
		all = append(all, near)
	}
	all = slices.DeleteFunc(all, func(c *Candidate) bool { return s.seen[c.key()] != nil })
	return all[:min(len(all), finalists)]
}

// schedules keep instances ready when most jobs come, and few or none at other times. Of
// nil they are as many as there will be.
func (s *search) schedules(best []*Candidate) (all []*Candidate) {
	in := s.in
	if in.Relative || s.spans.end.Sub(s.spans.start) < weeklySpan {
		return nil
	}
	busy, ok := busyTimeOf(in.Jobs[:s.slice[1]], in.zone())
	if !ok {
		return nil
	}
	period := []string{busy.period()}
	for _, c := range append(best, s.candidate(2, 20*time.Minute, false), s.candidate(5, 20*time.Minute, false), s.candidate(10, 20*time.Minute, false)) {
		p := c.Policies[0]
		if p.IdleCount == 0 || p.Preemptive || len(all) == 3 {
			continue
		}
		rest := sim.Policy{IdleTime: min(p.IdleTime, 5*time.Minute)}
		p.Periods, p.Timezone = period, in.ZoneName
		all = append(all, &Candidate{MaxUseCount: c.MaxUseCount, Policies: []sim.Policy{rest, p}, WarmPool: c.WarmPool})
	}
	return all
}

func (in *Input) zone() *time.Location {
	if in.Zone == nil {
		return time.UTC
	}
	return in.Zone
}

// play plays candidates at the same time, and gives each result to note, from one
// goroutine at a time.
func (s *search) play(ctx context.Context, all []*Candidate, change func(*sim.Setting), note func(*Candidate, *sim.Result)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.in.Workers))
	lock := make(chan struct{}, 1)
	for _, c := range all {
		g.Go(func() error {
			setting := sim.Setting{Fleet: s.in.Fleet, Policies: c.Policies, Seed: 1}
			setting.MaxUseCount, setting.WarmPool = c.MaxUseCount, c.WarmPool
			change(&setting)
			r, err := s.player.Play(ctx, setting)
			if err != nil {
				return err
			}
			lock <- struct{}{}
			defer func() { <-lock }()
			note(c, r)
			s.done++
			if s.in.Progress != nil {
				s.in.Progress(s.done, max(s.total, s.done))
			}
			return nil
		})
	}
	return g.Wait()
}

func (s *search) playSlice(ctx context.Context, all []*Candidate) error {
	part := s.in.Jobs[s.slice[0]:s.slice[1]]
	change := func(one *sim.Setting) { one.From, one.To = s.slice[0], s.slice[1] }
	return s.play(ctx, all, change, func(c *Candidate, r *sim.Result) {
		c.Train = r.Figures(part, r.Start, part[len(part)-1].Arrives.Add(time.Hour))
		c.Test, c.Whole, c.Low, c.High, c.Seeds, c.result = c.Train, c.Train, c.Train, c.Train, 1, r
		s.seen[c.key()] = c
	})
}

func (s *search) playWhole(ctx context.Context, all []*Candidate) error {
	err := s.play(ctx, all, func(*sim.Setting) {}, func(c *Candidate, r *sim.Result) {
		c.Train = r.Figures(s.in.Jobs, s.spans.start, s.spans.split)
		c.Test = r.Figures(s.in.Jobs, s.spans.split, s.spans.end)
		c.Whole = r.Figures(s.in.Jobs, s.spans.start, s.spans.end)
		c.Low, c.High, c.Seeds, c.result = c.Test, c.Test, 1, r
		s.whole = append(s.whole, c)
	})
	// Of equal ones the first is chosen, whichever was played sooner.
	slices.SortFunc(s.whole, func(a, b *Candidate) int { return slices.Index(all, a) - slices.Index(all, b) })
	return err
}

// playSeeds plays the pick, and what it is compared with, with other chances.
func (s *search) playSeeds(ctx context.Context) error {
	pick, _ := s.pick()
	all := []*Candidate{s.baseline()}
	if pick != nil && pick != all[0] {
		all = append(all, pick)
	}
	for seed := range uint64(extraSeeds) {
		err := s.play(ctx, all, func(one *sim.Setting) { one.Seed = seed + 2 }, func(c *Candidate, r *sim.Result) {
			f := r.Figures(s.in.Jobs, s.spans.split, s.spans.end)
			c.Low, c.High = ends(c.Low, f, true), ends(c.High, f, false)
			c.Seeds++
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ends takes the lower or the higher of each figure.
func ends(a, b sim.Figures, low bool) sim.Figures {
	wait := func(x, y time.Duration) time.Duration {
		if low {
			return min(x, y)
		}
		return max(x, y)
	}
	number := func(x, y float64) float64 {
		if low {
			return min(x, y)
		}
		return max(x, y)
	}
	a.Mean, a.P50, a.P95, a.P99 = wait(a.Mean, b.Mean), wait(a.P50, b.P50), wait(a.P95, b.P95), wait(a.P99, b.P99)
	a.VMHours, a.PerJobHour = number(a.VMHours, b.VMHours), number(a.PerJobHour, b.PerJobHour)
	return a
}
