package bench

import (
	"math"
	"slices"
	"time"
)

// Figures are what a plugin did in a scenario.
type Figures struct {
	Requests  int
	Throttled int // of them: responses of status 429
	Late      int // of those: after the first minute
	Classes   map[string]Class

	Delays   []time.Duration // from running at Azure until told
	Connects []time.Duration // in ConnectInfo
	Failures int             // instances whose ConnectInfo failed, which the scaler then removes

	Jobs     int                     // that arrived
	Served   int                     // that had an instance before the arrivals ended
	Lost     int                     // whose instance vanished under them
	Waits    []time.Duration         // for an instance; those that got none count until the end
	ByBurst  map[int][]time.Duration // the waits of jobs in bursts, by the burst's size
	Created  int                     // instances, ever
	Unneeded int                     // of them: no job ever ran there

	Running time.Duration // of virtual machines, all together: what they are billed for
	Disks   time.Duration // of disks, which deallocated instances have, too

	Total time.Duration // until all was done
	Done  bool          // it was, within the limit

	Goroutines [2]int // at the begin and the end
	Open       int    // responses that were not closed
}

// Class is how many requests of a class there were, and how many were throttled.
type Class struct{ Requests, Throttled int }

// countRequests adds the requests of a runner up to a time since its start; 0: all.
func (f *Figures) countRequests(r *runner, until time.Duration) {
	all, open := r.meter.sent()
	f.Open += open
	if f.Classes == nil {
		f.Classes = map[string]Class{}
	}
	for _, one := range all {
		if until > 0 && one.at > until {
			continue
		}
		c := f.Classes[one.class]
		c.Requests++
		f.Requests++
		if one.status == 429 {
			c.Throttled++
			f.Throttled++
			if one.at > time.Minute {
				f.Late++
			}
		}
		f.Classes[one.class] = c
	}
}

// countInstances adds what became of a runner's instances.
func (f *Figures) countInstances(r *runner) {
	f.Delays = append(f.Delays, r.delays()...)
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	f.Connects = append(f.Connects, r.group.connects...)
	f.Failures += r.group.failures
}

func mean(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(len(all))
}

// percentile is the nearest rank; p is of 100.
func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}
