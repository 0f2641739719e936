package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// lastBatch is how many jobs come when nothing goes wrong any more. They need
// new instances: with these the scale set fills the seats that stock-outs have
// left, which nothing else does, as the capacity is only raised.
const lastBatch = 4

// calm ends all faults and lets everything end: the jobs, the instances, and the
// plugin.
func (s *soak) calm(ctx, jobs context.Context) error {
	if err := s.clear(ctx); err != nil {
		return err
	}
	s.say("nothing goes wrong any more; the last %d jobs arrive", lastBatch)
	for n := range lastBatch {
		s.tally.change(func(t *tally) { t.asked++ })
		s.jobs.Go(func() { s.job(jobs, fleet.Job{Number: 10_000 + n, Steps: 3}) })
	}
	s.jobs.Wait()
	s.say("all jobs have ended or are lost; everything is to go")
	if err := s.plugins.setIdle(0); err != nil {
		return err
	}
	s.awaitEmptiness(ctx)
	s.stop()
	return ctx.Err()
}

// clear ends all faults.
func (s *soak) clear(ctx context.Context) error {
	states, err := s.simulator.Faults(ctx)
	if err != nil {
		return err
	}
	for _, state := range states {
		if state.Absent != nil {
			s.absent += state.Applied
		}
	}
	if err := s.simulator.ClearFaults(ctx); err != nil {
		return err
	}
	return s.simulator.AddEvents(ctx, armsim.Event{Do: "quota"})
}

// awaitEmptiness waits for the last instance to go.
func (s *soak) awaitEmptiness(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.options.patience)
	defer cancel()
	for ctx.Err() == nil {
		if stats, err := s.simulator.Stats(ctx); err == nil && stats.Instances == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop ends scaler and plugin as GitLab Runner does.
func (s *soak) stop() {
	s.stopKeeping()
	s.kept.Wait()
	var last *generation
	s.plugins.change(func() { last, s.plugins.up = s.plugins.up, nil })
	if last != nil {
		s.plugins.end(last, 30*time.Second)
	}
	s.plugins.ending.Wait()
}

// report prints the last line, and says whether all is well.
func (s *soak) report() (bool, error) {
	ctx := context.Background()
	stats, err := s.simulator.Stats(ctx)
	if err != nil {
		return false, err
	}
	if err := s.writeJournal(ctx); err != nil {
		return false, err
	}
	drift := stats.Capacity - stats.Instances
	if s.options.flexible() && s.absent > 0 {
		// A Flexible set goes by its capacity alone: nobody fills such seats.
		s.say("%d seats of the capacity were never filled by Azure, and are not counted", s.absent)
		drift -= s.absent
	}
	t := &s.tally
	lost := t.asked - t.passed - len(t.failed)
	s.say("job wait: half of them up to %s, the longest %s; %d jobs broken off on their instance; %d instances created, %d evicted",
		quantile(t.waits, 0.5), quantile(t.waits, 1), t.broken, stats.Created, stats.Evicted)
	wrong := slices.Concat(t.failed, s.plugins.crashes)
	left, err := s.simulator.Instances(ctx)
	if err != nil {
		return false, err
	}
	for _, i := range left {
		wrong = append(wrong, fmt.Sprintf("%s is left, %s %s", fleet.ID(i.Name, i.VMID), i.ProvisioningState, i.PowerState))
	}
	for _, request := range stats.NotSimulated {
		wrong = append(wrong, "the plugin asked for what is not simulated: "+request)
	}
	for _, what := range wrong {
		s.say("FAILED: %s", strings.ReplaceAll(what, "\n", " "))
	}
	fmt.Printf("soak: %d jobs passed, %d failed, %d retried, %d plugin kills, %d faults; %d leaked, %d lost, capacity drift %d\n",
		t.passed, len(t.failed), t.retried, s.plugins.kills, s.faults.Load(), stats.Instances, lost, drift)
	return len(wrong) == 0 && stats.Instances == 0 && lost == 0 && drift == 0, nil
}

// writeJournal keeps the simulator's journal for whoever looks into a failure.
func (s *soak) writeJournal(ctx context.Context) error {
	entries, err := s.simulator.Journal(ctx)
	if err != nil {
		return err
	}
	file, err := os.Create(s.options.journal)
	if err != nil {
		return err
	}
	defer file.Close()
	encoder := json.NewEncoder(file)
	for _, e := range entries {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	return file.Close()
}

// quantile is the smallest duration that the share q of all does not exceed.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(100 * time.Millisecond)
}

// describe tells a fault in a line.
func describe(f armsim.Fault) string {
	name := f.Name
	f.Name = ""
	text, err := json.Marshal(f)
	if err != nil {
		return name
	}
	return name + " " + string(text)
}

func describeEvents(events []armsim.Event) string {
	text, err := json.Marshal(events)
	if err != nil {
		return ""
	}
	return string(text)
}
