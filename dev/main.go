// Command dev brings up a simulated scale set, a stand-in for GitLab and a real
// GitLab Runner with the plugin, for trying things by hand; see its README.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/stand"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func parse() (stand.Options, error) {
	o := stand.Options{Control: true, Boot: 5 * time.Second, Concurrent: 4, MaxUseCount: 1}
	flag.StringVar(&o.Runner, "runner", "", "GitLab Runner's binary")
	flag.StringVar(&o.Plugin, "plugin", fleet.Beside("fleeting-plugin-azure"), "plugin binary")
	flag.StringVar(&o.Simulator, "armsim", fleet.Beside("armsim"), "simulator binary")
	flag.StringVar(&o.LogFile, "log", fleet.Beside("dev.log"), "file for the runner's log, with the plugin's in it")
	flag.StringVar(&o.Executor, "executor", stand.Instance, "executor: instance or docker-autoscaler")
	flag.StringVar(&o.Mode, "mode", "Uniform", "orchestration mode: Uniform or Flexible")
	flag.IntVar(&o.MaxInstances, "max-instances", 4, "most instances at a time")
	flag.IntVar(&o.IdleCount, "idle", 1, "idle instances kept ready")
	flag.Parse()
	switch {
	case o.Runner == "" || flag.NArg() > 0:
		return o, errors.New("-runner must name GitLab Runner's binary, and nothing else is expected; see dev -help")
	case o.Executor != stand.Instance && o.Executor != stand.DockerAutoscaler:
		return o, fmt.Errorf("-executor %q: it must be %s or %s", o.Executor, stand.Instance, stand.DockerAutoscaler)
	}
	return o, nil
}

// run brings all up, and down again when ctx ends or the runner does.
func run(ctx context.Context) (err error) {
	o, err := parse()
	if err != nil {
		return err
	}
	if o.LogFile, err = filepath.Abs(o.LogFile); err != nil {
		return err
	}
	if _, err := stand.Version(ctx, o.Runner); err != nil {
		return err
	}
	if o.Executor == stand.DockerAutoscaler {
		if o.Docker, err = stand.NewDocker(ctx, o.Runner); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Docker.Close()) }()
	}
	died := make(chan error, 1)
	o.Died = func(cause error) { died <- cause }
	s, err := stand.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.StartRunner(); err != nil {
		return err
	}
	fmt.Print(help(s, o.LogFile))
	select {
	case err := <-died:
		return err
	case <-ctx.Done():
		fmt.Println("\nclosing")
		return nil
	}
}

// help says what can be done, with addresses that work.
func help(s *stand.Stand, log string) string {
	return strings.NewReplacer("JOBS", s.URL+"/control/jobs", "SIM", s.Simulator.Env["ARMSIM_CONTROL"], "LOG", log, "CONFIG", s.Config,
		"CURLJ", "curl -sK "+s.JobsLogin, "CURLS", "curl -sK "+s.SimulatorLogin).
		Replace(`The runner runs. Its log, with the plugin's:   tail -f LOG
Its configuration, which it reads again when it changes:   CONFIG

queue a job           CURLJ JOBS -d '{"script": ["echo hello", "sleep 30"]}'
all jobs, one's log   CURLJ JOBS
                      CURLJ JOBS/1/log
cancel a job          CURLJ -X POST JOBS/1/cancel

instances             CURLS SIM/instances
evict one             CURLS -X POST SIM/instances/NAME/evict
Azure says no         CURLS SIM/faults -d '{"operation": "VirtualMachineScaleSets_Update", "for": "1m", "error": {"status": 429, "retryAfter": 20}}'
as before             CURLS -X DELETE SIM/faults
what was asked        CURLS SIM/journal

Ctrl-C ends and removes all of it.
`)
}
