package sim

import (
	"sync"
	"time"
)

// Result is what became of the jobs and the instances. Slices about time have an
// element for each hour from Start on; slices about jobs one for each, in their order.
type Result struct {
	Start         time.Time
	Waits         []float32 // seconds; those that were never served waited until they failed
	Unserved      []bool    // nil: all were served
	InstanceHours []float64 // that are paid for: from the request to the end of the deletion
	BusyHours     []float64 // of them with a job
	JobHours      []float64 // run time of jobs
	Created       int
	Lost          int // runs that an eviction ended; each such job is queued again
}

// tally collects a Result.
type tally struct {
	mu sync.Mutex
	r  *Result
}

func (t *tally) created(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Created += n
}

func (t *tally) instance(from, to time.Time) { t.spread(&t.r.InstanceHours, from, to) }
func (t *tally) busy(from, to time.Time)     { t.spread(&t.r.BusyHours, from, to) }
func (t *tally) job(from, to time.Time)      { t.spread(&t.r.JobHours, from, to) }

// spread adds a time to the hours that it lies in.
func (t *tally) spread(hours *[]float64, from, to time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, b := from.Sub(t.r.Start).Hours(), to.Sub(t.r.Start).Hours()
	for a = max(0, a); a < b; {
		n := int(a)
		for len(*hours) <= n {
			*hours = append(*hours, 0)
		}
		next := min(b, float64(n+1))
		(*hours)[n] += next - a
		a = next
	}
}

func (t *tally) wait(job int, waited time.Duration, served bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Waits[job] = float32(waited.Seconds())
	if served {
		return
	}
	if t.r.Unserved == nil {
		t.r.Unserved = make([]bool, len(t.r.Waits))
	}
	t.r.Unserved[job] = true
}

func (t *tally) lost() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Lost++
}
