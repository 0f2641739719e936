package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// Jobs is a time of jobs that arrive by chance.
type Jobs struct {
	Setting
	PerMinute int
	Length    time.Duration // of the time of arrivals
	MaxUse    int           // jobs that an instance may serve
}

const (
	jobMedian = 3 * time.Minute // log-normal
	jobSpread = 0.4

	// drainLimit is how long after the last arrival jobs may wait and run.
	drainLimit = time.Hour
)

// job is one that arrives so long after the start, and runs so long.
type job struct {
	arrives, lasts time.Duration
	burst          int // jobs that arrive with it, itself included; 0: that is not counted
}

// plan draws the jobs, for all plugins the same.
func (s Jobs) plan() (all []job) {
	random := rand.New(rand.NewPCG(seed, seed))
	gap := float64(time.Minute) / float64(s.PerMinute)
	for at := 0.0; ; {
		at += random.ExpFloat64() * gap
		if time.Duration(at) >= s.Length {
			return all
		}
		all = append(all, job{arrives: time.Duration(at), lasts: jobLength(random)})
	}
}

func jobLength(random *rand.Rand) time.Duration {
	return time.Duration(float64(jobMedian) * math.Exp(jobSpread*random.NormFloat64()))
}

// Play plays the scenario with a plugin, in a synctest bubble.
func (s Jobs) Play(plugin string) (Figures, error) {
	var f Figures
	sub, err := newSubscription(s.Setting)
	if err != nil {
		return f, err
	}
	defer sub.end()
	r, err := newRunner(sub, s.Setting, plugin, setName(0), s.MaxUse)
	if err != nil {
		return f, err
	}
	defer r.end()
	time.Sleep(time.Minute)
	f.Goroutines[0] = goroutines()
	q := &queue{runner: r, figures: &f, used: map[string]bool{}, begun: time.Now()}
	q.serve(s.plan(), s.Length)
	if err := r.schedule(0, time.Nanosecond); err != nil {
		return f, err
	}
	f.Done = f.Done && await(phaseLimit, func() bool { return r.group.knows() == 0 && r.instances() == 0 })
	f.Total = time.Since(q.begun)
	f.countRequests(r, q.begun.Add(s.Length).Sub(r.meter.begun))
	f.countInstances(r)
	f.Created = sub.Stats().Created
	f.Unneeded = f.Created - len(q.used)
	time.Sleep(5 * time.Minute)
	f.Goroutines[1] = goroutines()
	return f, nil
}

// queue is GitLab's: jobs are taken in their order, each when the scaler has a
// reservation for it.
type queue struct {
	*runner
	begun time.Time

	mu      sync.Mutex
	figures *Figures
	used    map[string]bool // instances that served a job
}

// serve lets the jobs arrive and run.
func (q *queue) serve(jobs []job, length time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), length+drainLimit)
	defer cancel()
	q.figures.Jobs = len(jobs)
	var wait sync.WaitGroup
	for n, j := range jobs {
		time.Sleep(time.Until(q.begun.Add(j.arrives)))
		key := fmt.Sprintf("job-%d", n)
		q.reserve(ctx, key)
		wait.Go(func() { q.run(ctx, key, j, length) })
	}
	wait.Wait()
	q.figures.Done = ctx.Err() == nil
}

// reserve waits until the scaler has room for one more job, as the runner does before
// it asks GitLab for one.
func (q *queue) reserve(ctx context.Context, key string) {
	for ctx.Err() == nil && errors.Is(q.Reserve(key), taskscaler.ErrNoCapacity) {
		time.Sleep(time.Second)
	}
}

// run waits for an instance, and runs the job there.
func (q *queue) run(ctx context.Context, key string, j job, length time.Duration) {
	a, err := q.Acquire(ctx, key)
	now := time.Since(q.begun)
	q.note(func() {
		q.figures.Waits = append(q.figures.Waits, now-j.arrives)
		if j.burst > 0 {
			q.figures.ByBurst[j.burst] = append(q.figures.ByBurst[j.burst], now-j.arrives)
		}
		if err == nil {
			q.used[a.InstanceID()] = true
		}
		if err == nil && now <= length {
			q.figures.Served++
		}
	})
	if err != nil {
		q.Unreserve(key)
		return
	}
	defer q.Release(key)
	ctx, cancel := a.WithContext(ctx)
	defer cancel()
	timer := time.NewTimer(j.lasts)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		q.note(func() { q.figures.Lost++ })
	}
}

func (q *queue) note(what func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	what()
}
