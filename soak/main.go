// Command soak runs the plugin for minutes against a simulator that goes wrong in
// every way it can, kills the plugin's process every minute or so, and counts at
// the end what was lost: jobs, instances, seats of the capacity.
//
// Like demo it uses what users can use; of this module it must import only the
// root package, armsim and demo/fleet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

type options struct {
	plugin, simulator string
	duration, boot    time.Duration
	patience          time.Duration
	seed              uint64
	mode, spot        string
	max, idle         int
	throttle          bool
	logFile, journal  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parse()
	well := false
	if err == nil {
		well, err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak: %v\n", err)
	}
	if err != nil || !well {
		os.Exit(1)
	}
}

func parse() (options, error) {
	var o options
	flag.StringVar(&o.plugin, "plugin", fleet.Beside("fleeting-plugin-azure"), "plugin binary")
	flag.StringVar(&o.simulator, "armsim", fleet.Beside("armsim"), "simulator binary")
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long things go wrong")
	flag.DurationVar(&o.boot, "boot", 4*time.Second, "median boot time of an instance")
	flag.DurationVar(&o.patience, "patience", 4*time.Minute, "how long jobs, and then instances, have to end once nothing goes wrong any more")
	flag.Uint64Var(&o.seed, "seed", 0, "decides what goes wrong and when, and the jobs; 0 takes a random one")
	flag.StringVar(&o.mode, "mode", "Uniform", "orchestration mode: Uniform or Flexible")
	flag.StringVar(&o.spot, "spot", "Delete", "Spot instances with this eviction policy: Delete or Deallocate; empty: regular ones, and no evictions")
	flag.IntVar(&o.max, "max-instances", 8, "most instances at a time")
	flag.IntVar(&o.idle, "idle", 2, "idle instances kept ready")
	flag.BoolVar(&o.throttle, "throttle", false, "let the simulator enforce Azure's request limits")
	flag.StringVar(&o.logFile, "log", fleet.Beside("soak.log"), "file for the logs of plugin and scaler")
	flag.StringVar(&o.journal, "journal", fleet.Beside("soak-journal.jsonl"), "file for the requests that the simulator answered")
	flag.Parse()
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	switch {
	case flag.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see soak -help", flag.Arg(0))
	case o.duration <= 0 || o.patience <= 0:
		return o, errors.New("-duration and -patience must be positive")
	case !strings.EqualFold(o.mode, "Uniform") && !o.flexible():
		return o, fmt.Errorf("-mode %q: it must be Uniform or Flexible", o.mode)
	}
	return o, nil
}

func (o options) flexible() bool { return strings.EqualFold(o.mode, "Flexible") }

// run is the whole soak. It says whether nothing was lost; an error is one that
// ended it early.
func run(ctx context.Context, o options) (passed bool, err error) {
	s, err := newSoak(o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.say("seed %d; the same again: soak -seed %d -mode %s -spot %q -duration %s", o.seed, o.seed, o.mode, o.spot, o.duration)
	s.say("the plugin's log is in %s; two writes at once on a scale set: %s", o.logFile, parallelWrites(o.seed))
	jobs, cancelJobs := context.WithCancel(ctx)
	defer cancelJobs()
	if err := s.storm(ctx, jobs); err != nil {
		return false, err
	}
	defer time.AfterFunc(o.patience, cancelJobs).Stop()
	if err := s.calm(ctx, jobs); err != nil {
		return false, err
	}
	return s.report()
}
