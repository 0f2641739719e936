// Command dev brings up a simulated scale set, a stand-in for GitLab and a real
// GitLab Runner with the plugin, to try things by hand; see its README.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

func main() { load.Main(run) }

func parse() (testbed.Options, error) {
	o := testbed.Options{
		Options: load.Options{Spot: "Delete", Boot: 5 * time.Second, MaxInstances: 4, IdleCount: 1},
		Control: true, Concurrent: 4, MaxUseCount: 1,
	}
	o.BindFlags()
	o.BindScaling()
	flag.StringVar(&o.Runner, "runner", "", "GitLab Runner's binary")
	flag.StringVar(&o.Executor, "executor", testbed.Instance, "executor: instance or docker-autoscaler")
	if err := o.Parse(); err != nil {
		return o, err
	}
	switch {
	case o.Runner == "":
		return o, errors.New("-runner must name GitLab Runner's binary; see -help")
	case o.Executor != testbed.Instance && o.Executor != testbed.DockerAutoscaler:
		return o, fmt.Errorf("-executor %q: it must be %s or %s", o.Executor, testbed.Instance, testbed.DockerAutoscaler)
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
	if _, err := testbed.Version(ctx, o.Runner); err != nil {
		return err
	}
	exited := make(chan error, 1)
	o.Exited = func(cause error) { exited <- cause }
	t, err := testbed.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.StartRunner(); err != nil {
		return err
	}
	fmt.Print(help(t, o.LogFile))
	select {
	case err := <-exited:
		return err
	case <-ctx.Done():
		fmt.Println("\nclosing")
		return nil
	}
}

// help shows what can be done, with addresses that work.
func help(t *testbed.Testbed, log string) string {
	return strings.NewReplacer("JOBS", t.URL+"/control/jobs", "SIM", t.Simulator.Env["ARMSIM_CONTROL"], "LOG", log, "CONFIG", t.Config,
		"CURLJ", "curl -sK "+t.JobsLogin, "CURLS", "curl -sK "+t.SimulatorLogin).
		Replace(`The runner runs. Its log, with the plugin's:   tail -f LOG
Its configuration, which it reads again when it changes:   CONFIG

queue a job           CURLJ JOBS -d '{"script": ["echo hello", "sleep 30"]}'
all jobs, one's log   CURLJ JOBS
                      CURLJ JOBS/1/log
cancel a job          CURLJ -X POST JOBS/1/cancel

instances             CURLS SIM/instances
evict one             CURLS -X POST SIM/instances/NAME/evict
have Azure refuse     CURLS SIM/faults -d '{"operation": "VirtualMachineScaleSets_Update", "for": "1m", "error": {"status": 429, "retryAfter": 20}}'
end that              CURLS -X DELETE SIM/faults
all requests          CURLS SIM/journal

Ctrl-C ends and removes all of it.
`)
}
