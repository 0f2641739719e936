package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// view shows what goes on: redrawn in place on a terminal, else a line whenever
// something has changed.
type view struct {
	out      *os.File
	terminal bool
	begun    time.Time
	last     string
	done     chan struct{}
	finished sync.WaitGroup
}

func newView(out *os.File) *view {
	return &view{out: out, terminal: term.IsTerminal(int(out.Fd())), begun: time.Now(), done: make(chan struct{})}
}

func (v *view) start(ctx context.Context, d *demo) {
	fmt.Fprintf(v.out, "%d jobs in %d bursts on a %s scale set; at most %d instances, %d kept idle; one job per instance\n",
		d.options.jobs, len(bursts), d.options.mode, d.options.max, d.options.idle)
	v.finished.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-v.done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				v.draw(ctx, d)
			}
		}
	})
}

func (v *view) stop() {
	close(v.done)
	v.finished.Wait()
	if v.terminal {
		fmt.Fprintln(v.out)
	}
}

// draw asks the simulator, not the plugin: it shows what is, not what is
// believed.
func (v *view) draw(ctx context.Context, d *demo) {
	instances, err := d.simulator.Instances(ctx)
	if err != nil {
		return // the demo itself will say what is wrong
	}
	states := map[string]int{}
	for _, i := range instances {
		state := strings.ToLower(i.ProvisioningState)
		if state == "succeeded" {
			state = i.PowerState
		}
		states[state]++
	}
	var waiting, running, passed, failed int
	d.tally.change(func(t *tally) { waiting, running, passed, failed = t.waiting, t.running, t.passed, len(t.failed) })
	line := fmt.Sprintf("instances: %2d creating %2d running %2d deleting | jobs: %2d waiting %2d running %2d passed %d failed",
		states["creating"], states["running"], states["deleting"], waiting, running, passed, failed)
	v.print(line, len(instances), running)
}

func (v *view) print(line string, instances, busy int) {
	at := fmt.Sprintf("%4.0fs  ", time.Since(v.begun).Seconds())
	switch {
	case v.terminal:
		bar := strings.Repeat("█", busy) + strings.Repeat("░", max(0, instances-busy))
		fmt.Fprintf(v.out, "\r\x1b[K%s%s  %s", at, line, bar)
	case line != v.last:
		fmt.Fprintln(v.out, at+line)
	}
	v.last = line
}
