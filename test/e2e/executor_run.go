package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

// executorRun is the test with one executor.
type executorRun struct {
	*load.Progress
	options options
	verdict *verdict
	testbed *testbed.Testbed
	trials  []trial
	counted bool // instances were counted at the end
}

func newExecutorRun(o options, executor string, v *verdict) *executorRun {
	o.Executor, o.LogFile = executor, filepath.Join(o.logs, "runner-"+executor+".log")
	if executor == testbed.DockerAutoscaler {
		o.MaxUseCount, o.KeepState = 4, true // here instances serve more than one job, and more than one runner
	}
	return &executorRun{
		Progress: load.NewProgress(os.Stdout, fmt.Sprintf("%-17s  ", executor)),
		options:  o, verdict: v, trials: trials(executor, o.Version),
	}
}

// run is the whole test. What is not as expected goes to the verdict; the error
// is one that ended the test early.
func (r *executorRun) run(parent context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(parent, r.options.patience, errors.New("out of time"))
	defer cancel()
	ctx, r.options.Exited = context.WithCancelCause(ctx)
	defer r.options.Exited(nil)
	if err := os.Truncate(r.options.LogFile, 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if r.testbed, err = testbed.Start(ctx, r.options.Options); err != nil {
		r.verdict.check(r, nil)
		return err
	}
	defer func() { err = errors.Join(err, r.testbed.Close()) }()
	err = r.runJobs(ctx)
	r.verdict.check(r, r.testbed.Jobs.Jobs())
	if err == nil {
		err = r.scaleToZero(ctx)
	}
	if parent.Err() != nil { // interrupted
		return err
	}
	return errors.Join(err, r.end(context.WithoutCancel(ctx)))
}

// runJobs has the jobs run: most at first, some that are still running when the
// runner is asked to quit, and some that wait meanwhile for the next runner.
func (r *executorRun) runJobs(ctx context.Context) error {
	if err := r.runFirst(ctx); err != nil {
		return err
	}
	if err := r.replaceIdle(ctx); err != nil {
		return err
	}
	graceful := r.queue(beforeQuit)
	for _, id := range graceful {
		if _, err := r.testbed.Jobs.Wait(ctx, id, hasBegun); err != nil {
			return err
		}
	}
	r.Printf("SIGQUIT to the runner while %d jobs run", len(graceful))
	asked := time.Now()
	if err := r.testbed.AskToQuit(); err != nil {
		return err
	}
	// A runner that quits drops its request for a job, and the job that it is
	// given that moment (doJobRequest in its commands/multi.go).
	if err := r.awaitSilence(ctx); err != nil {
		return err
	}
	waiting := r.queue(whileQuit)
	if err := r.testbed.AwaitQuit(ctx); err != nil {
		return err
	}
	r.Printf("the runner has ended; %d jobs wait", len(waiting))
	if err := r.endedGracefully(asked, graceful, waiting); err != nil {
		return err
	}
	if err := r.testbed.StartRunner(); err != nil {
		return err
	}
	return r.await(ctx, waiting)
}

// endedGracefully returns an error unless the runner that was asked to end
// finished the jobs that ran then, and began no other.
func (r *executorRun) endedGracefully(asked time.Time, running, waiting []int64) error {
	all := r.testbed.Jobs.Jobs()
	for _, id := range running {
		if job := all[id-1]; !job.Ended.After(asked) {
			return fmt.Errorf("job %q is %s and has not ended between SIGQUIT and the runner's end", job.Name, job.State)
		}
	}
	for _, id := range waiting {
		if job := all[id-1]; job.State != jobapi.Pending {
			return fmt.Errorf("job %q is %s, but was queued after SIGQUIT", job.Name, job.State)
		}
	}
	return nil
}

// silence is how long a runner that asks for jobs every second does not ask when
// it no longer does.
const silence = 3 * time.Second

func (r *executorRun) awaitSilence(ctx context.Context) error {
	return load.Poll(ctx, func(context.Context) (bool, string, error) {
		return r.testbed.Jobs.Silence() > silence, "the runner still asks for jobs", nil
	})
}

// runFirst queues the jobs of the first phase and does to them what is to be done.
func (r *executorRun) runFirst(ctx context.Context) error {
	ids := r.queue(atFirst)
	r.Printf("%d jobs queued", len(ids))
	var actions errgroup.Group
	for _, t := range r.trials {
		if t.do != nothing {
			actions.Go(func() error { return r.act(ctx, t.do, t.id) })
		}
	}
	return errors.Join(r.await(ctx, ids), actions.Wait())
}

// queue queues the jobs of a phase, and returns their IDs.
func (r *executorRun) queue(when phase) []int64 {
	var ids []int64
	for i := range r.trials {
		if t := &r.trials[i]; t.when == when {
			t.id = r.testbed.Jobs.Enqueue(t.Spec)
			ids = append(ids, t.id)
		}
	}
	return ids
}

func (r *executorRun) await(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		job, err := r.testbed.Jobs.Wait(ctx, id, jobapi.Job.Done)
		if err != nil {
			return err
		}
		r.Printf("job %2d %-20s %s %s", job.ID, job.Name, job.State, job.FailureReason)
	}
	return nil
}

func hasBegun(j jobapi.Job) bool { return j.Done() || len(said(j)) > 0 }

// act does something to a job once it runs.
func (r *executorRun) act(ctx context.Context, do action, id int64) error {
	job, err := r.testbed.Jobs.Wait(ctx, id, hasBegun)
	if err != nil {
		return err
	}
	switch do {
	case cancel:
		r.Printf("job %2d %-20s is cancelled", id, job.Name)
		return r.testbed.Jobs.Cancel(id)
	case hangUp:
		r.Printf("job %2d %-20s SIGHUP to the runner and its plugin", id, job.Name)
		return r.testbed.HangUp(ctx)
	}
	_, rest, _ := strings.Cut(string(job.Log), "Dialing instance ")
	instance, _, _ := strings.Cut(rest, "...")
	r.Printf("job %2d %-20s its instance %s is evicted", id, job.Name, instance)
	return r.testbed.Simulator.Evict(ctx, load.Name(instance))
}

// replaceIdle evicts an idle instance while no job waits: then only the runner's
// policy of idle instances brings another one.
func (r *executorRun) replaceIdle(ctx context.Context) error {
	idle := r.options.IdleCount
	if err := r.testbed.Simulator.Settle(ctx, idle); err != nil {
		return err
	}
	if err := r.testbed.AwaitListed(ctx); err != nil { // else it was never there for the plugin
		return err
	}
	before, err := r.testbed.Simulator.Instances(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(before, func(i armsim.InstanceInfo) bool { return i.ProvisioningState == "Succeeded" }) // one more may be on its way out
	if at < 0 {
		return errors.New("no idle instance is left to evict")
	}
	target := before[at]
	r.Printf("idle instance %s is evicted", target.Name)
	if err := r.testbed.Simulator.Evict(ctx, target.VMID); err != nil {
		return err
	}
	return r.testbed.Simulator.Settle(ctx, idle)
}
