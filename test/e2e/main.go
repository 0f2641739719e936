// Command e2e tests the plugin with a real GitLab Runner: the runner's binary and
// its own config.toml, executors instance and docker-autoscaler, a simulated scale
// set, and a stand-in for GitLab that hands out jobs and checks their results.
//
// Of this module it must import only armsim, test/load, test/testbed and
// test/jobapi.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

type options struct {
	load.Options
	runner    string
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
	all := []string{testbed.Instance, testbed.DockerAutoscaler}
	o := options{executors: all, Options: load.Options{Spot: "Delete", Boot: 2 * time.Second, MaxInstances: 8, IdleCount: 2}}
	o.BindFlags()
	flag.StringVar(&o.runner, "runner", "", "GitLab Runner's binary")
	load.BindFile(&o.logs, "logs", "-logs", "directory for the logs of runner and jobs")
	flag.DurationVar(&o.patience, "timeout", hangs+3*time.Minute, "give up on an executor after this time")
	flag.Func("executors", "executors to test with, as instance,docker-autoscaler (the default)", func(list string) error {
		o.executors = strings.Split(list, ",")
		if slices.ContainsFunc(o.executors, func(name string) bool { return !slices.Contains(all, name) }) {
			return fmt.Errorf("it must be %s", strings.Join(all, " or "))
		}
		return nil
	})
	err := o.Parse()
	if o.runner == "" {
		err = errors.Join(err, errors.New("-runner must name GitLab Runner's binary; see -help"))
	}
	return o, err
}

// run tests with each executor, and prints the verdict. Nil means that all is as
// expected.
func run(ctx context.Context) error {
	o, err := parse()
	if err != nil {
		return err
	}
	version, err := checkRunner(ctx, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.logs, 0o700); err != nil {
		return err
	}
	temporary, remove, err := ownTemporary()
	if err != nil {
		return err
	}
	defer remove()
	v := &verdict{logs: o.logs}
	for _, executor := range o.executors {
		r := newExecutorRun(o, executor, version, v)
		r.Printf("GitLab Runner %s, %s scale set", version, o.Mode)
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
	v.inspect(temporary)
	return v.print()
}

// checkRunner returns the version of the runner, if it can be used.
func checkRunner(ctx context.Context, o options) (testbed.RunnerVersion, error) {
	if slices.Contains(o.executors, testbed.DockerAutoscaler) {
		if err := testbed.CheckStatic(o.runner); err != nil {
			return testbed.RunnerVersion{}, err
		}
	}
	return testbed.Version(ctx, o.runner)
}

// ownTemporary makes a directory the one for temporary files of this process and
// of all that it starts: what is in it at the end was left behind.
func ownTemporary() (dir string, remove func(), err error) {
	root, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(root, "tmp")
	err = errors.Join(os.Mkdir(dir, 0o700), os.Setenv("TMPDIR", dir))
	return dir, func() { _ = os.RemoveAll(root) }, err
}
