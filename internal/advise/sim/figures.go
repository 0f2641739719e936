package sim

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

// Figures sum a Result up for a span of time.
type Figures struct {
	Jobs     int           `json:"jobs"`
	Mean     time.Duration `json:"wait_mean"`
	P50      time.Duration `json:"wait_p50"`
	P95      time.Duration `json:"wait_p95"`
	P99      time.Duration `json:"wait_p99"`
	Unserved int           `json:"unserved"`

	Span       time.Duration `json:"span"`
	VMHours    float64       `json:"vm_hours"`
	JobHours   float64       `json:"job_hours"`
	PerJobHour float64       `json:"vm_hours_per_job_hour"`
	Idle       float64       `json:"idle"` // share of the VM-hours without a job: starts, ends and idle instances
}

// Figures are of the jobs that arrive in a span, whose ends are best full hours after
// Start, and of the instances in it. The jobs are those that Run was given.
func (r *Result) Figures(all []jobs.Job, from, to time.Time) Figures {
	f := Figures{Span: to.Sub(from)}
	begin, _ := slices.BinarySearchFunc(all, from, func(j jobs.Job, at time.Time) int { return j.Arrives.Compare(at) })
	end, _ := slices.BinarySearchFunc(all, to, func(j jobs.Job, at time.Time) int { return j.Arrives.Compare(at) })
	waits := slices.Clone(r.Waits[begin:end])
	slices.Sort(waits)
	f.Jobs = len(waits)
	sum := 0.0
	for _, w := range waits {
		sum += float64(w)
	}
	if f.Jobs > 0 {
		f.Mean = seconds(sum / float64(f.Jobs))
		f.P50, f.P95, f.P99 = quantile(waits, 0.5), quantile(waits, 0.95), quantile(waits, 0.99)
	}
	if r.Unserved != nil {
		for _, missed := range r.Unserved[begin:end] {
			if missed {
				f.Unserved++
			}
		}
	}
	f.VMHours, f.JobHours = r.sum(r.InstanceHours, from, to), r.sum(r.JobHours, from, to)
	if f.JobHours > 0 {
		f.PerJobHour = f.VMHours / f.JobHours
	}
	if f.VMHours > 0 {
		f.Idle = max(0, 1-r.sum(r.BusyHours, from, to)/f.VMHours)
	}
	return f
}

func (r *Result) sum(hours []float64, from, to time.Time) (total float64) {
	first, last := int(from.Sub(r.Start).Hours()), int(to.Sub(r.Start).Hours())
	for n := max(0, first); n < min(last, len(hours)); n++ {
		total += hours[n]
	}
	return total
}

// quantile is the smallest value that a share q of sorted values does not exceed.
func quantile(sorted []float32, q float64) time.Duration {
	n := min(len(sorted)-1, int(q*float64(len(sorted))))
	return seconds(float64(sorted[n]))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
