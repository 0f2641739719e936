// Command soak runs the plugin for minutes against a simulator with all kinds of
// faults, kills the plugin's process every minute or so, and counts at the end what
// was lost: jobs, instances, unfilled capacity.
//
// Like demo it uses what users can use; of this module it must import only
// armsim and test/load.
package main

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

type options struct {
	load.Options
	duration, patience time.Duration
	throttle           bool
	journal            string
}

func main() { load.Main(run) }

func parse() (options, error) {
	o := options{Options: load.Options{MaxInstances: 8, IdleCount: 2, Boot: 4 * time.Second, Spot: "Delete"}}
	o.BindFlags()
	o.BindScaling()
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long faults happen")
	flag.DurationVar(&o.patience, "patience", 4*time.Minute, "how long jobs, and then instances, have to end after the last fault")
	flag.BoolVar(&o.throttle, "throttle", false, "let the simulator enforce Azure's request limits")
	load.BindFile(&o.journal, "journal", "-journal.jsonl", "file for the simulator's journal of requests")
	err := o.Parse()
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.duration <= 0 || o.patience <= 0 {
		err = errors.Join(err, errors.New("-duration and -patience must be positive"))
	}
	return o, err
}

// run is the whole soak. The error is not nil if anything was lost.
func run(ctx context.Context) (err error) {
	o, err := parse()
	if err != nil {
		return err
	}
	d, err := load.Start(ctx, o.Options, os.Stdout, "--parallel-writes", parallelWrites(o.Seed), "--throttle="+strconv.FormatBool(o.throttle))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s := &soak{Driver: d, options: o, creations: map[string]time.Time{}}
	d.Disrupted = s.disrupted
	s.Printf("seed %d; the same again: soak -seed %d -mode %s -spot %q -duration %s", o.Seed, o.Seed, o.Mode, o.Spot, o.duration)
	s.Printf("the plugin's log is in %s; two writes at once on a scale set: %s", o.LogFile, parallelWrites(o.Seed))
	jobs, cancelJobs := context.WithCancel(ctx)
	defer cancelJobs()
	if err := s.disrupt(ctx, jobs); err != nil {
		return err
	}
	defer time.AfterFunc(o.patience, cancelJobs).Stop()
	if err := s.drain(ctx, jobs); err != nil {
		return err
	}
	return s.report(context.WithoutCancel(ctx))
}
