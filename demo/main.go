// Command demo runs the main job end to end, without an Azure account: it
// starts the simulator and the built plugin as processes, and drives them with
// taskscaler, the scaler inside GitLab Runner, for jobs that arrive in bursts.
// Each job is a shell script that runs over SSH on an instance of its own. With
// -config it does so on the scale set of a config.toml, in a simulator that runs.
//
// It uses what users can use: the binaries, armsim's control endpoint and
// fleeting's connector; of this module it must import only test/load.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

type options struct {
	load.Options
	jobs, evict int
	pace        uint
	timeout     time.Duration
}

func main() { load.Main(run) }

func parse() (options, error) {
	o := options{Options: load.Options{MaxInstances: 10, IdleCount: 2, Boot: 2 * time.Second}}
	o.BindFlags()
	o.BindScaling()
	o.BindConfig()
	flag.IntVar(&o.jobs, "jobs", 24, "jobs to run")
	flag.IntVar(&o.evict, "evict", 0, "instances to evict while a job runs on them")
	flag.UintVar(&o.pace, "pace", 1, "how many times as fast the bursts follow each other")
	flag.DurationVar(&o.timeout, "timeout", 110*time.Second, "give up after this time")
	err := o.Parse()
	o.evict = min(o.evict, o.jobs)
	if o.Spot == "1" || o.Spot == "" && o.evict > 0 {
		o.Spot = "Delete" // SPOT=1 of make demo names no policy
	}
	return o, err
}

// run is the demonstration. The error is not nil if a job did not pass or
// anything was left.
func run(ctx context.Context) (err error) {
	o, err := parse()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	d, err := load.Start(ctx, o.Options, io.Discard) // the view shows progress
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	d.Begun = func(ctx context.Context, a load.Attempt) error {
		if a.Number > 1 || !o.evicts(a.Job.Number) {
			return nil
		}
		return d.Simulator.Evict(ctx, load.Name(a.Instance))
	}
	d.Disrupted = func(ctx context.Context, a load.Attempt) string {
		if o.evict == 0 || a.Instance == "" || a.Heartbeat(ctx) == nil {
			return ""
		}
		return "evicted and retried"
	}
	fmt.Printf("%d jobs in %d bursts on %s\n", o.jobs, len(bursts), d.Title())
	show(d)
	d.Arrive(ctx, ctx, o.arrivals())
	d.Wait()
	unsettled := errors.Join(d.SetIdle(0), d.Simulator.Settle(ctx, 0))
	d.Stop()
	return o.report(d, unsettled)
}

// bursts are the parts of the jobs that arrive at once.
var bursts = []struct {
	at    time.Duration
	share int // in sixths
}{{0, 2}, {6 * time.Second, 3}, {14 * time.Second, 1}}

func (o options) arrivals() []load.Arrival {
	var all []load.Arrival
	sixths := 0
	for _, b := range bursts {
		for sixths += b.share; len(all) < o.jobs*sixths/6; {
			number := len(all) + 1
			all = append(all, load.Arrival{At: b.at / time.Duration(max(1, o.pace)), Job: load.Job{Number: number, Steps: 1 + number%3}})
		}
	}
	return all
}

// evicts reports whether the first attempt of a job is to be evicted: the
// evictions are spread over all jobs.
func (o options) evicts(number int) bool {
	if o.evict == 0 {
		return false
	}
	stride := max(1, o.jobs/o.evict)
	return number%stride == 0 && number/stride <= o.evict
}

// report prints what came of all.
func (o options) report(d *load.Driver, unsettled error) error {
	r, err := d.Result(context.Background())
	if err != nil {
		return err
	}
	busiest := slices.Max(append(slices.Collect(maps.Values(r.Places)), 0))
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\njob wait\tp50 %s\tp95 %s\n", r.Wait(0.50), r.Wait(0.95))
	fmt.Fprintf(table, "instances\t%d created\t%.0f instance-seconds, %.0f disk-seconds\n", r.Created, r.AllocatedSeconds, r.InstanceSeconds)
	fmt.Fprintf(table, "places\t%d instances ran a job\tthe busiest ran %d\n", len(r.Places), busiest)
	fmt.Fprintf(table, "simulator\tseed %d\n", r.Seed)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nrequests  operation\n")
	for _, operation := range slices.Sorted(maps.Keys(r.Requests)) {
		fmt.Printf("%8d  %s\n", r.Requests[operation], operation)
	}
	fmt.Println(strings.Join(r.Broken, "\n"))
	evictions := ""
	if o.evict > 0 {
		evictions = fmt.Sprintf("%d evicted and retried, ", len(r.Broken))
	}
	if len(r.Broken) != o.evict {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d attempts were evicted, expected %d", len(r.Broken), o.evict))
	}
	if unsettled != nil {
		r.Wrong = append(r.Wrong, unsettled.Error())
	}
	if r.Passed != o.jobs {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d of %d jobs passed; see %s", r.Passed, o.jobs, o.LogFile))
	}
	return load.Verdict(fmt.Sprintf("demo: %d jobs passed, %d failed, %s%d instances left", r.Passed, len(r.Failed), evictions, r.Left), r.Wrong...)
}
