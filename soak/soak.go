package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// soak holds the parts: simulator, plugins with their scalers, and the jobs.
type soak struct {
	options   options
	simulator *process.Process
	plugins   *plugins
	tally     tally
	jobs      sync.WaitGroup
	blows     blows
	began     time.Time
	faults    atomic.Int64 // that went wrong as planned
	givenUp   map[string]bool
	absent    int // instances that Azure accepted and never made

	stopKeeping context.CancelFunc // ends the making of plugins, and the watch
	kept        sync.WaitGroup

	printing sync.Mutex
}

func newSoak(o options) (*soak, error) {
	s := &soak{options: o, began: time.Now(), stopKeeping: func() {}, blows: blows{what: map[string]string{}}, givenUp: map[string]bool{}}
	log, err := os.OpenFile(o.logFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	args := []string{
		"--scale-set", "runners", "--orchestration-mode", o.mode, "--boot", o.boot.String(), "--delete", "1s",
		"--page-size", "50", "--parallel-writes", parallelWrites(o.seed), "--seed", strconv.FormatUint(o.seed, 10),
		"--throttle=" + strconv.FormatBool(o.throttle),
	}
	if o.spot != "" {
		args = append(args, "--spot", o.spot)
	}
	if s.simulator, err = process.Start(o.simulator, args...); err != nil {
		return nil, err
	}
	s.plugins = &plugins{soak: s, log: log, idle: o.idle}
	return s, s.simulator.Setenv() // for the plugin, which inherits it
}

func (s *soak) close() error {
	s.stop()
	return errors.Join(s.simulator.Close(), s.plugins.log.Close())
}

// say prints a line with its time.
func (s *soak) say(format string, args ...any) {
	s.printing.Lock()
	defer s.printing.Unlock()
	fmt.Printf("%s %4.0fs  %s\n", time.Now().UTC().Format("15:04:05.000"), time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// until waits for a time after the start, and says whether ctx let it come.
func (s *soak) until(ctx context.Context, at time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(at - time.Since(s.began)):
		return true
	}
}

// storm is the time in which things go wrong.
func (s *soak) storm(ctx, jobs context.Context) error {
	keeping, stop := context.WithCancel(ctx)
	s.stopKeeping = stop
	s.kept.Go(func() { s.plugins.keep(keeping) })
	s.kept.Go(func() { s.watch(keeping) })
	storm, over := context.WithTimeout(ctx, s.options.duration)
	defer over()
	var parts sync.WaitGroup
	parts.Go(func() { s.arrive(storm, jobs, planJobs(s.options)) })
	for _, a := range planActs(s.options) {
		if !s.until(storm, a.at) {
			break
		}
		if a.strike != "" {
			parts.Go(func() { s.strike(storm, a) })
			continue
		}
		if err := s.perform(storm, a); err != nil && storm.Err() == nil {
			return err
		}
	}
	<-storm.Done()
	parts.Wait()
	return ctx.Err()
}

// perform has something go wrong.
func (s *soak) perform(ctx context.Context, a act) error {
	switch {
	case a.killPlugin:
		s.plugins.kill()
		return nil
	case a.fault != nil:
		s.say("fault: %s", describe(*a.fault))
		s.faults.Add(1)
		return s.simulator.AddFaults(ctx, *a.fault)
	}
	s.say("fault: %s %s", a.name, describeEvents(a.events))
	s.faults.Add(1)
	return s.simulator.AddEvents(ctx, a.events...)
}

// strikeLimit is how long a strike waits for an instance to run.
const strikeLimit = 30 * time.Second

// strike does something to a running instance. The seed chooses among those
// there are.
func (s *soak) strike(ctx context.Context, a act) {
	ctx, cancel := context.WithTimeout(ctx, strikeLimit)
	defer cancel()
	victim, found := s.victim(ctx, a.pick)
	if !found {
		s.say("no fault: %s, but no instance runs", a.name)
		return
	}
	id := fleet.ID(victim.Name, victim.VMID)
	s.blows.note(id, a.name)
	s.say("fault: %s of %s", a.name, id)
	s.faults.Add(1)
	do := s.simulator.Kill
	if a.strike == "evict" {
		do = s.simulator.Evict
	}
	if err := do(ctx, victim.VMID); err != nil { // it may have gone in between
		s.say("that came too late: %v", err)
	}
}

// victim waits for running instances, and picks one.
func (s *soak) victim(ctx context.Context, pick uint64) (armsim.InstanceInfo, bool) {
	for {
		all, err := s.simulator.Instances(ctx)
		all = slices.DeleteFunc(all, func(i armsim.InstanceInfo) bool {
			return i.PowerState != "running" || i.ProvisioningState != "Succeeded"
		})
		if err == nil && len(all) > 0 {
			slices.SortFunc(all, func(a, b armsim.InstanceInfo) int { return strings.Compare(a.VMID, b.VMID) })
			return all[pick%uint64(len(all))], true
		}
		select {
		case <-ctx.Done():
			return armsim.InstanceInfo{}, false
		case <-time.After(time.Second):
		}
	}
}

const (
	// statusEvery is how often a line tells how it goes.
	statusEvery = 30 * time.Second

	// azureGivesUp is when Azure ends a creation that does not: here in seconds
	// what there is minutes (Microsoft's page on resilient create).
	azureGivesUp = 50 * time.Second
)

// watch tells how it goes, and gives up creations that are stuck.
func (s *soak) watch(ctx context.Context) {
	first := map[string]time.Time{}
	told := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := s.simulator.Instances(ctx)
		if err != nil {
			continue // what asks for more than the state will say what is wrong
		}
		s.giveUp(ctx, all, first)
		if time.Since(told) >= statusEvery {
			told = time.Now()
			s.status(ctx, all)
		}
	}
}

func (s *soak) giveUp(ctx context.Context, all []armsim.InstanceInfo, first map[string]time.Time) {
	for _, i := range all {
		if i.ProvisioningState != "Creating" || s.givenUp[i.VMID] {
			continue
		}
		if first[i.VMID].IsZero() {
			first[i.VMID] = time.Now()
		}
		if time.Since(first[i.VMID]) < azureGivesUp {
			continue
		}
		s.say("Azure gives up the creation of %s", fleet.ID(i.Name, i.VMID))
		s.givenUp[i.VMID] = true
		_ = s.simulator.AddEvents(ctx, armsim.Event{Do: "delete", Object: i.Name}) // once more would do no good
	}
}

func (s *soak) status(ctx context.Context, all []armsim.InstanceInfo) {
	stats, err := s.simulator.Stats(ctx)
	if err != nil {
		return
	}
	s.tally.change(func(t *tally) {
		s.say("capacity %d, instances %d, running %d | jobs: %d waiting, %d running, %d passed, %d failed",
			stats.Capacity, len(all), stats.Running, t.waiting, t.running, t.passed, len(t.failed))
	})
}
