// Command e2e tests the plugin with a real GitLab Runner: the runner's binary and
// its own config.toml, executors instance and docker-autoscaler, a simulated scale
// set, and a stand-in for GitLab that hands out jobs and checks their results.
//
// Of this module it must import only test/load, test/testbed and test/jobapi.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

type options struct {
	testbed.Options
	executors []string
	logs      string
	patience  time.Duration // with one executor
}

// hangs is how long a runner may hang on the dead connection to an evicted
// instance, as 17.9 did once in twenty runs, before it gives up
// (WaitForBuildFinishTimeout in its common/build.go).
const hangs = 5 * time.Minute

func main() { load.Main(run) }

func parse() (options, error) {
	o := options{Options: testbed.Options{
		Options:    load.Options{Spot: "Delete", Boot: 2 * time.Second, MaxInstances: 8, IdleCount: 2},
		Concurrent: 8, MaxUseCount: 1,
	}}
	o.BindFlags()
	flag.StringVar(&o.Runner, "runner", "", "GitLab Runner's binary")
	load.BindFile(&o.logs, "logs", "-logs", "directory for the logs of runner and jobs")
	flag.DurationVar(&o.patience, "timeout", hangs+3*time.Minute, "give up on an executor after this time")
	executors := flag.String("executors", testbed.Instance+","+testbed.DockerAutoscaler, "executors to test with")
	err := o.Parse()
	o.executors = strings.Split(*executors, ",")
	return o, err
}

// run tests with each executor, and prints the verdict. Nil means that all is as
// expected.
func run(ctx context.Context) error {
	o, err := parse()
	if err != nil {
		return err
	}
	if err := o.CheckRunner(ctx, o.executors...); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	// For this process and all that it starts: what is there at the end was left behind.
	if err := errors.Join(os.Setenv("TMPDIR", temporary), os.MkdirAll(o.logs, 0o700)); err != nil {
		return err
	}
	v := &verdict{logs: o.logs}
	for _, executor := range o.executors {
		r := newExecutorRun(o, executor, v)
		r.Printf("GitLab Runner %s, %s scale set", o.Version, o.Mode)
		if err := r.run(ctx); err != nil {
			v.wrong = append(v.wrong, executor+": "+err.Error())
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !r.counted {
			v.uncounted = append(v.uncounted, executor)
		}
	}
	left, err := os.ReadDir(temporary)
	for _, entry := range left {
		v.wrong = append(v.wrong, entry.Name()+" is left among temporary files")
	}
	return errors.Join(err, v.print())
}
