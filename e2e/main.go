// Command e2e tests the plugin in the hands of a real GitLab Runner: the runner's
// binary and its own config.toml, executors instance and docker-autoscaler, a
// simulated scale set, and a stand-in for GitLab that hands out jobs and checks
// what becomes of them.
//
// Of this module it must import only armsim, demo/fleet, and what is below e2e.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/stand"
)

type options struct {
	runner, plugin, simulator string
	executors                 []string
	mode                      string
	logs                      string
	patience                  time.Duration // of one executor
}

// hangs is how long a runner may hang on the dead connection to an evicted
// instance, as 17.9 did once in twenty runs, before it gives up
// (WaitForBuildFinishTimeout in its common/build.go).
const hangs = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

func parse() (options, error) {
	o := options{executors: []string{stand.Instance, stand.DockerAutoscaler}}
	flag.StringVar(&o.runner, "runner", "", "GitLab Runner's binary")
	flag.StringVar(&o.plugin, "plugin", fleet.Beside("fleeting-plugin-azure"), "plugin binary")
	flag.StringVar(&o.simulator, "armsim", fleet.Beside("armsim"), "simulator binary")
	flag.StringVar(&o.mode, "mode", "Uniform", "orchestration mode: Uniform or Flexible")
	flag.StringVar(&o.logs, "logs", fleet.Beside("e2e-logs"), "directory for the logs of runner and jobs")
	flag.DurationVar(&o.patience, "timeout", hangs+3*time.Minute, "give up on an executor after this time")
	flag.Func("executors", "executors to test with, as instance,docker-autoscaler (the default)", func(list string) error {
		all := o.executors
		o.executors = strings.Split(list, ",")
		for _, name := range o.executors {
			if !slices.Contains(all, name) {
				return fmt.Errorf("it must be %s", strings.Join(all, " or "))
			}
		}
		return nil
	})
	flag.Parse()
	if o.runner == "" || flag.NArg() > 0 {
		return o, errors.New("-runner must name GitLab Runner's binary, and nothing else is expected; see e2e -help")
	}
	return o, nil
}

// run tests with each executor, and prints the verdict. Nil means that all is as
// expected.
func run(ctx context.Context) error {
	o, err := parse()
	if err != nil {
		return err
	}
	version, err := stand.Version(ctx, o.runner)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.logs, 0o700); err != nil {
		return err
	}
	temporary, forget, err := ownTemporary()
	if err != nil {
		return err
	}
	defer forget()
	v := &verdict{logs: o.logs}
	for _, executor := range o.executors {
		l := &leg{options: o, executor: executor, version: version, verdict: v, began: time.Now()}
		l.say("GitLab Runner %s, %s scale set", version, o.mode)
		if err := l.run(ctx); err != nil {
			v.wrong = append(v.wrong, executor+": "+strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !l.counted {
			v.uncounted = append(v.uncounted, executor)
		}
	}
	v.inspect(temporary)
	return v.print()
}

// ownTemporary makes a directory the one for temporary files of this process and
// of all that it starts: what is in it at the end was left behind.
func ownTemporary() (dir string, forget func(), err error) {
	root, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(root, "tmp")
	err = errors.Join(os.Mkdir(dir, 0o700), os.Setenv("TMPDIR", dir))
	return dir, func() { _ = os.RemoveAll(root) }, err
}
