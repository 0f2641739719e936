package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// always is the period of a policy that has none (taskscaler, schedule.go).
const always = "* * * * *"

const policyFix = "[[runners.autoscaler.policy]]\n  idle_count = 0\n  idle_time = \"20m0s\"\n  preemptive_mode = false"

// checkPolicies: of those whose periods contain a time the last one holds, and where none
// does nothing is kept ready and idle instances go after five minutes (taskscaler,
// schedule.go).
func checkPolicies(s *subject) (found []Finding) {
	policies := s.scaler.Policies
	if len(policies) == 0 {
		return []Finding{warning(s.line(), "there is no policy: no instance is kept ready, and each goes after 5 idle minutes", policyFix)}
	}
	for n := range policies {
		p := policyOf{subject: s, n: n, Policy: &policies[n]}
		found = append(found, p.check()...)
	}
	return append(found, checkOrder(s, policies)...)
}

// checkOrder: a policy for all times hides those before it, and without one some times
// have none.
func checkOrder(s *subject, policies []runnerconfig.Policy) []Finding {
	last := -1
	for n := range policies {
		if isAlways(&policies[n]) {
			last = n
		}
	}
	switch {
	case last < 0:
		return []Finding{warning(s.policyLine(0), "no policy holds at all times: in between no instance is kept ready, and each goes after 5 idle minutes",
			"put one without periods in front of the others:\n"+policyFix)}
	case last > 0:
		return []Finding{fault(s.policyLine(last), fmt.Sprintf("this policy holds at all times, and the last one that matches counts: the %d before it are never used", last),
			"move it in front of the others")}
	}
	return nil
}

func isAlways(p *runnerconfig.Policy) bool {
	return len(p.Periods) == 0 || slices.Contains(p.Periods, always)
}

func (s *subject) policyLine(n int, key ...string) int {
	return s.line(append([]string{"policy", strconv.Itoa(n)}, key...)...)
}

// policyOf is one policy of a runner.
type policyOf struct {
	*subject
	n int
	*runnerconfig.Policy
}

func (p policyOf) check() (found []Finding) {
	for _, period := range p.Periods {
		if problem := badPeriod(period); problem != "" {
			found = append(found, fault(p.policyLine(p.n, "periods"), fmt.Sprintf("periods has %q, which %s", period, problem), `periods = ["* 8-18 * * mon-fri"]: minute, hour, day of month, month, day of week`))
		}
	}
	if _, err := time.LoadLocation(p.Timezone); err != nil {
		found = append(found, fault(p.policyLine(p.n, "timezone"), fmt.Sprintf("timezone %q is not known here", p.Timezone), `timezone = "Europe/Berlin": a name of the IANA database; on Debian: apt-get install tzdata`))
	}
	if p.Timezone == "" && !isAlways(p.Policy) {
		found = append(found, warning(p.policyLine(p.n, "periods"), "periods without timezone are in the local time of this machine, "+time.Local.String(), `timezone = "Europe/Berlin"`))
	}
	return append(found, p.checkIdle()...)
}

func (p policyOf) checkIdle() (found []Finding) {
	if p.IdleTime == nil || *p.IdleTime == 0 {
		what := "idle_time is 0 s"
		if p.IdleTime == nil {
			what = "idle_time is not set, which is 0 s"
		}
		found = append(found, warning(p.policyLine(p.n, "idle_time"), what+": an instance goes as soon as it is idle, and the next job waits for another", `idle_time = "20m0s"`))
	} else if *p.IdleTime < time.Second {
		found = append(found, fault(p.policyLine(p.n, "idle_time"), "idle_time is a number, which counts nanoseconds", fmt.Sprintf("idle_time = %q", (time.Duration(p.IdleTime.Nanoseconds())*time.Second).String())))
	}
	if p.ScaleFactor > 0 && p.ScaleFactor <= 1 {
		found = append(found, warning(p.policyLine(p.n, "scale_factor"), fmt.Sprintf("scale_factor %g does next to nothing: what it keeps ready is less than what jobs already use", p.ScaleFactor), "scale_factor = 1.2, or leave it out"))
	}
	if capacity := p.scaler.Capacity(); p.IdleCount > capacity && capacity > 0 {
		found = append(found, warning(p.policyLine(p.n, "idle_count"), fmt.Sprintf("idle_count %d is more than max_instances × capacity_per_instance, %d", p.IdleCount, capacity), fmt.Sprintf("idle_count = %d, or raise max_instances", capacity)))
	}
	if p.Preemptive() {
		found = append(found, p.preemptive())
	}
	return found
}

// preemptive: jobs that are queued at GitLab are no demand then (docs/guides/waiting.md).
func (p policyOf) preemptive() Finding {
	line, why := p.policyLine(p.n, "preemptive_mode"), "preemptive_mode is on"
	if p.PreemptiveMode == nil {
		why = fmt.Sprintf("preemptive_mode is not set, and on with idle_count = %d", p.IdleCount)
	}
	return warning(line, why+": queued jobs are no demand, so that at most idle_count instances are in creation at once, and bursts wait (measured: 174 s instead of 47 s)", "preemptive_mode = false, from GitLab Runner 18.1 on; before, idle_count = 0")
}

// badPeriod is what is wrong with a period; empty: nothing.
func badPeriod(period string) string {
	fields := strings.Fields(period)
	if len(fields) == 7 {
		return "has the seven fields of docker+machine (with seconds and years)"
	}
	if len(fields) != 5 {
		return fmt.Sprintf("has %d fields", len(fields))
	}
	// 7 is Sunday, too, to the runner, and not to the library.
	fields[4] = strings.ReplaceAll(fields[4], "7", "0")
	if _, err := cron.ParseStandard(strings.Join(fields, " ")); err != nil {
		return "is no cron expression: " + err.Error()
	}
	return ""
}
