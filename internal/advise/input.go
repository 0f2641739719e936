package advise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// Player plays a setting with the jobs of an Input; Play may be called from any
// goroutine. A sim.Pool is one.
type Player interface {
	Play(ctx context.Context, s sim.Setting) (*sim.Result, error)
}

// Input is what an advice is made of.
type Input struct {
	Jobs     []jobs.Job // in the order of their arrival
	Relative bool       // nothing is known of their weekdays and hours
	Fleet    sim.Fleet
	Current  []sim.Policy   // nil: unknown
	Zone     *time.Location // of schedules; nil: UTC
	ZoneName string         // as the runner takes it
	Pools    []int          // sizes of a warm pool to try

	Price    float64 // of an instance for an hour; 0: unknown
	Disk     float64 // of a suspended instance's disks for a month
	Currency string
	Target   Target
	Budget   float64 // for a month; 0: none

	Workers  int                   // settings that are played at the same time
	Progress func(done, total int) // called from one goroutine; nil: nobody looks
}

// Target is a wait to stay below. The zero Target is none.
type Target struct {
	Metric string // mean, p50, p95 or p99
	Limit  time.Duration
}

// String is as --target takes it.
func (t Target) String() string { return t.Metric + "=" + short(t.Limit) }

// of is the metric in figures.
func (t Target) of(f sim.Figures) time.Duration {
	switch t.Metric {
	case "mean":
		return f.Mean
	case "p50":
		return f.P50
	case "p99":
		return f.P99
	}
	return f.P95
}

// Span of jobs below which nothing can be said, and below which there are no weeks to
// tell apart.
const (
	leastJobs  = 50
	leastSpan  = 24 * time.Hour
	weeklySpan = 21 * 24 * time.Hour // of which two thirds are two weeks
)

// monthHours is how many hours a month has for prices.
const monthHours = 730

// spans are what an Input's jobs are divided into, at full hours after the first one.
type spans struct{ start, split, end time.Time }

func (in *Input) spans() spans {
	s := spans{start: in.Jobs[0].Arrives}
	hours := int(in.Jobs[len(in.Jobs)-1].Arrives.Sub(s.start)/time.Hour) + 1
	s.end = s.start.Add(time.Duration(hours) * time.Hour)
	s.split = s.start.Add(time.Duration(hours*2/3) * time.Hour)
	return s
}

// Check reports that jobs are too few to say anything.
func (in *Input) Check() error {
	if len(in.Jobs) == 0 {
		return errors.New("there are no jobs")
	}
	first, last := in.Jobs[0].Arrives, in.Jobs[len(in.Jobs)-1].Arrives
	if first.Year() <= 2000 || last.Year() > 2200 { // a simulation begins in 2000, and a time.Duration ends after 292 years
		return fmt.Errorf("jobs from %s to %s cannot be: one of these dates is wrong; fix: --since and --until leave it out", first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	span := last.Sub(first)
	if len(in.Jobs) < leastJobs || span < leastSpan {
		return fmt.Errorf("%d jobs in %s are too few to choose a policy by: it takes %d jobs and a day at least; fix: give it more pages, or wait",
			len(in.Jobs), span.Round(time.Minute), leastJobs)
	}
	return nil
}

// MonthlyCost is what figures mean for a month; 0: no price is known.
func (in *Input) MonthlyCost(c *Candidate, f sim.Figures) float64 {
	if in.Price == 0 || f.Span == 0 {
		return 0
	}
	return f.VMHours/f.Span.Hours()*monthHours*in.Price + float64(c.WarmPool)*in.Disk
}
