package advise

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

var monday = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

// workdays is a load of bursts in working hours.
func workdays(days, burst int) (all []job) {
	random := rand.New(rand.NewPCG(1, 1))
	for day := range days {
		at := monday.AddDate(0, 0, day)
		if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			continue
		}
		for hour := 8; hour < 18; hour++ {
			begin := at.Add(time.Duration(hour)*time.Hour + time.Duration(random.IntN(1800))*time.Second)
			for range burst {
				all = append(all, job{Arrives: begin, Lasts: 10 * time.Minute})
			}
		}
	}
	return all
}

// theory is a Player with figures that are easy to foresee: a job waits 60 s less 10 s for
// each idle instance and 5 s for each of the warm pool, and ten times that in preemptive
// mode; each idle instance costs an hour an hour.
type theory struct {
	mu     sync.Mutex
	plays  int
	seeds  map[uint64]int
	played map[string]int // by setting
	late   float32        // what a job of the last third waits longer without idle instances
	end    func()         // is called with play
	endAt  int
	errors error
}

func (p *theory) Play(ctx context.Context, s sim.Setting) (*sim.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.errors != nil || ctx.Err() != nil {
		return nil, errors.Join(p.errors, ctx.Err())
	}
	p.plays++
	if p.seeds == nil {
		p.seeds, p.played = map[uint64]int{}, map[string]int{}
	}
	p.seeds[s.Seed]++
	p.played[fmt.Sprint(s)]++
	if p.end != nil && p.plays == p.endAt {
		p.end()
	}
	all := theLoad
	if s.To > 0 {
		all = all[s.From:s.To]
	}
	r := &sim.Result{Start: all[0].Arrives, Waits: make([]float32, len(all))}
	idle := s.Policies[len(s.Policies)-1]
	wait := max(1, 60-10*idle.IdleCount-5*s.WarmPool)
	if idle.Preemptive {
		wait *= 10
	}
	for n := range r.Waits {
		r.Waits[n] = float32(wait) + float32(s.Seed)
		if idle.IdleCount == 0 && all[n].Arrives.After(theLoad[0].Arrives.AddDate(0, 0, 28)) {
			r.Waits[n] += p.late
		}
	}
	cost := 1 + float64(idle.IdleCount)
	if len(s.Policies) > 1 {
		cost = 1 + float64(idle.IdleCount)/3
	}
	for range int(all[len(all)-1].Arrives.Sub(r.Start)/time.Hour) + 1 {
		r.InstanceHours, r.JobHours, r.BusyHours = append(r.InstanceHours, cost), append(r.JobHours, 1), append(r.BusyHours, 1)
	}
	return r, nil
}

var theLoad = workdays(42, 8)

func input() *Input {
	return &Input{Jobs: theLoad, Fleet: sim.Fleet{MaxUseCount: 1, MaxInstances: 60, Boot: sim.Duration{Median: time.Minute}}, Workers: 2, ZoneName: "UTC"}
}
