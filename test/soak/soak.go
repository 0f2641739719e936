package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// soak is a driver with the faults and kills.
type soak struct {
	*load.Driver
	options     options
	disruptions sync.Map     // what was done to an instance on purpose, by the plugin's ID
	faults      atomic.Int64 // that happened as planned
	neverMade   int          // instances that Azure accepted and never made

	creations map[string]time.Time // when each was seen first, by vmId; zero: it was ended
}

// disrupted is what was done to an attempt's instance on purpose.
func (s *soak) disrupted(_ context.Context, a load.Attempt) string {
	what, _ := s.disruptions.Load(a.Instance)
	text, _ := what.(string)
	return text
}

// disrupt has jobs arrive while faults and kills happen.
func (s *soak) disrupt(parent, jobs context.Context) error {
	s.Every(statusInterval, s.printStatus)
	s.Every(time.Second, s.endStuck)
	ctx, cancel := context.WithTimeout(parent, s.options.duration)
	defer cancel()
	var parts sync.WaitGroup
	parts.Go(func() { s.Arrive(ctx, jobs, planJobs(s.options)) })
	for _, a := range planActs(s.options) {
		if !s.Until(ctx, a.at) {
			break
		}
		if a.strike != "" {
			parts.Go(func() { s.strike(ctx, a) })
			continue
		}
		if err := s.perform(ctx, a); err != nil && ctx.Err() == nil {
			return err
		}
	}
	<-ctx.Done()
	parts.Wait()
	return parent.Err()
}

// perform has a fault or a kill happen.
func (s *soak) perform(ctx context.Context, a act) error {
	switch {
	case a.killPlugin:
		s.KillPlugin()
		return nil
	case a.fault != nil:
		s.logFault(a.name, a.fault)
		return s.Simulator.AddFaults(ctx, *a.fault)
	}
	s.logFault(a.name, a.events)
	return s.Simulator.AddEvents(ctx, a.events...)
}

// logFault prints and counts a fault.
func (s *soak) logFault(name string, what any) {
	text, _ := json.Marshal(what) // rules and events have a JSON form
	s.Printf("fault: %s %s", name, text)
	s.faults.Add(1)
}

// strikeTimeout is how long a strike waits for an instance that serves.
const strikeTimeout = 30 * time.Second

// strike does something to an instance that serves. The seed chooses among those
// there are.
func (s *soak) strike(ctx context.Context, a act) {
	ctx, cancel := context.WithTimeout(ctx, strikeTimeout)
	defer cancel()
	var serving []armsim.InstanceInfo
	err := load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		all, err := s.Simulator.Instances(ctx)
		serving = slices.DeleteFunc(all, func(i armsim.InstanceInfo) bool {
			return i.PowerState != "running" || i.ProvisioningState != "Succeeded"
		})
		return len(serving) > 0, "no instance runs", err
	})
	if err != nil {
		s.Printf("no fault: %s: %v", a.name, err)
		return
	}
	slices.SortFunc(serving, func(a, b armsim.InstanceInfo) int { return strings.Compare(a.VMID, b.VMID) })
	target := serving[a.pick%uint64(len(serving))]
	id := load.ID(target)
	s.disruptions.Store(id, a.name)
	s.logFault(a.name, id)
	do := s.Simulator.Kill
	if a.strike == "evict" {
		do = s.Simulator.Evict
	}
	if err := do(ctx, target.VMID); err != nil { // it may have gone in between
		s.Printf("that came too late: %v", err)
	}
}

const (
	// statusInterval is how often a line shows what is going on.
	statusInterval = 30 * time.Second

	// creationTimeout is when Azure ends a creation that does not: here in seconds
	// what there is minutes (Microsoft's page on resilient create).
	creationTimeout = 50 * time.Second
)

// printStatus prints what is going on.
func (s *soak) printStatus(ctx context.Context) {
	stats, _ := s.Simulator.Stats(ctx)
	if line, _, err := s.Status(ctx); err == nil { // who needs more than the state reports what is wrong
		s.Printf("capacity %d, %s", stats.Capacity, line)
	}
}

// endStuck ends the creations that have taken too long since they were seen first.
func (s *soak) endStuck(ctx context.Context) {
	all, _ := s.Simulator.Instances(ctx)
	for _, i := range all {
		seen, known := s.creations[i.VMID]
		switch {
		case i.ProvisioningState != "Creating":
		case !known:
			s.creations[i.VMID] = time.Now()
		case !seen.IsZero() && time.Since(seen) >= creationTimeout:
			s.Printf("Azure gives up the creation of %s", load.ID(i))
			s.creations[i.VMID] = time.Time{}
			_ = s.Simulator.AddEvents(ctx, armsim.Event{Do: "delete", Object: i.Name}) // once more would do no good
		}
	}
}
