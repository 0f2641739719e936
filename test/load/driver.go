package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// Driver is a simulator, a plugin with its scaler, and the jobs that run on the
// instances. Its methods may be called from any goroutine, except where stated.
type Driver struct {
	*supervisor
	Simulator *Simulator

	// Disrupted returns what was done on purpose that ends an attempt; empty:
	// nothing, so that the job has failed. It is set before the first job.
	Disrupted func(context.Context, Attempt) string

	// Begun is called when the script of an attempt begins. By default it does
	// nothing.
	Begun func(context.Context, Attempt) error

	jobs       sync.WaitGroup
	background sync.WaitGroup
	until      context.Context // that ends what runs there
	cancel     context.CancelFunc

	counting sync.Mutex
	tally    Tally
}

// Start starts simulator and plugin; args are further flags of the simulator. With
// Options.Config it takes the simulator that runs. It changes this process's environment, which the plugin inherits. Progress goes
// to out.
func Start(ctx context.Context, o Options, out io.Writer, args ...string) (*Driver, error) {
	log, err := os.OpenFile(o.LogFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	simulator, err := o.simulator(ctx, args)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	d := &Driver{
		supervisor: &supervisor{Progress: NewProgress(out, ""), options: o, log: log},
		Simulator:  simulator, tally: Tally{Places: map[string]int{}},
		Begun: func(context.Context, Attempt) error { return nil },
	}
	d.until, d.cancel = context.WithCancel(ctx)
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	first, err := d.start(ctx, 1)
	if err != nil {
		d.end(first, deadTimeout)
		return nil, errors.Join(fmt.Errorf("%w; see %s", err, o.LogFile), d.Close())
	}
	d.background.Go(func() { d.keep(d.until, first) })
	return d, nil
}

// prepare reads the settings, and sets the environment for the plugin.
func (d *Driver) prepare() (err error) {
	if d.settings, err = d.options.settings(d.Simulator.Env); err != nil {
		return err
	}
	d.schedules = d.settings.schedules
	return d.Simulator.Setenv()
}

// Title says in a few words what jobs run on.
func (d *Driver) Title() string { return d.settings.title }

// Every calls f at each interval until Stop. It is for the goroutine that calls
// Stop.
func (d *Driver) Every(interval time.Duration, f func(context.Context)) {
	d.background.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-d.until.Done():
				return
			case <-tick.C:
				f(d.until)
			}
		}
	})
}

// Stop ends what runs in the background, and scaler and plugin as GitLab Runner
// does. It may be called twice.
func (d *Driver) Stop() {
	d.cancel()
	d.background.Wait()
	if last := d.serving; last != nil { // nobody else changes it any longer
		d.end(last, shutdownTimeout)
		d.change(func() { d.serving = nil })
	}
	d.ending.Wait()
}

// Close stops all there is.
func (d *Driver) Close() error {
	d.Stop()
	return errors.Join(d.Simulator.Close(), d.log.Close())
}

// Arrival is a job that arrives so long after the start.
type Arrival struct {
	At  time.Duration
	Job Job
}

// Arrive lets jobs arrive until ctx ends. It returns with the last of them; they
// run on until jobs ends.
func (d *Driver) Arrive(ctx, jobs context.Context, all []Arrival) {
	for _, a := range all {
		if !d.Until(ctx, a.At) {
			return
		}
		d.Go(jobs, a.Job)
	}
}

// Go runs a job, and again as long as disruptions end it.
func (d *Driver) Go(ctx context.Context, job Job) {
	d.count(func(t *Tally) { t.Asked++ })
	d.jobs.Go(func() { d.run(ctx, job) })
}

// Wait waits for all jobs.
func (d *Driver) Wait() { d.jobs.Wait() }

func (d *Driver) run(ctx context.Context, job Job) {
	arrived := time.Now()
	for try := 1; ctx.Err() == nil; try++ {
		a := Attempt{Number: try, Job: job, Began: time.Now()}
		err := d.attempt(ctx, &a)
		if err == nil {
			d.count(func(t *Tally) {
				t.Passed++
				t.Waits = append(t.Waits, a.Began.Sub(arrived))
				t.Places[a.Instance]++
			})
			return
		}
		reason := d.reason(ctx, a)
		switch {
		case ctx.Err() != nil: // the test is over
			return
		case reason == "":
			d.fail(a, err)
			return
		}
		d.retry(a, reason)
	}
}

// reason is what was done on purpose that ended an attempt.
func (d *Driver) reason(ctx context.Context, a Attempt) string {
	if a.plugin == nil {
		return "there was no plugin"
	}
	if what := d.Disrupted(ctx, a); what != "" {
		return what
	}
	if a.plugin.dead() {
		return fmt.Sprintf("plugin %d is dead", a.plugin.number)
	}
	return ""
}

// retry records an attempt that a disruption ended.
func (d *Driver) retry(a Attempt, reason string) {
	text := fmt.Sprintf("job-%d on %s: %s", a.Job.Number, a.Instance, reason)
	d.count(func(t *Tally) {
		if a.Number == 1 {
			t.Retried++
		}
		if a.Instance != "" {
			t.Broken = append(t.Broken, text)
		}
	})
	if a.Instance != "" {
		d.Printf("%s", text)
	}
}

// fail records a job that should have passed.
func (d *Driver) fail(a Attempt, err error) {
	text := fmt.Sprintf("job-%d on %q of plugin %d, for %s: %s: %v", a.Job.Number, a.Instance, a.plugin.number,
		time.Since(a.Began).Round(100*time.Millisecond), d.evidence(a), err)
	text = strings.ReplaceAll(text, "\n", " ")
	d.count(func(t *Tally) { t.Failed = append(t.Failed, text) })
	d.Printf("FAILED: %s", text)
}

// Attempt is one try to run a job.
type Attempt struct {
	Job      Job
	Number   int       // from 1
	Began    time.Time // when it had its instance, if it got one
	Instance string    // the plugin's ID; empty: there was none

	plugin *generation // nil: there was none
}

// Heartbeat asks the plugin for the health of the attempt's instance.
func (a Attempt) Heartbeat(ctx context.Context) error {
	return a.plugin.runner.InstanceGroup().Heartbeat(ctx, a.Instance)
}

// attempt waits for an instance and runs the job there.
func (d *Driver) attempt(ctx context.Context, a *Attempt) error {
	d.count(func(t *Tally) { t.Waiting++ })
	acquisition, release, err := d.acquire(ctx, a)
	d.count(func(t *Tally) { t.Waiting-- })
	if err != nil {
		return err
	}
	defer release()
	d.count(func(t *Tally) { t.Running++ })
	defer d.count(func(t *Tally) { t.Running-- })

	// GitLab Runner cancels a job when the scaler reports its instance as gone.
	ctx, cancel := acquisition.WithContext(ctx)
	defer cancel()
	err = a.Job.run(ctx, acquisition, d.settings, func() error { return d.Begun(ctx, *a) })
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

func (d *Driver) acquire(ctx context.Context, a *Attempt) (taskscaler.Acquisition, func(), error) {
	g, err := d.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	a.plugin = g
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.alive, cancel)()
	key := fmt.Sprintf("job-%d-%d", a.Job.Number, a.Number)
	acquisition, err := g.scaler.Acquire(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	a.Instance, a.Began = acquisition.InstanceID(), time.Now()
	return acquisition, func() { g.scaler.Release(key) }, nil
}
