package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/stand"
)

// leg is the test with one executor.
type leg struct {
	options  options
	executor string
	version  stand.RunnerVersion
	verdict  *verdict
	began    time.Time
	stand    *stand.Stand
	docker   *stand.Docker
	died     func(error) // ends the leg when the runner has died
	trials   []trial
	ids      []int64 // of the trials' jobs; 0: not queued yet
	evicted  int     // requests that the simulator had answered when it evicted
}

func (l *leg) log() string { return filepath.Join(l.options.logs, "runner-"+l.executor+".log") }

// say prints a line with its time.
func (l *leg) say(format string, args ...any) {
	fmt.Printf("%4.0fs  %-17s  %s\n", time.Since(l.began).Seconds(), l.executor, fmt.Sprintf(format, args...))
}

// run is the leg. What is not as expected goes to the verdict; the error is one
// that ended the leg early.
func (l *leg) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.options.patience, errors.New("out of time"))
	defer cancel()
	ctx, l.died = context.WithCancelCause(ctx)
	defer l.died(nil)
	l.trials = trials()
	if err := os.Truncate(l.log(), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.ids = make([]int64, len(l.trials))
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.start(ctx); err != nil {
		l.verdict.missing(l)
		return err
	}
	err = l.play(ctx)
	l.verdict.judge(l)
	if err != nil {
		return err
	}
	return l.end(ctx)
}

func (l *leg) start(ctx context.Context) (err error) {
	o := stand.Options{
		Runner: l.options.runner, Plugin: l.options.plugin, Simulator: l.options.simulator,
		LogFile: l.log(), Died: l.died,
		Executor: l.executor, Mode: l.options.mode, Boot: 2 * time.Second,
		Concurrent: 8, MaxInstances: 8, MaxUseCount: 1, IdleCount: 2,
	}
	if l.executor == stand.DockerAutoscaler {
		o.MaxUseCount, o.KeepState = 4, true // here instances serve more than one job, and more than one runner
		if l.docker, err = stand.NewDocker(ctx, l.options.runner); err != nil {
			return err
		}
		o.Docker = l.docker
	}
	if l.stand, err = stand.Start(ctx, o); err != nil {
		return err
	}
	return l.stand.StartRunner()
}

func (l *leg) close() (err error) {
	if l.stand != nil {
		err = l.stand.Close()
	}
	if l.docker != nil {
		err = errors.Join(err, l.docker.Close())
	}
	return err
}

// play has the jobs run: most at first, some that are still running when the
// runner is told to quit, and some that wait meanwhile for the next runner.
func (l *leg) play(ctx context.Context) error {
	if err := l.first(ctx); err != nil {
		return err
	}
	graceful := l.queue(beforeQuit)
	for _, id := range graceful {
		if _, err := l.stand.Jobs.Wait(ctx, id, hasBegun); err != nil {
			return err
		}
	}
	l.say("SIGQUIT to the runner while %d jobs run", len(graceful))
	if err := l.stand.AskToQuit(); err != nil {
		return err
	}
	// A runner that quits drops its request for a job, and the job that it is
	// given that moment (doJobRequest in its commands/multi.go).
	if err := l.stand.Jobs.AwaitSilence(ctx, silence); err != nil {
		return err
	}
	waiting := l.queue(whileQuit)
	if err := l.stand.AwaitQuit(ctx); err != nil {
		return err
	}
	l.say("the runner has ended; %d jobs wait", len(waiting))
	for _, id := range append(graceful, waiting...) {
		job, err := l.stand.Jobs.Wait(ctx, id, func(jobapi.Job) bool { return true })
		if err != nil {
			return err
		}
		if started := job.HandedOut > 0; started != job.Done() {
			return fmt.Errorf("job %q is %s after the runner ended in peace", job.Name, job.State)
		}
	}
	if err := l.stand.StartRunner(); err != nil {
		return err
	}
	return l.await(ctx, waiting)
}

// silence is how long a runner that asks every second has not asked when it asks
// no more.
const silence = 3 * time.Second

// first queues the jobs of the first phase and does to them what is to be done.
func (l *leg) first(ctx context.Context) error {
	ids := l.queue(atFirst)
	l.say("%d jobs queued", len(ids))
	failures := make(chan error, len(l.trials))
	var deeds sync.WaitGroup
	for i, t := range l.trials {
		if t.do != nothing {
			deeds.Go(func() { failures <- l.deed(ctx, t.do, l.ids[i]) })
		}
	}
	err := l.await(ctx, ids)
	deeds.Wait()
	close(failures)
	for failure := range failures {
		err = errors.Join(err, failure)
	}
	return err
}

// queue queues the jobs of a phase, and returns their IDs.
func (l *leg) queue(when phase) []int64 {
	var ids []int64
	for i, t := range l.trials {
		if t.when == when {
			l.ids[i] = l.stand.Jobs.Enqueue(t.Spec)
			ids = append(ids, l.ids[i])
		}
	}
	return ids
}

func (l *leg) await(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		job, err := l.stand.Jobs.Wait(ctx, id, jobapi.Job.Done)
		if err != nil {
			return err
		}
		l.say("job %2d %-20s %s %s", job.ID, job.Name, job.State, job.FailureReason)
	}
	return nil
}

func hasBegun(j jobapi.Job) bool { return j.Done() || len(said(j)) > 0 }

// deed does something to a job once it runs.
func (l *leg) deed(ctx context.Context, do deed, id int64) error {
	job, err := l.stand.Jobs.Wait(ctx, id, hasBegun)
	if err != nil {
		return err
	}
	if do == cancel {
		l.say("job %2d %-20s is cancelled", id, job.Name)
		return l.stand.Jobs.Cancel(id)
	}
	victim, err := l.place(ctx, job)
	if err != nil {
		return err
	}
	l.say("job %2d %-20s its instance %s is evicted", id, job.Name, victim.Name)
	journal, err := l.stand.Simulator.Journal(ctx)
	if err != nil {
		return err
	}
	l.evicted = len(journal)
	return l.stand.Simulator.Evict(ctx, victim.VMID)
}

// replaced says whether capacity was asked for after the eviction, which had
// lowered it.
func (l *leg) replaced(ctx context.Context) error {
	journal, err := l.stand.Simulator.Journal(ctx)
	if err != nil {
		return err
	}
	for _, e := range journal[l.evicted:] {
		if e.Operation == "VirtualMachineScaleSets_Update" && e.Status == http.StatusOK {
			return nil
		}
	}
	return errors.New("no capacity was asked for after the eviction")
}

// place finds the instance that a job runs on, which the runner tells in the
// log.
func (l *leg) place(ctx context.Context, job jobapi.Job) (armsim.InstanceInfo, error) {
	_, rest, _ := strings.Cut(string(job.Log), "Dialing instance ")
	name, _, _ := strings.Cut(rest, "...")
	all, err := l.stand.Simulator.Instances(ctx)
	if err != nil {
		return armsim.InstanceInfo{}, err
	}
	for _, i := range all {
		if fleet.ID(i.Name, i.VMID) == name {
			return i, nil
		}
	}
	return armsim.InstanceInfo{}, fmt.Errorf("job %q runs on instance %q, which there is not", job.Name, name)
}

// end scales to zero by policy, ends the runner, and looks for what is left.
func (l *leg) end(ctx context.Context) error {
	l.say("scale to zero")
	if err := l.stand.SetIdle(0); err != nil {
		return err
	}
	if !l.version.TakesPolicies() {
		if err := errors.Join(l.stand.AskToQuit(), l.stand.AwaitQuit(ctx), l.stand.StartRunner()); err != nil {
			return err
		}
	}
	settled := errors.Join(l.replaced(ctx), l.stand.Settle(ctx))
	quit, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), 30*time.Second, errors.New("out of time"))
	defer cancel()
	if err := errors.Join(settled, l.stand.AskToQuit(), l.stand.AwaitQuit(quit)); err != nil {
		return err
	}
	if err := l.bury(quit); err != nil {
		return err
	}
	instances, err := l.stand.Left(quit)
	l.verdict.left += instances
	l.say("%d instances are left", instances)
	return errors.Join(err, complaints(l.log()))
}

// bury removes the containers of jobs that were broken off. They are on no
// instance any more, but our instances share a Docker Engine. Of an evicted
// instance nobody could remove them. Nor can a runner without the fix of its
// issue with dial-stdio, as 17.9 and 18.0: its connection to Docker ends with
// the job's context (environmentDialContext in executors/docker/docker.go).
func (l *leg) bury(ctx context.Context) error {
	if l.docker == nil {
		return nil
	}
	for i, t := range l.trials {
		if !t.brokenOff {
			continue
		}
		count, err := l.docker.Kill(ctx, l.stand.URL, l.ids[i])
		if err != nil {
			return err
		}
		if count > 0 {
			l.say("job %2d %-20s %d containers went with its instance", l.ids[i], t.Name, count)
		}
	}
	return nil
}
