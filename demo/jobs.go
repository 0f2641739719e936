package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// burst is a part of the jobs that arrives at once, so long after the start.
type burst struct {
	after time.Duration
	share int // in sixths
}

var bursts = []burst{{0, 2}, {6 * time.Second, 3}, {14 * time.Second, 1}}

// tally counts jobs.
type tally struct {
	mu      sync.Mutex
	waiting int
	running int
	passed  int
	failed  []string
	evicted []string        // tries that ended so
	waits   []time.Duration // from arrival to the start of the script
	places  map[string]int  // jobs by instance
}

func (t *tally) change(f func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t)
}

// runJobs lets the jobs arrive and returns when the last has ended.
func (d *demo) runJobs(ctx context.Context) {
	d.tally.places = map[string]int{}
	start := time.Now()
	var jobs sync.WaitGroup
	for next, b := 0, 0; b < len(bursts); b++ {
		n := d.options.jobs * bursts[b].share / 6
		if b == len(bursts)-1 {
			n = d.options.jobs - next
		}
		select {
		case <-ctx.Done():
		case <-time.After(bursts[b].after - time.Since(start)):
		}
		for range n {
			next++
			number := next
			jobs.Go(func() { d.job(ctx, number) })
		}
	}
	jobs.Wait()
}

// job runs one job, and runs it again if its instance was evicted under it.
func (d *demo) job(ctx context.Context, number int) {
	for try := 1; ; try++ {
		instance, err := d.attempt(ctx, number, try)
		evicted := err != nil && instance != "" && d.evicted(ctx, instance)
		d.tally.change(func(t *tally) { t.count(number, instance, evicted, err) })
		if !evicted {
			return
		}
	}
}

func (t *tally) count(number int, instance string, evicted bool, err error) {
	switch {
	case evicted:
		t.evicted = append(t.evicted, fmt.Sprintf("job-%d on %s", number, instance))
	case err != nil:
		t.failed = append(t.failed, fmt.Sprintf("job-%d: %v", number, err))
	default:
		t.passed++
		t.places[instance]++
	}
}

// evicted asks the plugin if the instance of a failed job is to blame.
func (d *demo) evicted(ctx context.Context, instance string) bool {
	return d.options.evict > 0 && d.plugin.InstanceGroup().Heartbeat(ctx, instance) != nil
}

// attempt waits for an instance and runs the job on it. It returns the ID of
// the instance, empty if there was none.
func (d *demo) attempt(ctx context.Context, number, try int) (string, error) {
	arrived := time.Now()
	key := fmt.Sprintf("job-%d-%d", number, try)
	d.tally.change(func(t *tally) { t.waiting++ })
	acquisition, err := d.scaler.Acquire(ctx, key)
	d.tally.change(func(t *tally) {
		t.waiting--
		t.waits = append(t.waits, time.Since(arrived))
	})
	if err != nil {
		return "", err
	}
	defer d.scaler.Release(key)
	d.tally.change(func(t *tally) { t.running++ })
	defer d.tally.change(func(t *tally) { t.running-- })
	job := fleet.Job{Number: number, Steps: 1 + number%3}
	if try == 1 && d.chosen(number) {
		job.Begun = func() error { return d.evict(ctx, acquisition.InstanceID()) }
	}
	return acquisition.InstanceID(), job.Run(ctx, acquisition)
}

// chosen says whether the first try of a job is to be evicted: the evictions
// are spread over all jobs.
func (d *demo) chosen(number int) bool {
	if d.options.evict == 0 {
		return false
	}
	stride := max(1, d.options.jobs/d.options.evict)
	return number%stride == 0 && number/stride <= d.options.evict
}

// evict takes an instance away as Azure does.
func (d *demo) evict(ctx context.Context, instance string) error {
	return d.simulator.Evict(ctx, fleet.Name(instance))
}
