package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Bursts is a time of jobs that arrive in bursts, as those of a pipeline do, each on an
// instance of its own.
type Bursts struct {
	Setting
	Policy   taskscaler.Schedule
	WarmPool int // 0: the option is not set
	Standby  int // virtual machines of a standby pool of Azure's, which keeps them deallocated; it takes a Flexible set
	Count    int // of bursts
	Size     int // of a burst, at most; each size is as likely
}

const (
	burstSize = 4 // where nothing else is said
	burstGap  = 8 * time.Minute
	burstMore = 4 * time.Minute // on average between two bursts, beyond burstGap: in that a pool fills again

	// warmUp is how long before the first burst a pool and idle instances may be made.
	warmUp = 20 * time.Minute
)

// plan draws the jobs, for all policies the same, and how long the time is.
func (s Bursts) plan() (all []job, length time.Duration) {
	random := rand.New(rand.NewPCG(s.Seed, seed))
	for range s.Count {
		length += burstGap + time.Duration(random.ExpFloat64()*float64(burstMore))
		size := 1 + random.IntN(s.Size)
		for range size {
			all = append(all, job{arrives: length, lasts: jobLength(random), burst: size})
		}
	}
	return all, length + burstGap
}

// Play plays the scenario with our plugin, in a synctest bubble.
func (s Bursts) Play() (Figures, error) {
	f := Figures{ByBurst: map[int][]time.Duration{}}
	if s.WarmPool > 0 {
		s.Plugin = map[string]any{"warm_pool_size": s.WarmPool}
	}
	sub, err := newSubscription(s.Setting)
	if err != nil {
		return f, err
	}
	defer sub.end()
	if err := s.addStandbyPool(sub); err != nil {
		return f, err
	}
	r, err := newRunner(sub, s.Setting, pluginOurs, setName(0), 1)
	if err != nil {
		return f, err
	}
	defer r.end()
	if err := r.ConfigureSchedule(s.Policy); err != nil {
		return f, err
	}
	time.Sleep(warmUp)
	q := &queue{runner: r, figures: &f, used: map[string]bool{}, begun: time.Now()}
	jobs, length := s.plan()
	q.costs(length)
	q.serve(jobs, length)
	time.Sleep(time.Until(q.begun.Add(length + time.Second)))
	if err := r.schedule(0, time.Nanosecond); err != nil {
		return f, err
	}
	f.Done = f.Done && await(phaseLimit, func() bool { return r.group.knows() == 0 })
	f.countRequests(r, 0)
	return f, nil
}

// addStandbyPool gives the scale set a standby pool of Azure's that is always filled up.
func (s Bursts) addStandbyPool(sub *subscription) error {
	if s.Standby == 0 {
		return nil
	}
	return sub.Put(context.Background(), sub.ResourcePath("/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/warm"), "2025-03-01", map[string]any{
		"location": armsim.DefaultLocation, "properties": map[string]any{
			"attachedVirtualMachineScaleSetId": sub.ScaleSetPath(setName(0)), "virtualMachineState": "Deallocated",
			"elasticityProfile": map[string]any{"minReadyCapacity": s.Standby, "maxReadyCapacity": s.Standby},
		},
	})
}

// costs counts what there is from now on for a time.
func (q *queue) costs(length time.Duration) {
	before := q.sub.Stats()
	time.AfterFunc(length, func() {
		after := q.sub.Stats()
		q.note(func() {
			q.figures.Created = after.Created - before.Created
			q.figures.Running = seconds(after.AllocatedSeconds - before.AllocatedSeconds)
			q.figures.Disks = seconds(after.InstanceSeconds - before.InstanceSeconds)
		})
	})
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// fitting are the waits of the jobs in bursts of up to so many jobs.
func (f *Figures) fitting(size int) []time.Duration {
	var all []time.Duration
	for burst, waits := range f.ByBurst {
		if burst <= size {
			all = append(all, waits...)
		}
	}
	return slices.Clip(all)
}

// report is what make demo BOOT=realistic prints.
func (s Bursts) report(f Figures) string {
	var b strings.Builder
	pool := "no warm pool"
	if s.WarmPool > 0 {
		pool = fmt.Sprintf("a warm pool of %d", s.WarmPool)
	}
	fmt.Fprintf(&b, "%d jobs in %d bursts of up to %d, each on an instance of its own, on a %s scale set; %s; seed %d\n",
		len(f.Waits), s.Count, s.Size, strings.ToLower(s.Mode), pool, s.Seed)
	b.WriteString("real: the plugin, the runner's scaler; simulated: Azure, with realistic times, in virtual time\n\n")
	line := func(what string, waits []time.Duration) {
		fmt.Fprintf(&b, "%-32s p50 %s  p95 %s\n", what, duration(percentile(waits, 50)), duration(percentile(waits, 95)))
	}
	line("job wait", f.Waits)
	if s.WarmPool > 0 && s.WarmPool < s.Size {
		line("of them in bursts of up to "+fmt.Sprint(s.WarmPool), f.fitting(s.WarmPool))
	}
	_, length := s.plan()
	fmt.Fprintf(&b, "%-32s %d created while jobs came\n", "instances", f.Created)
	fmt.Fprintf(&b, "%-32s %s instance-seconds (%.1f at a time)\n", "virtual machines", thousands(int(f.Running.Seconds())), f.Running.Seconds()/length.Seconds())
	fmt.Fprintf(&b, "%-32s %s disk-seconds (%.1f at a time)\n", "disks, of deallocated ones too", thousands(int(f.Disks.Seconds())), f.Disks.Seconds()/length.Seconds())
	return b.String()
}
