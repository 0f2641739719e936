package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// adviseFleet is the runner and its instances.
type adviseFleet struct {
	sim.Fleet
	config, configRunner string
	bootFrom             string
	changed              func(flag string) bool
}

func (a *adviseFleet) add(c *cobra.Command) {
	a.changed = c.Flags().Changed
	f := c.Flags()
	f.StringVar(&a.config, "config", "", "configuration of GitLab Runner with the policy in use; what a flag does not say comes from it, too")
	f.StringVar(&a.configRunner, "config-runner", "", "name of the runner in --config, where it has several")
	f.IntVar(&a.MaxInstances, "max-instances", 60, "as max_instances")
	f.IntVar(&a.MaxUseCount, "max-use-count", 1, "as max_use_count; 0: no limit")
	f.IntVar(&a.CapacityPerInstance, "capacity-per-instance", 1, "as capacity_per_instance")
	f.IntVar(&a.Concurrent, "concurrent", 0, "as concurrent; 0: no limit")
	f.IntVar(&a.RequestConcurrency, "request-concurrency", 1, "as request_concurrency")
	f.DurationVar(&a.RequestTime, "request-time", 0, "how long GitLab takes to hand out a job")
	f.DurationVar(&a.CheckInterval, "check-interval", 3*time.Second, "as check_interval")
	f.DurationVar(&a.Boot.Median, "boot", time.Minute, "median time from the request of an instance until it takes jobs")
	f.StringVar(&a.bootFrom, "boot-from", "", "file or address of the plugin's metrics, to take the times of starts from instead of --boot and --resume")
	f.Float64Var(&a.Boot.Spread, "boot-spread", 0.3, "spread of --boot: standard deviation of its logarithm")
	f.DurationVar(&a.Resume.Median, "resume", 0, "median time until an instance of the warm pool takes jobs; tries pools (warm_pool_size)")
	f.DurationVar(&a.Deletion.Median, "deletion", 30*time.Second, "time that a deletion takes, which is paid for")
	f.Float64Var(&a.FailedStarts, "failed-starts", 0, "share of the starts that fail, from 0 to 1")
	f.Float64Var(&a.Evictions, "evictions", 0, "how often Spot evicts an instance in an hour")
	f.IntVar(&a.WarmPool, "warm-pool", 0, "as warm_pool_size")
}

func (a *adviseFleet) check() error {
	switch {
	case a.MaxInstances < 1 || a.CapacityPerInstance < 1:
		return errors.New("--max-instances and --capacity-per-instance are 1 or more")
	case a.MaxUseCount < 0 || a.Concurrent < 0 || a.WarmPool < 0 || a.RequestConcurrency < 0:
		return errors.New("--max-use-count, --concurrent, --request-concurrency and --warm-pool are not below 0")
	case a.Boot.Median < 0 || a.Boot.Spread < 0 || a.Boot.Spread > 3 || a.Resume.Median < 0 || a.Deletion.Median < 0 || a.RequestTime < 0 || a.CheckInterval <= 0:
		return errors.New("--boot, --resume, --deletion and --request-time are not below 0, --boot-spread is from 0 to 3, --check-interval above 0")
	case a.FailedStarts < 0 || a.FailedStarts > 0.95:
		return fmt.Errorf("--failed-starts is from 0 to 0.95, not %v", a.FailedStarts)
	case a.Evictions < 0 || a.Evictions > 60:
		return fmt.Errorf("--evictions is from 0 to 60 an hour, not %v", a.Evictions)
	case a.configRunner != "" && a.config == "":
		return errors.New("--config-runner needs --config")
	}
	return nil
}

// fleet takes from --config what no flag says, and the policies in use; nil: there is
// none.
func (a *adviseFleet) fleet() (sim.Fleet, []sim.Policy, error) {
	fleet := a.Fleet
	fleet.Resume.Spread = fleet.Boot.Spread
	if a.config == "" {
		return fleet, nil, nil
	}
	file, err := runnerconfig.Read(a.config)
	if err != nil {
		return fleet, nil, err
	}
	r, err := a.choose(file)
	if err != nil {
		return fleet, nil, err
	}
	concurrent := max(1, file.Concurrent)
	if r.Limit > 0 {
		concurrent = min(concurrent, r.Limit)
	}
	s := r.Autoscaler
	for flag, one := range map[string]struct {
		to    *int
		value int
	}{
		"max-instances": {&fleet.MaxInstances, s.MaxInstances}, "max-use-count": {&fleet.MaxUseCount, s.MaxUseCount},
		"capacity-per-instance": {&fleet.CapacityPerInstance, s.CapacityPerInstance}, "concurrent": {&fleet.Concurrent, concurrent},
		"request-concurrency": {&fleet.RequestConcurrency, r.RequestConcurrency},
		"warm-pool":           {&fleet.WarmPool, config.Number(fmt.Sprint(s.PluginConfig["warm_pool_size"])).Int()},
	} {
		if !a.changed(flag) && (one.value > 0 || flag == "max-use-count") {
			*one.to = one.value
		}
	}
	if file.Interval > 0 && !a.changed("check-interval") {
		fleet.CheckInterval = time.Duration(file.Interval) * time.Second
	}
	fleet.AcquireTimeout, fleet.ThrottleLimit, fleet.ThrottleBurst = s.AcquireTimeout, s.ScaleThrottle.Limit, s.ScaleThrottle.Burst
	return fleet, policiesOf(s), nil
}

func policiesOf(s *runnerconfig.Autoscaler) []sim.Policy {
	all := []sim.Policy{}
	for _, p := range s.Policies {
		one := sim.Policy{
			Periods: p.Periods, Timezone: p.Timezone, IdleCount: p.IdleCount, Preemptive: p.Preemptive(),
			ScaleFactor: p.ScaleFactor, ScaleFactorLimit: p.ScaleFactorLimit,
		}
		if p.IdleTime != nil {
			one.IdleTime = *p.IdleTime
		}
		all = append(all, one)
	}
	return all
}

// guessedResume is what armsim has for starts of deallocated instances.
const guessedResume = 35 * time.Second

// starts are how long instances take to start: measured, said, or guessed. The notes say
// which.
func (a *adviseFleet) starts(ctx context.Context, fleet *sim.Fleet) (notes []string, err error) {
	switch {
	case a.bootFrom != "":
		if notes, err = a.measured(ctx, fleet); err != nil {
			return nil, fmt.Errorf("read metrics from %s: %w", a.bootFrom, err)
		}
	case !a.changed("boot"):
		notes = append(notes, "the boot time is a guess (median 1m, spread 0.3); fix: --boot, or --boot-from with the plugin's metrics")
	}
	switch {
	case fleet.Resume.Median > 0:
	case fleet.WarmPool > 0:
		fleet.Resume = sim.Duration{Median: guessedResume, Spread: fleet.Boot.Spread}
		notes = append(notes, fmt.Sprintf("the time that instances of the warm pool take to start is a guess (median %s); fix: --resume, or --boot-from with the plugin's metrics", guessedResume))
	default:
		notes = append(notes, "no warm pool was tried; fix: --resume says how long its instances take to start, as 35s")
	}
	return notes, nil
}

// measured takes the times from the plugin's metrics.
func (a *adviseFleet) measured(ctx context.Context, fleet *sim.Fleet) (notes []string, err error) {
	text, err := a.metrics(ctx)
	if err != nil {
		return nil, err
	}
	boot, count, err := advise.Measured(advise.BootMetric, text)
	if err != nil {
		return nil, fmt.Errorf("%w; fix: --boot", err)
	}
	fleet.Boot = boot
	notes = []string{fmt.Sprintf("boot times are those that the plugin has measured of %d instances", count)}
	resume, count, err := advise.Measured(advise.ResumeMetric, text)
	if err == nil && !a.changed("resume") {
		fleet.Resume = resume
		notes = append(notes, fmt.Sprintf("starts from the warm pool take what the plugin has measured of %d instances", count))
	}
	if errors.Is(err, advise.ErrFewStarts) {
		err = nil // most have no pool
	}
	return notes, err
}

func (a *adviseFleet) metrics(ctx context.Context) ([]byte, error) {
	if !strings.HasPrefix(a.bootFrom, "http://") && !strings.HasPrefix(a.bootFrom, "https://") {
		return readInput(a.bootFrom)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return metrics.Fetch(ctx, a.bootFrom)
}

// choose finds the runner in a configuration.
func (a *adviseFleet) choose(file *runnerconfig.File) (*runnerconfig.Runner, error) {
	var found []*runnerconfig.Runner
	for n := range file.Runners {
		r := &file.Runners[n]
		if r.Autoscaler != nil && (a.configRunner == "" || r.Name == a.configRunner) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s has several runners with an autoscaler; fix: --config-runner names one", a.config)
	case a.configRunner != "":
		return nil, fmt.Errorf("%s has no runner %q with an autoscaler", a.config, a.configRunner)
	}
	return nil, fmt.Errorf("%s has no runner with an autoscaler", a.config)
}
