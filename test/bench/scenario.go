package bench

import "time"

// Scenario is a row of the report.
type Scenario struct {
	Name     string // to select it by
	Title    string
	Text     string // what is played
	Detailed bool   // the report has its requests by class
	Minimum  int    // requests that it takes at least; 0: not defined
	Wait     string // for an instance, of a job, at least; empty: not defined
	Play     func(mode, plugin string) (Figures, error)
}

const (
	latency     = 200 * time.Millisecond
	slowLatency = 2 * time.Second
	pageSize    = 50
	largePages  = 1000
	manyJobs    = 100 // a minute
)

// Scenarios are all that are played.
func Scenarios() []Scenario {
	return []Scenario{
		{
			Name: "fleet", Title: "0 → 1,000 → 0", Detailed: true, Minimum: minimum(1000, pageSize),
			Text: "1,000 instances are wanted at once; when all of them are ready, none.",
			Play: fleet(Setting{PageSize: pageSize, Latency: latency, Sets: 1}, 1000),
		},
		{
			Name: "fleet-pages", Title: "0 → 1,000 → 0, pages of 1,000", Minimum: minimum(1000, largePages),
			Text: "The same, where Azure's pages hold 1,000 instances instead of 50.",
			Play: fleet(Setting{PageSize: largePages, Latency: latency, Sets: 1}, 1000),
		},
		{
			Name: "fleet-slow", Title: "0 → 1,000 → 0, a slow Azure", Minimum: minimum(1000, pageSize),
			Text: "The same, where each request takes 2 s.",
			Play: fleet(Setting{PageSize: pageSize, Latency: slowLatency, Sets: 1}, 1000),
		},
		{
			Name: "ten", Title: "Ten runners at once", Minimum: 10 * minimum(100, pageSize),
			Text: "Ten runners with a scale set each in one subscription, with one identity, each 0 → 100 → 0.",
			Play: fleet(Setting{PageSize: pageSize, Latency: latency, Sets: 10}, 100),
		},
		{
			Name: "hour", Title: "An hour of 100 single-use jobs a minute", Detailed: true, Wait: "boot + a poll",
			Text: "`max_use_count = 1`, `idle_count = 0`.",
			Play: jobs(Jobs{Setting: Setting{PageSize: pageSize, Latency: latency, Sets: 1}, PerMinute: manyJobs, Length: time.Hour, MaxUse: 1}),
		},
		{
			Name: "reuse", Title: "An hour of 100 jobs a minute, ten on an instance",
			Text: "`max_use_count = 10`, `idle_count = 0`, `idle_time = \"5m0s\"`.",
			Play: jobs(Jobs{Setting: Setting{PageSize: pageSize, Latency: latency, Sets: 1}, PerMinute: manyJobs, Length: time.Hour, MaxUse: 10}),
		},
		{
			Name: "neighbour", Title: "Half an hour of 100 single-use jobs a minute beside a busy neighbour", Wait: "boot + a poll",
			Text: "`max_use_count = 1`; another client of the subscription uses nine tenths of the subscription's limits up.",
			Play: jobs(Jobs{Setting: Setting{PageSize: pageSize, Latency: latency, Sets: 1, Busy: true}, PerMinute: manyJobs, Length: 30 * time.Minute, MaxUse: 1}),
		},
	}
}

func fleet(s Setting, size int) func(mode, plugin string) (Figures, error) {
	return func(mode, plugin string) (Figures, error) {
		s := s // plays run in parallel
		s.Mode = mode
		return Fleet{s, size}.Play(plugin)
	}
}

func jobs(j Jobs) func(mode, plugin string) (Figures, error) {
	return func(mode, plugin string) (Figures, error) {
		j := j // plays run in parallel
		j.Mode = mode
		return j.Play(plugin)
	}
}

// minimum is what 0 → n → 0 takes at least: a read of the scale set, a list that finds
// it empty, one capacity write, one list of the instances when they run and one of
// their interfaces, one deletion, and one list that finds the scale set empty again.
func minimum(n, page int) int { return 5 + 2*((n+page-1)/page) }
