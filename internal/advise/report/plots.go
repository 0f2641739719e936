package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
)

func number(v float64) string {
	if v < 10 && v != math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func wait(s float64) string {
	switch {
	case s < 1000:
		return number(s) + " s"
	case s < 7200:
		return number(s/60) + " min"
	}
	return number(s/3600) + " h"
}

// Picture is the plot of waiting against cost as an SVG of its own.
func Picture(a *advise.Advice) string {
	colours := style[strings.Index(style, ":root"):strings.Index(style, "body {")]
	shapes := style[strings.Index(style, "svg text"):strings.Index(style, ".key")]
	ground := fmt.Sprintf(`<style>%s%s</style><rect width="%v" height="%v" fill="var(--ground)"/>`, colours, shapes, width, height)
	plot := strings.Replace(tradeoff(a), "<svg ", `<svg xmlns="http://www.w3.org/2000/svg" `, 1)
	return strings.Replace(plot, "</title>", "</title>"+ground, 1) + "\n"
}

// tradeoff plots waiting against cost, with the front, the pick and what it is compared
// with.
func tradeoff(a *advise.Advice) string {
	var xs, ys []float64
	for _, c := range a.Rows {
		amount, _ := a.Month(c)
		xs, ys = append(xs, amount), append(ys, max(1, c.Test.P95.Seconds()))
	}
	_, unit := a.Month(a.Baseline)
	x := axis{low: slices.Min(xs) * 0.9, high: slices.Max(xs) * 1.05}
	y := axis{low: slices.Min(ys) * 0.8, high: slices.Max(ys) * 1.3, log: true}
	p := newPlot("tradeoff", "Waiting against cost of each policy", x, y)
	p.frame(unit+" a month", "p95 of waiting", number, wait, p.x.ticks())
	var fx, fy []float64
	best := math.Inf(1)
	for n := range xs { // the cheapest first
		if ys[n] < best {
			best = ys[n]
			fx, fy = append(fx, xs[n]), append(fy, ys[n])
		}
	}
	p.line("front", fx, fy, false)
	for _, class := range []string{"other", "before", "after"} { // the last is on top
		for n, c := range a.Rows {
			if classOf(a, c) == class {
				p.point(class, xs[n], ys[n], fmt.Sprintf("%s: p95 %s, %s %s a month", c.Name(), wait(ys[n]), number(xs[n]), unit))
				p.label(xs[n], ys[n], labelOf(a, c))
			}
		}
	}
	return p.end()
}

func classOf(a *advise.Advice, c *advise.Candidate) string {
	switch c {
	case a.Pick:
		return "after"
	case a.Baseline:
		return "before"
	}
	return "other"
}

// labelOf names those that are known beforehand, and the pick. Others lie too close
// together; a mouse finds them.
func labelOf(a *advise.Advice, c *advise.Candidate) string {
	switch {
	case c == a.Pick:
		return "take: " + c.Name()
	case c.Current:
		return "now: " + c.Name()
	case a.Pick != nil && len(c.Policies) > 0 && len(a.Pick.Policies) > 0 && c.Policies[0].IdleCount == a.Pick.Policies[0].IdleCount:
		return "" // next to it
	}
	return c.Label
}

// week plots the jobs and the instances of the last week.
func week(a *advise.Advice) string {
	before, running, first := a.Week(a.Baseline)
	after := before
	if a.Pick != nil {
		after, running, _ = a.Week(a.Pick)
	}
	hours := make([]float64, len(running))
	for n := range hours {
		hours[n] = float64(n)
	}
	most := max(1, slices.Max(append(slices.Clone(before), after...)))
	p := newPlot("week", "Jobs and instances in the last week", axis{low: 0, high: float64(max(1, len(hours)-1))}, axis{low: 0, high: most * 1.05})
	var days []float64
	zone := time.UTC
	if a.Input.Zone != nil {
		zone = a.Input.Zone
	}
	for n := range hours {
		if first.Add(time.Duration(n)*time.Hour).In(zone).Hour() == 0 {
			days = append(days, float64(n))
		}
	}
	name := func(v float64) string {
		if a.Input.Relative {
			return fmt.Sprintf("day %.0f", math.Ceil(first.Add(time.Duration(v)*time.Hour).Sub(a.Start).Hours()/24))
		}
		return first.Add(time.Duration(v) * time.Hour).In(zone).Format("Mon 2 Jan")
	}
	p.frame("", "per hour, on average", name, number, days)
	p.line("load", hours, running, true)
	p.line("before", hours, before, false)
	p.line("after", hours, after, false)
	return p.end()
}

// waits plots which share of the jobs waited how long at most.
func waits(a *advise.Advice) string {
	high := 10.0
	curves := map[string][]float32{"before": a.Waits(a.Baseline)}
	if a.Pick != nil {
		curves["after"] = a.Waits(a.Pick)
	}
	for _, all := range curves {
		if len(all) > 0 {
			high = max(high, float64(all[len(all)-1]))
		}
	}
	p := newPlot("waits", "Share of the jobs that wait so long at most", axis{low: 1, high: high * 1.1, log: true}, axis{low: 0, high: 1})
	p.frame("wait", "share of jobs", wait, func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }, p.x.ticks())
	for _, class := range []string{"before", "after"} {
		all := curves[class]
		if len(all) == 0 {
			continue
		}
		var xs, ys []float64
		for n := range 201 {
			place := min(len(all)-1, n*len(all)/200)
			xs, ys = append(xs, float64(all[place])), append(ys, float64(n)/200)
		}
		p.line(class, xs, ys, false)
	}
	return p.end()
}
