package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
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

func (d *demo) job(ctx context.Context, number int) {
	arrived := time.Now()
	d.tally.change(func(t *tally) { t.waiting++ })
	key := fmt.Sprintf("job-%d", number)
	acquisition, err := d.scaler.Acquire(ctx, key)
	d.tally.change(func(t *tally) {
		t.waiting--
		t.running++
		t.waits = append(t.waits, time.Since(arrived))
	})
	if err == nil {
		err = d.execute(ctx, number, acquisition)
		d.scaler.Release(key)
	}
	d.tally.change(func(t *tally) {
		t.running--
		if err != nil {
			t.failed = append(t.failed, fmt.Sprintf("%s: %v", key, err))
			return
		}
		t.passed++
		t.places[acquisition.InstanceID()]++
	})
}

// script is a job: it works for a while and tells where it did. It fails on an
// instance that an earlier job has used.
const script = `set -eu
test ! -e used || { echo "an earlier job ran here: $(cat used)" >&2; exit 3; }
echo job-%[1]d > used
i=0; while [ $i -lt %[2]d ]; do i=$((i+1)); echo "step $i" >> log; sleep 1; done
echo "steps=$(wc -l < log)"
echo "where=$ARMSIM_INSTANCE $ARMSIM_VM_ID"
`

// execute runs the job's script over SSH and checks that it ran to its end, on
// the instance that the scaler gave it.
func (d *demo) execute(ctx context.Context, number int, a taskscaler.Acquisition) error {
	info, err := a.InstanceConnectInfo(ctx)
	if err != nil {
		return err
	}
	client, err := connector.Dial(ctx, info, connector.DialOptions{})
	if err != nil {
		return err
	}
	defer client.Close()
	steps := 1 + number%3
	var out, complaint bytes.Buffer
	err = client.Run(ctx, connector.RunOptions{
		Command: "/bin/sh", Stdin: strings.NewReader(fmt.Sprintf(script, number, steps)), Stdout: &out, Stderr: &complaint,
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return proof(out.String(), a.InstanceID(), steps)
}

// proof checks what a script told: the plugin's ID of an instance is its name
// and the first eight digits of its vmId.
func proof(out, instance string, steps int) error {
	var ran int
	var name, vmID string
	if _, err := fmt.Sscanf(out, "steps=%d\nwhere=%s %s", &ran, &name, &vmID); err != nil {
		return fmt.Errorf("job told %q: %w", out, err)
	}
	if place := strings.ToLower(name) + "-" + vmID[:min(8, len(vmID))]; ran != steps || place != instance {
		return fmt.Errorf("job ran %d of %d steps on %s; expected on %s", ran, steps, place, instance)
	}
	return nil
}
