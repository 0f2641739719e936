package main

import (
	"context"
	"errors"
	"fmt"
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
	counted  bool    // what was left at the end was looked for
}

func (l *leg) log() string { return filepath.Join(l.options.logs, "runner-"+l.executor+".log") }

// say prints a line with its time.
func (l *leg) say(format string, args ...any) {
	fmt.Printf("%4.0fs  %-17s  %s\n", time.Since(l.began).Seconds(), l.executor, fmt.Sprintf(format, args...))
}

// run is the leg. What is not as expected goes to the verdict; the error is one
// that ended the leg early.
func (l *leg) run(parent context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(parent, l.options.patience, errors.New("out of time"))
	defer cancel()
	ctx, l.died = context.WithCancelCause(ctx)
	defer l.died(nil)
	l.trials = trials(l.executor, l.version)
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
	if err == nil {
		err = l.scaleToZero(ctx)
	}
	if parent.Err() != nil { // somebody wants it to end at once
		return err
	}
	return errors.Join(err, l.end(context.WithoutCancel(ctx)))
}

// idle is how many instances are kept ready.
const idle = 2

func (l *leg) start(ctx context.Context) (err error) {
	o := stand.Options{
		Runner: l.options.runner, Plugin: l.options.plugin, Simulator: l.options.simulator,
		LogFile: l.log(), Died: l.died,
		Executor: l.executor, Mode: l.options.mode, Boot: 2 * time.Second,
		Concurrent: 8, MaxInstances: 8, MaxUseCount: 1, IdleCount: idle,
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
	if err := l.replaced(ctx); err != nil {
		return err
	}
	graceful := l.queue(beforeQuit)
	for _, id := range graceful {
		if _, err := l.stand.Jobs.Wait(ctx, id, hasBegun); err != nil {
			return err
		}
	}
	l.say("SIGQUIT to the runner while %d jobs run", len(graceful))
	told := time.Now()
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
	if err := l.endedInPeace(told, graceful, waiting); err != nil {
		return err
	}
	if err := l.stand.StartRunner(); err != nil {
		return err
	}
	return l.await(ctx, waiting)
}

// endedInPeace says whether a runner that was told to end finished the jobs that
// ran then, and began no other.
func (l *leg) endedInPeace(told time.Time, running, waiting []int64) error {
	all := l.stand.Jobs.Jobs()
	for _, id := range running {
		if job := all[id-1]; !job.Ended.After(told) {
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
	return l.stand.Simulator.Evict(ctx, victim.VMID)
}

// replaced evicts an idle instance while no job waits: then only the runner's
// wish for idle instances brings another one.
func (l *leg) replaced(ctx context.Context) error {
	if err := l.stand.Settle(ctx, idle); err != nil {
		return err
	}
	if err := l.stand.AwaitSeen(ctx, idle); err != nil {
		return err
	}
	before, err := l.stand.Simulator.Instances(ctx)
	if err != nil {
		return err
	}
	victim := before[0]
	l.say("idle instance %s is evicted", victim.Name)
	if err := l.stand.Simulator.Evict(ctx, victim.VMID); err != nil {
		return err
	}
	if err := l.stand.AwaitGone(ctx, victim.VMID); err != nil {
		return err
	}
	return l.stand.Settle(ctx, idle)
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
