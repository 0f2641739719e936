package advise

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// Advice is what came out of a search.
type Advice struct {
	Input              *Input
	Start, Split, End  time.Time // policies are chosen by what is before Split, and judged by what is after it
	Peak               int       // jobs at a time, if none waited
	Burst, CommonBurst int       // jobs that arrive within a boot: at most, and around the median job

	Rows        []*Candidate // the cheapest first
	Pick        *Candidate
	Baseline    *Candidate // what Pick is compared with
	Why         string     // one sentence
	Notes       []string   // what to know about these figures
	NotModelled []string
	Scaler      string // the module that was simulated, with its version
	Interrupted bool
}

// advice sums a search up.
func (s *search) advice(interrupted bool) *Advice {
	boot := max(s.in.Fleet.Boot.Mean(), time.Second)
	a := &Advice{
		Input: s.in, Start: s.spans.start, Split: s.spans.split, End: s.spans.end,
		Peak: peak(s.in.Jobs), Burst: largestBurst(s.in.Jobs, boot), CommonBurst: typicalBurst(s.in.Jobs, boot),
		Baseline: s.baseline(), Interrupted: interrupted, NotModelled: notModelled(), Scaler: scalerVersion(),
	}
	var missed string
	a.Pick, missed = s.pick()
	a.Rows = s.rows(a.Pick)
	a.Why = a.why()
	a.Notes = a.notes(s, missed)
	return a
}

// rows are the front of all that were played with all jobs, and the well-known ones.
func (s *search) rows(pick *Candidate) []*Candidate {
	wait := func(f sim.Figures) time.Duration { return f.Mean }
	keep := append(front(s.whole, wait, s.cost), front(s.whole, s.in.Target.of, s.cost)...)
	var rows []*Candidate
	for _, c := range s.whole {
		if c.Label != "" || c.Current || c == pick || slices.Contains(keep, c) {
			rows = append(rows, c)
		}
	}
	slices.SortStableFunc(rows, func(x, y *Candidate) int {
		return cmp.Or(cmp.Compare(s.in.MonthlyCost(x, x.Test), s.in.MonthlyCost(y, y.Test)), cmp.Compare(x.Test.VMHours, y.Test.VMHours))
	})
	return rows
}

// Cheaper is by how much the pick is cheaper than the baseline, as a share; negative: it
// is dearer.
func (a *Advice) Cheaper() float64 {
	if a.Pick == nil || a.Baseline.Test.VMHours == 0 {
		return 0
	}
	if cost := a.Input.MonthlyCost(a.Baseline, a.Baseline.Test); cost > 0 {
		return 1 - a.Input.MonthlyCost(a.Pick, a.Pick.Test)/cost
	}
	return 1 - a.Pick.Test.VMHours/a.Baseline.Test.VMHours
}

// SameDays reports whether policies were chosen by the days that the figures are of, as
// the search ended early.
func (a *Advice) SameDays() bool { return a.Split.Equal(a.Start) }

// Chosen says which days policies were chosen by, and which the figures are of.
func (a *Advice) Chosen() string {
	if a.SameDays() {
		return fmt.Sprintf("chosen by %s, and these figures are of the same", days(a.End.Sub(a.Start)))
	}
	return fmt.Sprintf("chosen by the first %s; these figures are of the last %s", days(a.Split.Sub(a.Start)), days(a.End.Sub(a.Split)))
}

// PluginConfig is what of plugin_config belongs to the pick; empty: nothing changes.
func (a *Advice) PluginConfig() string {
	if a.Pick == nil || a.Pick.WarmPool == a.Input.Fleet.WarmPool {
		return ""
	}
	return fmt.Sprintf("warm_pool_size = %d\n", a.Pick.WarmPool)
}

// why is the reason for the pick in one sentence.
func (a *Advice) why() string {
	if a.Pick == nil {
		return ""
	}
	if pool := a.Pick.WarmPool; pool > 0 {
		return fmt.Sprintf("%s; %d starts at a time take %s, from the warm pool", a.idleReason(), pool, a.Input.Fleet.Resume.Mean().Round(time.Second))
	}
	return a.idleReason()
}

func (a *Advice) idleReason() string {
	boot := a.Input.Fleet.Boot.Mean().Round(time.Second)
	bursts := fmt.Sprintf("bursts of up to %d jobs arrive within a boot (%s), and half of all jobs come in bursts of %d or more", a.Burst, boot, a.CommonBurst)
	if a.CommonBurst <= 1 {
		bursts = fmt.Sprintf("most jobs come alone, with at most %d within a boot (%s)", a.Burst, boot)
	}
	idle, preemptive := 0, false
	for _, p := range a.Pick.Policies {
		idle = max(idle, p.IdleCount)
		preemptive = preemptive || p.Preemptive && p.IdleCount > 0
	}
	base := a.Baseline.Policies
	switch {
	case preemptive:
		return fmt.Sprintf("%s; %d idle instances serve most of them at once, and preemptive mode keeps the rest at GitLab", bursts, idle)
	case len(base) > 0 && base[len(base)-1].Preemptive && base[len(base)-1].IdleCount > 0:
		per := (base[len(base)-1].IdleCount + max(1, a.Input.Fleet.CapacityPerInstance) - 1) / max(1, a.Input.Fleet.CapacityPerInstance)
		return fmt.Sprintf("%s; in preemptive mode, as in %q, they get %d VMs a boot, and here all that they need", bursts, a.Baseline.Name(), per)
	case idle == 0:
		return bursts + "; idle instances would cost more between them than they save in waiting"
	}
	return fmt.Sprintf("%s; %d idle instances serve the first at once, and the others get theirs in one boot", bursts, idle)
}

// notes are what limits the figures.
func (a *Advice) notes(s *search, missed string) (notes []string) {
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	switch {
	case a.Interrupted && a.SameDays():
		add("interrupted: this is the best of the %d policies that were simulated so far, and that with the jobs of %s only; fix: let it run to its end", len(s.whole), days(a.End.Sub(a.Start)))
	case a.Interrupted:
		add("interrupted: this is the best of the %d policies that were simulated with all jobs so far", len(s.whole))
	}
	if missed != "" {
		add("%s", missed)
	}
	if room := s.in.Fleet.MaxInstances * max(1, s.in.Fleet.CapacityPerInstance); a.Peak > room {
		add("up to %d jobs would run at a time, and max_instances leaves room for %d: the longest waits come from that, whatever the policy", a.Peak, room)
	}
	span := a.End.Sub(a.Start)
	switch {
	case a.Input.Relative:
		add("the times of the jobs have no dates, so that no schedule was tried; fix: --start names the moment from which they count")
	case span < weeklySpan:
		add("%s of jobs are too few to tell weekdays apart: no schedule was tried, and next week may differ", days(span))
	}
	if f := a.Baseline.Test; f.Jobs < 500 {
		add("the figures are of %d jobs only: p95 and p99 hang on %d and %d of them", f.Jobs, (f.Jobs+19)/20, (f.Jobs+99)/100)
	}
	if a.Pick != nil && a.Pick.Test.Unserved > 0 {
		add("%d of the jobs found no instance within %s and failed", a.Pick.Test.Unserved, short(a.Input.Fleet.WithDefaults().AcquireTimeout))
	}
	if a.Pick != nil && a.Pick.WarmPool > 0 {
		add("a warm pool takes quota and Azure's stock at the moment of a start, and no ephemeral OS disk")
		if a.Input.Price > 0 && a.Input.Disk == 0 {
			add("the disks of the warm pool are not in the costs; fix: --disk-price")
		}
	}
	if a.Pick != nil && a.Baseline.Train.P95 > 0 && a.Pick.Test.P95 > a.Pick.Train.P95*5/4 {
		add("the last third was worse than what the policy was chosen by (p95 %s instead of %s): the load changes", Seconds(a.Pick.Test.P95), Seconds(a.Pick.Train.P95))
	}
	return notes
}

func days(d time.Duration) string { return fmt.Sprintf("%.1f days", d.Hours()/24) }

// Seconds words a wait.
func Seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

func notModelled() []string {
	return []string{
		"other runners that take the same jobs, and other load on the same quota",
		"starts that Azure refuses for quota or capacity, and throttling of its API, other than by --failed-starts",
		"deallocated instances that Azure has no room for when they are to be started, and suspension by the runner itself",
		"the time to log in and to pull images: it is in the jobs' recorded durations, and stays as it was",
		"a wait for an instance that is inside a recorded duration, as non-preemptive runners have it, other than by --wait-in-duration",
		"jobs that people start sooner, later or again because of the waiting",
		"reservation_throttling (GitLab Runner 18.7) and acquire heartbeats, which the simulated scaler does not have",
		"traffic, addresses and disks of running instances in the costs",
	}
}

// scalerVersion names the module that decides, as it was built in.
func scalerVersion() string {
	const module = "gitlab.com/gitlab-org/fleeting/taskscaler"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return "taskscaler " + d.Version
			}
		}
	}
	return strings.TrimPrefix(module, "gitlab.com/gitlab-org/fleeting/")
}
