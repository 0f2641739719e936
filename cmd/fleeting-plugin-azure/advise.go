package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/report"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

type adviseOptions struct {
	outputFlag
	priceFlags
	adviseSource
	adviseFleet

	target, report      string
	targetOf            advise.Target
	budget, disk        float64
	size, location      string
	spot, windows       bool
	workers             int
	inDuration          time.Duration
	since, until, start string
	filter              jobs.Filter
	zoneName            string
	zone                *time.Location
}

func newAdviseCommand() *cobra.Command {
	var o adviseOptions
	c := &cobra.Command{
		Use:   "advise",
		Short: "Find the idle policy that suits your jobs: waiting against cost",
		Long: `Run recorded jobs through the runner's own scaler in virtual time, with many idle
policies, and print which of them wait how long at what cost, one to take, and why.
Policies are chosen by the first two thirds of the jobs and judged by the last third.
Nothing is changed, and Azure is asked for no more than a price.

Jobs come from a file (what "glab api --paginate projects/ID/jobs" or "glab runner jobs
ID --output json" print, or CSV with created_at,queued,duration,tag), or from GitLab
itself with the token in GITLAB_TOKEN or --token-file.

Exit codes: 0 done, also with the best so far after Ctrl-C; 1 the jobs cannot be read,
or are too few; 2 the command line is wrong.`,
		Example: `  fleeting-plugin-azure advise --jobs jobs.json --tag azure --boot 60s
  fleeting-plugin-azure advise --gitlab https://gitlab.example.com --project 7 --config /etc/gitlab-runner/config.toml --target p95=60s
  fleeting-plugin-azure advise --jobs jobs.csv --size Standard_D4s_v5 --location westeurope --budget 500 --report advice.html`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.outputFlag.add(c)
	o.priceFlags.add(c)
	o.adviseSource.add(c)
	o.adviseFleet.add(c)
	o.addGoals(c)
	return c
}

func (o *adviseOptions) addGoals(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.target, "target", "", "a wait to stay below, as p95=60s; also mean, p50, p99")
	f.Float64Var(&o.budget, "budget", 0, "what instances may cost a month; needs a price")
	f.StringVar(&o.size, "size", "", "size of the instances, for their price, as Standard_D4s_v5")
	f.StringVar(&o.location, "location", "", "region of the instances, for their price, as westeurope")
	f.BoolVar(&o.spot, "spot", false, "the price is Spot's")
	f.BoolVar(&o.windows, "windows", false, "the price is that of Windows")
	f.Float64Var(&o.disk, "disk-price", 0, "what the disks of a suspended instance cost a month")
	f.StringVar(&o.report, "report", "", "write a page with plots into this file, to open in a browser; into one that ends in .svg the first plot alone")
	f.IntVar(&o.workers, "workers", 0, "simulations at the same time; 0: as many as there are processors")
	f.DurationVar(&o.inDuration, "wait-in-duration", 0, "how much of each recorded duration was a wait for an instance, to be taken off")
	f.StringVar(&o.since, "since", "", "leave out jobs before this date or time; default: eight weeks before the last")
	f.StringVar(&o.until, "until", "", "leave out jobs from this date or time on")
	f.StringVar(&o.start, "start", "", "the moment from which times in CSV count that are numbers of seconds")
	f.StringVar(&o.zoneName, "timezone", "UTC", "time zone of the schedules to try, as Europe/Berlin")
}

// check parses what cobra does not.
func (o *adviseOptions) check() (err error) {
	if err := errors.Join(o.priceFlags.check(), o.adviseFleet.check(), o.adviseSource.check()); err != nil {
		return oneError(err)
	}
	if o.targetOf, err = parseTarget(o.target); err != nil {
		return err
	}
	if o.zone, err = time.LoadLocation(o.zoneName); err != nil {
		return fmt.Errorf("--timezone is a name as Europe/Berlin, not %q", o.zoneName)
	}
	priced := o.own > 0 || o.size != "" && o.location != "" && !o.off
	switch {
	case o.budget < 0 || o.disk < 0 || o.inDuration < 0:
		return errors.New("--budget, --disk-price and --wait-in-duration are not below 0")
	case o.budget > 0 && !priced:
		return errors.New("--budget needs --price, or --size and --location, to know what an instance costs")
	case o.budget > 0 && o.target != "":
		return errors.New("--budget and --target are two goals; give one")
	case (o.size == "") != (o.location == ""):
		return errors.New("--size and --location belong together")
	case o.workers < 0:
		return errors.New("--workers is not below 0")
	}
	o.filter = jobs.Filter{Tags: o.tags}
	for _, one := range []struct {
		flag, text string
		at         *time.Time
	}{{"since", o.since, &o.filter.Since}, {"until", o.until, &o.filter.Until}, {"start", o.start, &o.filter.Start}} {
		if *one.at, err = parseTime(one.text, o.zone); err != nil {
			return fmt.Errorf("--%s is a date as 2026-01-31 or a time as 2026-01-31T12:00:00Z, not %q", one.flag, one.text)
		}
	}
	return nil
}

// oneError is the first of joined errors: one line is enough.
func oneError(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}

func parseTarget(text string) (t advise.Target, err error) {
	if text == "" {
		return t, nil
	}
	metric, limit, _ := strings.Cut(text, "=")
	t.Metric = metric
	t.Limit, err = time.ParseDuration(limit)
	if err != nil || t.Limit <= 0 || !slices.Contains([]string{"mean", "p50", "p95", "p99"}, metric) {
		return t, fmt.Errorf("--target is as p95=60s (mean, p50, p95 or p99), not %q", text)
	}
	return t, nil
}

func parseTime(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return at, nil
	}
	return time.Parse(time.RFC3339, text)
}

func (o *adviseOptions) run(c *cobra.Command) error {
	if err := o.check(); err != nil {
		return err
	}
	t := terminalOf(c)
	in, notes, err := o.input(c, t)
	if err != nil {
		return interrupted(c.Context(), err, "")
	}
	advice, err := search(c.Context(), t, in)
	if err != nil {
		return interrupted(c.Context(), err, "no policy had been simulated yet")
	}
	advice.Notes = append(notes, advice.Notes...)
	if o.json() {
		err = writeJSON(c, advice)
	} else {
		printAdvice(t, advice)
	}
	if o.report != "" && err == nil {
		err = o.writeReport(advice)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// input reads all that an advice is made of, and notes what is to be known about it.
func (o *adviseOptions) input(c *cobra.Command, t terminal.Terminal) (in *advise.Input, notes []string, err error) {
	in = &advise.Input{Target: o.targetOf, Budget: o.budget, Disk: o.disk, Workers: cmp.Or(o.workers, runtime.NumCPU()), Zone: o.zone, ZoneName: o.zoneName}
	if in.Fleet, in.Current, err = o.fleet(); err != nil {
		return nil, nil, err
	}
	if notes, err = o.starts(c.Context(), &in.Fleet); err != nil {
		return nil, nil, err
	}
	if in.Fleet.Resume.Median > 0 {
		in.Pools = []int{2, 5, 10}
		if now := in.Fleet.WarmPool; now > 0 && !slices.Contains(in.Pools, now) {
			in.Pools = append(in.Pools, now)
		}
	}
	load, err := o.load(c.Context(), c.InOrStdin(), t, o.filter)
	if err != nil {
		return nil, nil, err
	}
	in.Jobs, in.Relative = o.trim(load.Jobs), load.Relative
	return in, append(notes, o.loadNotes(load)...), o.prices(c.Context(), in)
}

// history is how much is read unless --since asks for more: what is older says little of
// next month, and takes its time.
const history = 8 * 7 * 24 * time.Hour

// trim leaves out what is too old, and takes waits off the durations.
func (o *adviseOptions) trim(all []jobs.Job) []jobs.Job {
	if o.since == "" {
		first := all[len(all)-1].Arrives.Add(-history)
		n, _ := slices.BinarySearchFunc(all, first, func(j jobs.Job, at time.Time) int { return j.Arrives.Compare(at) })
		all = all[n:]
	}
	for n := range all {
		all[n].Lasts = max(0, all[n].Lasts-o.inDuration)
	}
	return all
}

// search plays in child processes, with a bar.
func search(ctx context.Context, t terminal.Terminal, in *advise.Input) (*advise.Advice, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	pool, err := sim.NewPool(ctx, in.Workers, in.Jobs)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	show, end := t.Progress("simulating")
	defer end()
	in.Progress = show
	return advise.Search(ctx, in, pool)
}

// loadNotes are what was left out of the jobs.
func (o *adviseOptions) loadNotes(l *jobs.Load) (notes []string) {
	for _, one := range []struct {
		count int
		text  string
	}{
		{l.NeverRan - l.Stuck, "jobs never ran or have not ended, and are left out"},
		{l.Stuck, "jobs waited in vain until GitLab gave up, and are left out: the load was more than what is simulated"},
		{l.Backwards, "jobs are left out as their times run backwards"},
		{l.NoQueue, "jobs have no queued_duration: their start stands for their arrival, so that what they waited then is not in the load"},
	} {
		if one.count > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", one.count, one.text))
		}
	}
	if l.Format == "JSON" && o.inDuration == 0 {
		notes = append(notes, "GitLab counts a wait for an instance that a runner without preemptive mode had as part of the duration; fix: --wait-in-duration takes it off")
	}
	return notes
}

// load reads the jobs.
func (s *adviseSource) load(ctx context.Context, stdin io.Reader, t terminal.Terminal, f jobs.Filter) (*jobs.Load, error) {
	f.Runners, f.Projects = s.filters()
	r, name, end, err := s.open(ctx, stdin, t, f)
	if err != nil {
		return nil, err
	}
	defer end()
	load, err := jobs.Read(r, f)
	if err != nil {
		return nil, fmt.Errorf("read jobs from %s: %w", name, err)
	}
	return load, nil
}

// writeReport writes the page.
func (o *adviseOptions) writeReport(a *advise.Advice) error {
	var page bytes.Buffer
	if strings.HasSuffix(o.report, ".svg") {
		page.WriteString(report.Picture(a))
	} else if err := report.Write(&page, a, time.Now()); err != nil {
		return err
	}
	return writeFile(o.report, page.Bytes(), 0o644)
}
