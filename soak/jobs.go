package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// tally counts jobs.
type tally struct {
	mu      sync.Mutex
	asked   int
	waiting int
	running int
	passed  int
	retried int // jobs that were tried more than once
	broken  int // tries that had begun
	failed  []string
	waits   []time.Duration // from arrival to the start of the script that passed
}

func (t *tally) change(f func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t)
}

// arrive lets jobs arrive, and returns with the last.
func (s *soak) arrive(ctx, jobs context.Context, all []arrival) {
	for _, a := range all {
		if !s.until(ctx, a.at) {
			return
		}
		s.tally.change(func(t *tally) { t.asked++ })
		s.jobs.Go(func() { s.job(jobs, a.job) })
	}
}

// job runs one job, and again as long as something that is meant to happen
// breaks it off.
func (s *soak) job(ctx context.Context, job fleet.Job) {
	arrived := time.Now()
	for try := 1; ctx.Err() == nil; try++ {
		wait, a, err := s.attempt(ctx, job, try, arrived)
		if err == nil {
			s.tally.change(func(t *tally) { t.passed++; t.waits = append(t.waits, wait) })
			return
		}
		reason := s.explain(a)
		if ctx.Err() != nil {
			return
		}
		if reason == "" {
			s.fail(job, a, err)
			return
		}
		if a.instance != "" {
			s.tally.change(func(t *tally) { t.broken++ })
			s.say("job-%d on %s broken off: %s", job.Number, a.instance, reason)
		}
		if try == 1 {
			s.tally.change(func(t *tally) { t.retried++ })
		}
	}
}

// attempt is one try to run a job.
type attempt struct {
	generation *generation
	instance   string // the plugin's ID; empty: there was none
	began      time.Time
}

// attempt waits for an instance and runs the job there. It returns how long the
// job has waited for that.
func (s *soak) attempt(ctx context.Context, job fleet.Job, try int, arrived time.Time) (time.Duration, attempt, error) {
	s.tally.change(func(t *tally) { t.waiting++ })
	a, acquisition, release, err := s.acquire(ctx, fmt.Sprintf("job-%d-%d", job.Number, try))
	s.tally.change(func(t *tally) { t.waiting-- })
	wait := time.Since(arrived)
	if err != nil {
		return wait, a, err
	}
	defer release()
	s.tally.change(func(t *tally) { t.running++ })
	defer s.tally.change(func(t *tally) { t.running-- })

	// GitLab Runner cancels a job when the scaler tells that its instance is gone.
	ctx, cancel := acquisition.WithContext(ctx)
	defer cancel()
	err = job.Run(ctx, acquisition)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return wait, a, err
}

func (s *soak) acquire(ctx context.Context, key string) (attempt, taskscaler.Acquisition, func(), error) {
	g, err := s.plugins.current(ctx)
	a := attempt{generation: g, began: time.Now()}
	if err != nil {
		return a, nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.alive, cancel)()
	acquisition, err := g.scaler.Acquire(ctx, key)
	if err != nil {
		return a, nil, nil, err
	}
	a.instance, a.began = acquisition.InstanceID(), time.Now()
	return a, acquisition, func() { g.scaler.Release(key) }, nil
}

// fail notes a job that should have passed.
func (s *soak) fail(job fleet.Job, a attempt, err error) {
	text := fmt.Sprintf("job-%d on %q of plugin %d, for %s: %s: %v",
		job.Number, a.instance, a.generation.number, time.Since(a.began).Round(100*time.Millisecond), s.evidence(a), err)
	s.tally.change(func(t *tally) { t.failed = append(t.failed, text) })
	s.say("FAILED: %s", text)
}
