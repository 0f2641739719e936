package sim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

// lead is how long the scaler runs before the first job, so that its idle instances are
// there.
const lead = 30 * time.Minute

// Run plays jobs, which are in the order of their arrival. It must be called in a
// synctest bubble, and ends all goroutines that it starts.
func Run(s Setting, all []jobs.Job) (*Result, error) {
	s.Fleet = s.Fleet.WithDefaults()
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.To > 0 {
		all = all[:min(s.To, len(all))]
	}
	all = all[min(s.From, len(all)):]
	if len(all) == 0 {
		return nil, errors.New("there are no jobs")
	}
	// A bubble begins in the year 2000; schedules need the real weekday and time zone.
	time.Sleep(time.Until(all[0].Arrives.Add(-lead)))
	t := &tally{r: &Result{Start: all[0].Arrives, Waits: make([]float32, len(all))}}
	g := newGroup(s, t)
	scaler, err := newScaler(s, g)
	if err != nil {
		return nil, err
	}
	r := &runner{Taskscaler: scaler, fleet: s.Fleet, group: g, tally: t, begun: time.Now()}
	r.serve(all)
	g.close()
	end(scaler)
	return t.r, nil
}

// end ends a scaler's goroutines. It does not wait for them; they sleep for a minute at
// most.
func end(scaler taskscaler.Taskscaler) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	scaler.Shutdown(ctx)
	time.Sleep(2 * time.Minute)
}

// newScaler makes the scaler as GitLab Runner does for its autoscaling executors.
func newScaler(s Setting, g *group) (taskscaler.Taskscaler, error) {
	scaler, err := taskscaler.New(context.Background(), g,
		taskscaler.WithReservations(), taskscaler.WithLogger(hclog.NewNullLogger()),
		taskscaler.WithCapacityPerInstance(s.CapacityPerInstance), taskscaler.WithMaxUseCount(s.MaxUseCount),
		taskscaler.WithMaxInstances(s.MaxInstances), taskscaler.WithScaleThrottle(s.ThrottleLimit, s.ThrottleBurst),
		taskscaler.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: provider.ConnectorConfig{UseStaticCredentials: true, Username: "advise"}}))
	if err != nil {
		return nil, fmt.Errorf("start the scaler: %w", err)
	}
	var schedules []taskscaler.Schedule
	for _, p := range s.Policies {
		schedules = append(schedules, taskscaler.Schedule{
			Periods: p.Periods, Timezone: p.Timezone, IdleCount: p.IdleCount, IdleTime: p.IdleTime,
			ScaleFactor: p.ScaleFactor, ScaleFactorLimit: p.ScaleFactorLimit, PreemptiveMode: p.Preemptive,
		})
	}
	if err := scaler.ConfigureSchedule(schedules...); err != nil {
		end(scaler)
		return nil, fmt.Errorf("take the policies: %w", err)
	}
	return scaler, nil
}

// queued is a job in GitLab's queue.
type queued struct {
	number  int
	arrived time.Time
	lasts   time.Duration
	again   bool // an eviction ended it before: its wait is known
}

// runner is GitLab Runner with the queue of GitLab. See feedRunners and processRunner
// in its commands/multi.go.
type runner struct {
	taskscaler.Taskscaler
	fleet Fleet
	group *group
	tally *tally
	begun time.Time

	mu       sync.Mutex
	queue    []queued
	workers  int // that are taken
	requests int // under way
	keys     int
	jobs     sync.WaitGroup
}

// serve lets the jobs arrive, and returns when all have run.
func (r *runner) serve(all []jobs.Job) {
	for n := 0; ; {
		next := r.nextTick(all, n)
		if next.IsZero() {
			break
		}
		time.Sleep(time.Until(next))
		for ; n < len(all) && !all[n].Arrives.After(time.Now()); n++ {
			r.push(queued{number: n, arrived: all[n].Arrives, lasts: all[n].Lasts})
		}
		r.poll()
		if n == len(all) && r.empty() {
			r.jobs.Wait() // evicted ones come back
			if r.empty() {
				break
			}
		}
	}
	r.jobs.Wait()
}

// nextTick is when the runner asks GitLab next: each check interval, but in vain, and
// without effect, while nothing is queued; those times are left out.
func (r *runner) nextTick(all []jobs.Job, n int) time.Time {
	interval, now := r.fleet.CheckInterval, time.Now()
	tick := now.Truncate(interval).Add(interval)
	if !r.empty() || r.fleet.Evictions > 0 {
		return tick
	}
	if n == len(all) {
		return time.Time{}
	}
	if at := all[n].Arrives; at.After(tick) {
		tick = at.Truncate(interval)
		if tick.Before(at) {
			tick = tick.Add(interval)
		}
	}
	return tick
}

func (r *runner) push(q queued) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, q)
}

func (r *runner) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) == 0
}

// poll asks GitLab for a job and, as long as there is one, for another at once.
func (r *runner) poll() {
	if r.fleet.RequestTime == 0 {
		for r.take() {
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests >= r.fleet.RequestConcurrency {
		return
	}
	r.requests++
	r.jobs.Go(func() {
		for r.take() {
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests--
	})
}

// take makes a reservation, takes one job with it and starts it. It reports whether
// there was one.
func (r *runner) take() bool {
	r.mu.Lock()
	if r.fleet.Concurrent > 0 && r.workers >= r.fleet.Concurrent {
		r.mu.Unlock()
		return false
	}
	r.workers++
	r.keys++
	key := strconv.Itoa(r.keys)
	r.mu.Unlock()
	free := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.workers--
	}
	if err := r.Reserve(key); err != nil {
		free()
		return false
	}
	time.Sleep(r.fleet.RequestTime)
	r.mu.Lock()
	if len(r.queue) == 0 {
		r.mu.Unlock()
		r.Unreserve(key)
		free()
		return false
	}
	q := r.queue[0]
	r.queue = r.queue[1:]
	r.mu.Unlock()
	r.jobs.Go(func() {
		defer free()
		r.run(key, q)
	})
	return true
}

// run waits for an instance, and runs the job there.
func (r *runner) run(key string, q queued) {
	ctx, cancel := context.WithTimeout(context.Background(), r.fleet.AcquireTimeout)
	a, err := r.Acquire(ctx, key)
	cancel()
	begun := time.Now()
	if !q.again {
		r.tally.wait(q.number, begun.Sub(q.arrived), err == nil)
	}
	if err != nil {
		r.Unreserve(key)
		return
	}
	evicted := r.group.begin(a.InstanceID())
	end := begun.Add(q.lasts)
	if !evicted.IsZero() && evicted.Before(end) {
		end = evicted
		r.tally.lost()
		defer r.push(queued{q.number, q.arrived, q.lasts, true})
	}
	time.Sleep(time.Until(end))
	r.group.end(a.InstanceID())
	r.tally.job(begun, end)
	r.Release(key)
}
