package bench

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report is what a run of the benchmarks found.
type Report struct {
	Date   string
	Commit string
	Costs  []Cost // of the process

	mu      sync.Mutex
	figures map[place]Figures
}

// place is where figures stand in the report.
type place struct{ scenario, mode, plugin string }

// Cost is a row about the process, for no scenario.
type Cost struct{ What, Naive, Ours, Ratio string }

func (r *Report) put(p place, f Figures) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.figures == nil {
		r.figures = map[place]Figures{}
	}
	r.figures[p] = f
}

// metric is a row of a scenario's table.
type metric struct {
	name    string
	value   func(Figures) float64
	format  func(float64) string
	minimum func(Scenario) string
}

// meanBoot is the mean of the simulated boots: log-normal, median 85 s, spread 0.18.
const meanBoot = 86400 * time.Millisecond

func fleetMetrics() []metric {
	return []metric{
		{"total time", func(f Figures) float64 { return float64(f.Total) }, asTime, unknown},
	}
}

func jobMetrics() []metric {
	return []metric{
		{"job wait, mean", func(f Figures) float64 { return float64(mean(f.Waits)) }, asTime, waitOf},
		{"job wait, p50", func(f Figures) float64 { return float64(percentile(f.Waits, 50)) }, asTime, unknown},
		{"job wait, p95", func(f Figures) float64 { return float64(percentile(f.Waits, 95)) }, asTime, unknown},
		{"job wait less boot, mean", func(f Figures) float64 { return float64(mean(f.Waits) - meanBoot) }, asTime, unknown},
		{"jobs that arrived", func(f Figures) float64 { return float64(f.Jobs) }, asCount, unknown},
		{"jobs served in that time", func(f Figures) float64 { return float64(f.Served) }, asCount, unknown},
		{"jobs whose instance vanished", func(f Figures) float64 { return float64(f.Lost) }, asCount, always("0")},
		{"goroutines more at the end", func(f Figures) float64 { return float64(f.Goroutines[1] - f.Goroutines[0]) }, asCount, always("0")},
	}
}

func commonMetrics() []metric {
	return []metric{
		{"requests", func(f Figures) float64 { return float64(f.Requests) }, asCount, requestsOf},
		{"of them throttled", func(f Figures) float64 { return float64(f.Throttled) }, asCount, always("0")},
		{"throttled after the first minute", func(f Figures) float64 { return float64(f.Late) }, asCount, always("0")},
		{"running → told, mean", func(f Figures) float64 { return float64(mean(f.Delays)) }, asTime, always("a poll")},
		{"running → told, p95", func(f Figures) float64 { return float64(percentile(f.Delays, 95)) }, asTime, always("a poll")},
		{"`ConnectInfo`, mean", func(f Figures) float64 { return float64(mean(f.Connects)) }, asTime, always("0s")},
		{"`ConnectInfo`, longest", func(f Figures) float64 { return float64(percentile(f.Connects, 100)) }, asTime, always("0s")},
		{"instances failed", func(f Figures) float64 { return float64(f.Failures) }, asCount, always("0")},
		{"instances created", func(f Figures) float64 { return float64(f.Created) }, asCount, unknown},
		{"of them too many", func(f Figures) float64 { return float64(f.Unneeded) }, asCount, always("0")},
		{"connections left open", func(f Figures) float64 { return float64(f.Open) }, asCount, always("0")},
	}
}

func unknown(Scenario) string                  { return "–" }
func always(text string) func(Scenario) string { return func(Scenario) string { return text } }
func asCount(v float64) string                 { return thousands(int(v)) }
func asTime(v float64) string                  { return duration(time.Duration(v)) }

func waitOf(s Scenario) string { return cmp.Or(s.Wait, "–") }

func requestsOf(s Scenario) string {
	if s.Minimum == 0 {
		return "–"
	}
	return thousands(s.Minimum)
}

// table is a scenario's, empty if it was not played.
func (r *Report) table(s Scenario) string {
	var b strings.Builder
	for _, mode := range []string{modeUniform, modeFlexible} {
		naive, haveNaive := r.figures[place{s.Name, mode, pluginNaive}]
		ours, haveOurs := r.figures[place{s.Name, mode, pluginOurs}]
		if !haveNaive && !haveOurs {
			continue
		}
		fmt.Fprintf(&b, "\n| %s | minimum | naive | ours | ours / naive |\n|---|---|---|---|---|\n", mode)
		for _, m := range metricsOf(ours) {
			a, o := m.value(naive), m.value(ours)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", m.name, m.minimum(s), m.format(a), m.format(o), ratio(o, a))
		}
		b.WriteString(incomplete(pluginNaive, naive) + incomplete(pluginOurs, ours))
		if s.Detailed {
			b.WriteString(classes(naive, ours))
		}
	}
	return b.String()
}

func metricsOf(f Figures) []metric {
	if f.Jobs > 0 {
		return slices.Concat(commonMetrics(), jobMetrics())
	}
	return slices.Concat(commonMetrics(), fleetMetrics())
}

func incomplete(plugin string, f Figures) string {
	if f.Done {
		return ""
	}
	return fmt.Sprintf("\nThe %s plugin did not get to the end within the limit.\n", plugin)
}

// classes is the table of requests by class.
func classes(naive, ours Figures) string {
	all := map[string]bool{}
	for class := range naive.Classes {
		all[class] = true
	}
	for class := range ours.Classes {
		all[class] = true
	}
	var b strings.Builder
	b.WriteString("\n| requests (throttled) | naive | ours |\n|---|---|---|\n")
	for _, class := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", class, naive.Classes[class], ours.Classes[class])
	}
	return b.String()
}

// String is the class's count as the table has it.
func (c Class) String() string {
	if c.Throttled == 0 {
		return thousands(c.Requests)
	}
	return fmt.Sprintf("%s (%s)", thousands(c.Requests), thousands(c.Throttled))
}
