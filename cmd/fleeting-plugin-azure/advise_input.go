package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/gitlab"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/prices"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

// adviseSource says where jobs come from.
type adviseSource struct {
	jobs, gitlab, runner, tokenFile string
	projects, tags                  []string
}

func (s *adviseSource) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.jobs, "jobs", "", "file with jobs, or - for standard input")
	f.StringVar(&s.gitlab, "gitlab", "", "address of GitLab to read jobs from, instead of --jobs")
	f.StringArrayVar(&s.projects, "project", nil, "ID or path of a project whose jobs count")
	f.StringVar(&s.runner, "runner", "", "ID of the runner whose jobs count")
	f.StringVar(&s.tokenFile, "token-file", "", "file with a token for GitLab, with the scope read_api; default: GITLAB_TOKEN of the environment")
	f.StringArrayVar(&s.tags, "tag", nil, "a tag that jobs must have")
}

func (s *adviseSource) check() error {
	switch {
	case s.jobs == "" && s.gitlab == "":
		return errors.New("--jobs names a file with jobs, or --gitlab where to read them from")
	case s.jobs != "" && s.gitlab != "":
		return errors.New("--jobs and --gitlab are two sources; give one")
	case s.gitlab != "" && len(s.projects) == 0 && s.runner == "":
		return errors.New("--gitlab needs --project or --runner")
	case s.gitlab != "" && len(s.projects) > 0 && s.runner != "":
		return errors.New("--gitlab reads the jobs of --project or of --runner; give one")
	}
	return nil
}

// filters are for the records of a file, which may be of anything.
func (s *adviseSource) filters() (runners, projects []string) {
	if s.gitlab != "" {
		return nil, nil
	}
	if s.runner != "" {
		runners = []string{s.runner}
	}
	return runners, s.projects
}

// open returns the records, and what they are called in an error.
func (s *adviseSource) open(ctx context.Context, stdin io.Reader, t terminal.Terminal, f jobs.Filter) (io.Reader, string, func(), error) {
	if s.gitlab != "" {
		return s.openGitLab(ctx, t, f.Since)
	}
	if s.jobs == "-" {
		return stdin, "standard input", func() {}, nil
	}
	file, err := os.Open(s.jobs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, "", nil, fmt.Errorf("read jobs from %s: there is no such file", s.jobs)
	case errors.Is(err, os.ErrPermission):
		return nil, "", nil, fmt.Errorf("read jobs from %s: permission denied", s.jobs)
	case err != nil:
		return nil, "", nil, fmt.Errorf("read jobs: %w", err)
	}
	return file, s.jobs, func() { _ = file.Close() }, nil
}

func (s *adviseSource) openGitLab(ctx context.Context, t terminal.Terminal, since time.Time) (io.Reader, string, func(), error) {
	token := os.Getenv("GITLAB_TOKEN")
	if s.tokenFile != "" {
		text, err := readInput(s.tokenFile)
		if err != nil {
			return nil, "", nil, fmt.Errorf("read the token: %w", err)
		}
		token = string(text)
	}
	if since.IsZero() {
		since = time.Now().Add(-history).Truncate(24 * time.Hour)
	}
	show, end := t.Count("reading jobs")
	r, err := gitlab.Open(ctx, gitlab.Options{
		URL: s.gitlab, Token: strings.TrimSpace(token), Projects: s.projects, Runner: s.runner, Since: since,
		Progress: func(n int, oldest time.Time) { show(fmt.Sprintf("%d, back to %s", n, oldest.Format(time.DateOnly))) },
	})
	if err != nil {
		return nil, "", nil, err
	}
	return r, "GitLab", end, nil
}

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
	f.StringVar(&a.bootFrom, "boot-from", "", "file or address of the plugin's metrics, to take the boot time from instead of --boot")
	f.Float64Var(&a.Boot.Spread, "boot-spread", 0.3, "spread of --boot: standard deviation of its logarithm")
	f.DurationVar(&a.Resume.Median, "resume", 0, "median time until a suspended instance takes jobs; tries warm pools")
	f.DurationVar(&a.Deletion.Median, "deletion", 30*time.Second, "time that a deletion takes, which is paid for")
	f.Float64Var(&a.FailedStarts, "failed-starts", 0, "share of the starts that fail, from 0 to 1")
	f.Float64Var(&a.Evictions, "evictions", 0, "how often Spot evicts an instance in an hour")
	f.IntVar(&a.WarmPool, "warm-pool", 0, "suspended instances that the plugin keeps now")
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

// measuredBoot takes the boot time from what the plugin has measured.
func (a *adviseFleet) measuredBoot(ctx context.Context, fleet *sim.Fleet) (note string, err error) {
	text, err := a.metrics(ctx)
	if err != nil {
		return "", fmt.Errorf("read metrics from %s: %w", a.bootFrom, err)
	}
	boot, count, err := advise.MeasuredBoot(text)
	if err != nil {
		return "", fmt.Errorf("read metrics from %s: %w", a.bootFrom, err)
	}
	fleet.Boot = boot
	return fmt.Sprintf("boot times are those that the plugin has measured of %d instances", count), nil
}

// metricsLimit is far more than the plugin's metrics have.
const metricsLimit = 8 << 20

func (a *adviseFleet) metrics(ctx context.Context) ([]byte, error) {
	if !strings.HasPrefix(a.bootFrom, "http://") && !strings.HasPrefix(a.bootFrom, "https://") {
		return readInput(a.bootFrom)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.bootFrom, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, metricsLimit))
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

// prices puts into an input what an instance costs.
func (o *adviseOptions) prices(ctx context.Context, in *advise.Input) error {
	in.Price, in.Currency = o.own, o.currency
	if o.own > 0 || o.off || o.size == "" {
		return nil
	}
	if o.estimator == nil {
		o.estimator = prices.New(prices.Options{})
	}
	q := prices.Query{Size: o.size, Location: o.location, Spot: o.spot, Currency: o.currency}
	if o.windows {
		q.OS = prices.Windows
	}
	p, err := o.estimator.Hourly(ctx, q)
	if err != nil {
		return fmt.Errorf("%w; fix: --price says what an instance costs an hour, --no-price leaves costs out", err)
	}
	in.Price, in.Currency = p.Amount, p.Currency
	return nil
}
