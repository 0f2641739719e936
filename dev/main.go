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

// run brings all up, and down again when ctx ends or the runner does.
func run(ctx context.Context) (err error) {
	o := testbed.Options{
		Options:    load.Options{Spot: "Delete", Boot: 5 * time.Second, MaxInstances: 4, IdleCount: 1},
		Concurrent: 4, MaxUseCount: 1,
	}
	o.BindFlags()
	o.BindScaling()
	flag.StringVar(&o.Runner, "runner", "", "GitLab Runner's binary")
	flag.StringVar(&o.Executor, "executor", testbed.Instance, "executor: instance or docker-autoscaler")
	if err := o.Parse(); err != nil {
		return err
	}
	if o.LogFile, err = filepath.Abs(o.LogFile); err != nil {
		return err
	}
	if err := o.CheckRunner(ctx, o.Executor); err != nil {
		return err
	}
	exited := make(chan error, 1)
	o.Exited = func(cause error) { exited <- cause }
	t, err := testbed.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
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
		"CURL", "curl -sK "+t.Login).
		Replace(`The runner runs. Its log, with the plugin's:   tail -f LOG
Its configuration, which it reads again when it changes:   CONFIG

queue a job           CURL JOBS -d '{"script": ["echo hello", "sleep 30"]}'
all jobs, one's log   CURL JOBS
                      CURL JOBS/1/log
cancel a job          CURL -X POST JOBS/1/cancel

instances             CURL SIM/instances
evict one             CURL -X POST SIM/instances/NAME/evict
have Azure refuse     CURL SIM/faults -d '{"operation": "VirtualMachineScaleSets_Update", "for": "1m", "error": {"status": 429, "retryAfter": 20}}'
end that              CURL -X DELETE SIM/faults
all requests          CURL SIM/journal

Ctrl-C ends and removes all of it.
`)
}
