package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// count changes the tally.
func (d *Driver) count(change func(*Tally)) {
	d.counting.Lock()
	defer d.counting.Unlock()
	change(&d.tally)
}

// Tally returns the counts so far.
func (d *Driver) Tally() (t Tally) {
	d.count(func(now *Tally) { t = *now })
	t.Places = maps.Clone(t.Places)
	return t
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
	d.change(func() { r.Kills, r.Wrong = d.kills, slices.Concat(r.Failed, d.crashes, left.Findings) })
	if r.Lost = r.Asked - r.Passed - len(r.Failed); r.Lost > 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d jobs neither passed nor failed", r.Lost))
	}
	return r, err
}
