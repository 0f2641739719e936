// Command demo runs the main job end to end, without an Azure account: it
// starts the simulator and the built plugin as processes, and drives them with
// taskscaler, the scaler inside GitLab Runner, for jobs that arrive in bursts.
// Each job is a shell script that runs over SSH on an instance of its own.
//
// It uses what users can use: the binaries, armsim's control endpoint and
// fleeting's connector; of this module it must import only the root package,
// armsim and demo/fleet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

type options struct {
	plugin, simulator string
	jobs, max, idle   int
	mode, spot        string
	evict             int
	seed              uint64
	boot, timeout     time.Duration
	logFile           string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o := parse()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	passed, err := run(ctx, o)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		fmt.Fprintf(os.Stderr, "demo: the plugin's log is in %s\n", o.logFile)
	}
	if err != nil || !passed {
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.plugin, "plugin", fleet.Beside("fleeting-plugin-azure"), "plugin binary")
	flag.StringVar(&o.simulator, "armsim", fleet.Beside("armsim"), "simulator binary")
	flag.IntVar(&o.jobs, "jobs", 24, "jobs to run")
	flag.IntVar(&o.max, "max-instances", 10, "most instances at a time")
	flag.IntVar(&o.idle, "idle", 2, "idle instances kept ready")
	flag.StringVar(&o.mode, "mode", "uniform", "orchestration mode: uniform or flexible")
	flag.StringVar(&o.spot, "spot", "", "Spot instances with this eviction policy: Delete or Deallocate; 1 means Delete")
	flag.IntVar(&o.evict, "evict", 0, "instances to evict while a job runs on them")
	flag.Uint64Var(&o.seed, "seed", 0, "decides the simulator's chance; 0 takes a random one")
	flag.DurationVar(&o.boot, "boot", 2*time.Second, "median boot time of an instance")
	flag.DurationVar(&o.timeout, "timeout", 110*time.Second, "give up after this time")
	flag.StringVar(&o.logFile, "log", fleet.Beside("demo.log"), "file for the logs of plugin and scaler")
	flag.Parse()
	o.evict = min(o.evict, o.jobs)
	if o.spot == "1" || o.spot == "" && o.evict > 0 {
		o.spot = "Delete"
	}
	return o
}

// run is the demonstration. It says whether all jobs passed and nothing was
// left; an error is one that ended it early.
func run(ctx context.Context, o options) (passed bool, err error) {
	d, err := newDemo(ctx, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.view.start(ctx, d)
	d.runJobs(ctx)
	left, err := d.scaleToZero(ctx)
	d.view.stop()
	if err != nil {
		return false, err
	}
	return d.report(ctx, left)
}
