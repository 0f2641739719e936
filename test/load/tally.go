package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Tally counts jobs.
type Tally struct {
	Asked   int
	Waiting int
	Running int
	Passed  int
	Retried int             // jobs that were tried more than once
	Broken  []string        // attempts that a disruption ended on an instance
	Failed  []string        // jobs, and why
	Waits   []time.Duration // from arrival to the start of the script that passed
	Places  map[string]int  // jobs that passed, by instance
}

// Wait is the smallest wait that the share q of all does not exceed.
func (t *Tally) Wait(q float64) time.Duration {
	if len(t.Waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.Waits))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(100 * time.Millisecond)
}

// tally is one that several goroutines change.
type tally struct {
	mu sync.Mutex
	Tally
}

func (t *tally) change(f func(*Tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.Tally)
}

func (t *tally) pass(a Attempt, wait time.Duration) {
	t.change(func(t *Tally) {
		t.Passed++
		t.Waits = append(t.Waits, wait)
		t.Places[a.Instance]++
	})
}

func (t *tally) retry(a Attempt, reason string) {
	t.change(func(t *Tally) {
		if a.Number == 1 {
			t.Retried++
		}
		if a.Instance != "" {
			t.Broken = append(t.Broken, fmt.Sprintf("job-%d on %s: %s", a.Job.Number, a.Instance, reason))
		}
	})
}

// Tally returns the counts so far.
func (d *Driver) Tally() (counts Tally) {
	d.tally.change(func(t *Tally) {
		counts = *t
		counts.Places = maps.Clone(t.Places)
	})
	return counts
}

// Status describes in a line what is going on. It asks the simulator, not the
// plugin: it is what is, not what is believed.
func (d *Driver) Status(ctx context.Context) (line string, instances int, err error) {
	all, err := d.Simulator.Instances(ctx)
	if err != nil {
		return "", 0, err
	}
	states := map[string]int{}
	for _, i := range all {
		state := strings.ToLower(i.ProvisioningState)
		if state == "succeeded" {
			state = i.PowerState
		}
		states[state]++
	}
	t := d.Tally()
	return fmt.Sprintf("instances: %2d creating %2d running %2d deleting | jobs: %2d waiting %2d running %2d passed %d failed",
		states["creating"], states["running"], states["deleting"], t.Waiting, t.Running, t.Passed, len(t.Failed)), len(all), nil
}

// Result is what came of all.
type Result struct {
	Tally
	Leftovers
	Lost  int      // jobs that neither passed nor failed
	Kills int      // of plugins
	Wrong []string // all that is not as expected
}

// Result returns what came of all, when nothing runs any longer.
func (d *Driver) Result(ctx context.Context) (Result, error) {
	left, err := d.Simulator.Leftovers(ctx)
	r := Result{Tally: d.Tally(), Leftovers: left}
	d.plugins.change(func() {
		r.Kills, r.Wrong = d.plugins.kills, slices.Concat(r.Failed, d.plugins.crashes, left.Wrong)
	})
	if r.Lost = r.Asked - r.Passed - len(r.Failed); r.Lost > 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d jobs neither passed nor failed", r.Lost))
	}
	return r, err
}
