package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

func printAdvice(t terminal.Terminal, a *advise.Advice) {
	fleet := a.Input.Fleet
	fmt.Fprintf(t.Out, "%d jobs in %.1f days, up to %d of them at a time\n", len(a.Input.Jobs), a.End.Sub(a.Start).Hours()/24, a.Peak)
	fmt.Fprintf(t.Out, "boot: median %s, spread %v; deletion: %s; at most %d instances with %d jobs each\n", fleet.Boot.Median, fleet.Boot.Spread,
		fleet.Deletion.Median, fleet.MaxInstances, max(1, fleet.CapacityPerInstance))
	fmt.Fprintln(t.Out, a.Chosen())
	printRows(t, a)
	printWhole(t, a)
	if a.Pick != nil {
		printPick(t, a)
	}
	printList(t, "To know:", a.Notes)
	printList(t, "Not modelled:", a.NotModelled)
	fmt.Fprintln(t.Out, t.Paint(terminal.Faint, "Simulated with the runner's own scaler, "+a.Scaler+"."))
}

func printRows(t terminal.Terminal, a *advise.Advice) {
	_, unit := a.Month(a.Baseline)
	w := table.NewWriter()
	w.SetOutputMirror(t.Out)
	w.SetStyle(table.StyleLight)
	w.AppendHeader(table.Row{"", "policy", "mean wait", "p50", "p95", "p99", "VM-hours per job-hour", "idle", unit + " a month"})
	for _, c := range a.Rows {
		mark := ""
		switch {
		case c == a.Pick:
			mark = t.Paint(terminal.Good, "take")
		case c.Current:
			mark = t.Paint(terminal.Doubtful, "now")
		}
		f := c.Test
		amount, _ := a.Month(c)
		w.AppendRow(table.Row{
			mark, c.Name(), advise.Seconds(f.Mean), advise.Seconds(f.P50), advise.Seconds(f.P95), advise.Seconds(f.P99),
			fmt.Sprintf("%.2f", f.PerJobHour), fmt.Sprintf("%.0f %%", 100*f.Idle), fmt.Sprintf("%.0f", amount),
		})
	}
	w.Render()
}

// printWhole shows what is not chosen by these jobs, and the pick, over all of them.
func printWhole(t terminal.Terminal, a *advise.Advice) {
	fmt.Fprintf(t.Out, "Over all %.1f days:\n", a.End.Sub(a.Start).Hours()/24)
	for _, c := range a.Rows {
		if c.Label != "" || c.Current || c == a.Pick {
			fmt.Fprintf(t.Out, "  %s: mean wait %s, p95 %s, %.2f VM-hours per job-hour\n", c.Name(), advise.Seconds(c.Whole.Mean), advise.Seconds(c.Whole.P95), c.Whole.PerJobHour)
		}
	}
}

func printPick(t terminal.Terminal, a *advise.Advice) {
	p, b := a.Pick, a.Baseline
	fmt.Fprintf(t.Out, "\nTake %s: p95 %s%s, mean %s, %.2f VM-hours per job-hour%s\n", t.Paint(terminal.Good, p.Name()), advise.Seconds(p.Test.P95),
		seedRange(p, advise.Seconds(p.Low.P95), advise.Seconds(p.High.P95)), advise.Seconds(p.Test.Mean), p.Test.PerJobHour,
		seedRange(p, fmt.Sprintf("%.2f", p.Low.PerJobHour), fmt.Sprintf("%.2f", p.High.PerJobHour)))
	if p != b {
		change := fmt.Sprintf("%.0f %% cheaper than", 100*a.Cheaper())
		if a.Cheaper() < 0 {
			change = fmt.Sprintf("%.0f %% dearer than", -100*a.Cheaper())
		}
		fmt.Fprintf(t.Out, "%s %s, with p95 %s instead of %s\n", change, b.Name(), advise.Seconds(p.Test.P95), advise.Seconds(b.Test.P95))
	}
	fmt.Fprintf(t.Out, "Why: %s.\n\n%s", a.Why, p.TOML())
	fmt.Fprintf(t.Out, "# in [runners.autoscaler], with max_use_count = %d\n", p.MaxUseCount)
	if more := a.PluginConfig(); more != "" {
		fmt.Fprintf(t.Out, "\n%s# in [runners.autoscaler.plugin_config]\n", more)
	}
}

// seedRange is what other chances give.
func seedRange(c *advise.Candidate, low, high string) string {
	if c.Seeds < 2 || low == high {
		return ""
	}
	return fmt.Sprintf(" (%s to %s with %d seeds)", low, high, c.Seeds)
}

func printList(t terminal.Terminal, title string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(t.Out, "\n%s\n- %s\n", title, strings.Join(lines, "\n- "))
	}
}
