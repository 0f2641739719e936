package advise

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// Candidate is policies that are tried.
type Candidate struct {
	Policies    []sim.Policy
	MaxUseCount int
	WarmPool    int

	Label   string // of a well-known one; empty: of none
	Current bool   // it is the one in use

	// Train is what it is chosen by, Test what is reported, Whole of all jobs, each with the
	// first seed. Low and High are the ends of Test's figures with all seeds.
	Train, Test, Whole, Low, High sim.Figures
	Seeds                         int

	result *sim.Result // with the first seed
}

// Name says what it is in one line.
func (c *Candidate) Name() string {
	if c.Label != "" {
		return c.Label
	}
	var parts []string
	for _, p := range c.Policies {
		parts = append(parts, describe(p))
	}
	name := strings.Join(parts, "; ")
	if len(c.Policies) == 0 {
		name = "no policy"
	}
	if c.WarmPool > 0 {
		name += fmt.Sprintf("; warm pool of %d", c.WarmPool)
	}
	return name
}

func describe(p sim.Policy) string {
	text := fmt.Sprintf("idle %d", p.IdleCount)
	if p.ScaleFactor > 0 {
		text += fmt.Sprintf(", factor %v", p.ScaleFactor)
	}
	text += " for " + short(p.IdleTime)
	if p.IdleCount > 0 && p.Preemptive {
		text += ", preemptive"
	}
	if len(p.Periods) > 0 {
		text = strings.Join(p.Periods, " and ") + ": " + text
	}
	return text
}

// short is a duration without zeros at its end.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// key is the same for candidates that play alike.
func (c *Candidate) key() string {
	return fmt.Sprint(c.Policies, c.MaxUseCount, c.WarmPool)
}

// TOML are the policies as they are in config.toml.
func (c *Candidate) TOML() string {
	var b strings.Builder
	for _, p := range c.Policies {
		b.WriteString("[[runners.autoscaler.policy]]\n")
		if len(p.Periods) > 0 {
			quoted := make([]string, len(p.Periods))
			for n, period := range p.Periods {
				quoted[n] = strconv.Quote(period)
			}
			fmt.Fprintf(&b, "  periods = [%s]\n", strings.Join(quoted, ", "))
			if p.Timezone != "" {
				fmt.Fprintf(&b, "  timezone = %q\n", p.Timezone)
			}
		}
		fmt.Fprintf(&b, "  idle_count = %d\n  idle_time = %q\n", p.IdleCount, p.IdleTime)
		if p.ScaleFactor > 0 {
			fmt.Fprintf(&b, "  scale_factor = %v\n", p.ScaleFactor)
		}
		if p.ScaleFactorLimit > 0 {
			fmt.Fprintf(&b, "  scale_factor_limit = %d\n", p.ScaleFactorLimit)
		}
		if p.IdleCount > 0 {
			fmt.Fprintf(&b, "  preemptive_mode = %t\n", p.Preemptive)
		}
	}
	return b.String()
}

// references are policies that many have, to compare with. A use count of their own is
// part of what they are.
func references() []*Candidate {
	return []*Candidate{
		{Label: "GitLab's sample: idle 5 for 20m, one use", MaxUseCount: 1, Policies: []sim.Policy{{IdleCount: 5, IdleTime: 20 * time.Minute, Preemptive: true}}},
		{Label: "idle 2, defaults: preemptive, any use", Policies: []sim.Policy{{IdleCount: 2, IdleTime: 5 * time.Minute, Preemptive: true}}},
		{Label: "idle 2, not preemptive, any use", Policies: []sim.Policy{{IdleCount: 2, IdleTime: 5 * time.Minute}}},
		{Label: "idle 0, one use", MaxUseCount: 1, Policies: []sim.Policy{{IdleTime: 5 * time.Minute}}},
	}
}
