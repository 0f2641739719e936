package advise

import (
	"slices"
	"time"
)

// WeekHours is how many hours Week returns at most.
const WeekHours = 7 * 24

// Week are the mean numbers of instances, and of jobs that run, in each of the last hours,
// and when the first of them begins.
func (a *Advice) Week(c *Candidate) (instances, running []float64, first time.Time) {
	hours := int(a.End.Sub(a.Start) / time.Hour)
	from := max(0, hours-WeekHours)
	part := func(all []float64) []float64 {
		out := make([]float64, hours-from)
		if from < len(all) {
			copy(out, all[from:])
		}
		return out
	}
	return part(c.result.InstanceHours), part(c.result.JobHours), a.Start.Add(time.Duration(from) * time.Hour)
}

// Waits are those of the last third, the shortest first, in seconds.
func (a *Advice) Waits(c *Candidate) []float32 {
	n, _ := slices.BinarySearchFunc(a.Input.Jobs, a.Split, func(j job, at time.Time) int { return j.Arrives.Compare(at) })
	waits := slices.Clone(c.result.Waits[n:])
	slices.Sort(waits)
	return waits
}

// Month is what figures of a candidate mean for a month: money where a price is known, else
// hours of instances; with the unit.
func (a *Advice) Month(c *Candidate) (amount float64, unit string) {
	if a.Input.Price > 0 {
		return a.Input.MonthlyCost(c, c.Test), a.Input.Currency
	}
	if c.Test.Span == 0 {
		return 0, "VM-hours"
	}
	return c.Test.VMHours / c.Test.Span.Hours() * monthHours, "VM-hours"
}
