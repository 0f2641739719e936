package bench

import (
	"fmt"
	"strings"
	"time"

	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Start is a row of the guide on fast starts: bursts under one setting.
type Start struct {
	Name string // as the guide has it
	Bursts
}

// startBursts are those of a row: about 500 jobs in 40 hours.
const startBursts = 200

// Starts are the tables of the guide by heading, in its order.
func Starts() []StartTable {
	return []StartTable{
		{"start", []Start{
			{Name: "4 minutes", Bursts: bursts(taskscaler.Schedule{}, boot(240*time.Second))},
			{Name: "2 minutes", Bursts: bursts(taskscaler.Schedule{}, boot(120*time.Second))},
			{Name: "90 s", Bursts: bursts(taskscaler.Schedule{}, realistic)},
			{Name: "60 s", Bursts: bursts(taskscaler.Schedule{}, boot(60*time.Second))},
			{Name: "30 s", Bursts: bursts(taskscaler.Schedule{}, boot(30*time.Second))},
		}},
		{"kept", []Start{
			{Name: "nothing: `idle_count = 0`", Bursts: bursts(taskscaler.Schedule{}, realistic)},
			{Name: "`idle_count = 2`, the runner's default `preemptive_mode`", Bursts: bursts(taskscaler.Schedule{IdleCount: 2, PreemptiveMode: true}, realistic)},
			{Name: "`idle_count = 2`, `preemptive_mode = false`", Bursts: bursts(taskscaler.Schedule{IdleCount: 2}, realistic)},
			{Name: "`idle_count = 4`, `preemptive_mode = false`", Bursts: bursts(taskscaler.Schedule{IdleCount: 4}, realistic)},
			{Name: "`warm_pool_size = 2`", Bursts: warm(2)},
			{Name: "`warm_pool_size = 4`", Bursts: warm(4)},
			{Name: "`warm_pool_size = 8`", Bursts: warm(8)},
			{Name: "a standby pool of Azure's with 4, deallocated (Flexible)", Bursts: standby(4)},
		}},
		{"kept, in large bursts", []Start{
			{Name: "nothing: `idle_count = 0`", Bursts: large(taskscaler.Schedule{}, 0)},
			{Name: "`idle_count = 2`, the runner's default `preemptive_mode`", Bursts: large(taskscaler.Schedule{IdleCount: 2, PreemptiveMode: true}, 0)},
			{Name: "`idle_count = 2`, `preemptive_mode = false`", Bursts: large(taskscaler.Schedule{IdleCount: 2}, 0)},
			{Name: "`warm_pool_size = 4`", Bursts: large(taskscaler.Schedule{}, 4)},
		}},
	}
}

// StartTable is one table of the guide.
type StartTable struct {
	What string // of the first column
	Rows []Start
}

func realistic(c *armsim.Config) { c.UseRealisticTimes() }

// boot has creations take so long, and all else what is realistic.
func boot(median time.Duration) func(*armsim.Config) {
	return func(c *armsim.Config) {
		c.UseRealisticTimes()
		c.Boot.Median = median
	}
}

func bursts(policy taskscaler.Schedule, times func(*armsim.Config)) Bursts {
	policy.IdleTime = 5 * time.Minute
	return Bursts{
		Setting: Setting{Mode: modeUniform, PageSize: pageSize, Latency: latency, Sets: 1, Seed: seed, Times: times},
		Policy:  policy, Count: startBursts, Size: burstSize,
	}
}

func warm(size int) Bursts {
	b := bursts(taskscaler.Schedule{}, realistic)
	b.WarmPool = size
	return b
}

func standby(size int) Bursts {
	b := bursts(taskscaler.Schedule{}, realistic)
	b.Mode, b.Standby = modeFlexible, size
	return b
}

// largeBursts are of so many jobs at most: several times what is kept ready.
const largeBursts = 12

func large(policy taskscaler.Schedule, pool int) Bursts {
	b := bursts(policy, realistic)
	b.Size, b.Count, b.WarmPool = largeBursts, startBursts/2, pool
	return b
}

// markdown is the table, with the figures of its rows; nil: the row was not measured.
func (t StartTable) markdown(figures []*Figures) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | wait, median | p95 | mean | VMs that run | disks |\n|---|---|---|---|---|---|\n", t.What)
	for n, row := range t.Rows {
		f := figures[n]
		if f == nil {
			fmt.Fprintf(&b, "| %s | not measured yet | | | | |\n", row.Name)
			continue
		}
		_, length := row.plan()
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f | %.1f |\n", row.Name, wait(percentile(f.Waits, 50)), wait(percentile(f.Waits, 95)), wait(mean(f.Waits)),
			f.Running.Seconds()/length.Seconds(), f.Disks.Seconds()/length.Seconds())
	}
	return b.String()
}

// wait is in whole seconds, as waits vary from run to run.
func wait(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

// The tables stand between these lines of the guide.
const (
	startsBegin = "<!-- written by make starts: %s -->\n"
	startsEnd   = "<!-- end of what make starts writes -->\n"
)

// replaceTable puts a table in the place of the one that a page has under its heading.
func replaceTable(page, what, table string) (string, error) {
	begin := fmt.Sprintf(startsBegin, what)
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, startsEnd)
	if !found || !ended {
		return "", fmt.Errorf("the page has no part between %q and %q", begin, startsEnd)
	}
	return before + begin + table + startsEnd + after, nil
}
