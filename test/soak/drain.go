package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// lastBatch is how many jobs arrive after the last fault. They need new
// instances: with these the scale set fills the capacity that stock-outs have
// left unfilled, which nothing else does, as the capacity is only raised.
const lastBatch = 4

// drain clears all faults and lets everything end: the jobs, the instances, and
// the plugin.
func (s *soak) drain(ctx, jobs context.Context) error {
	if err := s.clear(ctx); err != nil {
		return err
	}
	s.Printf("no further faults; the last %d jobs arrive", lastBatch)
	for n := range lastBatch {
		s.Go(jobs, load.Job{Number: 10_000 + n, Steps: 3})
	}
	s.Wait()
	s.Printf("all jobs have ended or are lost; everything is to go")
	if err := s.SetIdle(0); err != nil {
		return err
	}
	empty, cancel := context.WithTimeout(ctx, s.options.patience)
	defer cancel()
	_ = load.Poll(empty, func(ctx context.Context) (bool, string, error) { // the report counts what is left
		stats, err := s.Simulator.Stats(ctx)
		return err == nil && stats.Instances == 0, "", nil
	})
	s.Stop()
	return ctx.Err()
}

// clear ends all faults.
func (s *soak) clear(ctx context.Context) error {
	states, err := s.Simulator.Faults(ctx)
	if err != nil {
		return err
	}
	for _, state := range states {
		if state.Absent != nil {
			s.neverMade += state.Applied
		}
	}
	if err := s.Simulator.ClearFaults(ctx); err != nil {
		return err
	}
	return s.Simulator.AddEvents(ctx, armsim.Event{Do: "quota"})
}

// report prints what came of all.
func (s *soak) report(ctx context.Context) error {
	r, err := s.Result(ctx)
	if err != nil {
		return err
	}
	if err := s.writeJournal(ctx); err != nil {
		return err
	}
	drift := r.Capacity - r.Instances
	if s.options.Flexible() && s.neverMade > 0 {
		// A Flexible set goes by its capacity alone: nobody creates what is missing.
		s.Printf("%d of the capacity were never created by Azure, and are not counted", s.neverMade)
		drift -= s.neverMade
	}
	if drift != 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("capacity %d, but %d instances", r.Capacity, r.Instances))
	}
	s.Printf("job wait: half of them up to %s, the longest %s; %d jobs ended early on their instance; %d instances created, %d evicted",
		r.Wait(0.5), r.Wait(1), len(r.Broken), r.Created, r.Evicted)
	return load.Verdict(fmt.Sprintf("soak: %d jobs passed, %d failed, %d retried, %d plugin kills, %d faults; %d leaked, %d lost, capacity drift %d",
		r.Passed, len(r.Failed), r.Retried, r.Kills, s.faults.Load(), r.Left, r.Lost, drift), r.Wrong...)
}

// writeJournal keeps the simulator's journal for who looks into a failure.
func (s *soak) writeJournal(ctx context.Context) error {
	entries, err := s.Simulator.Journal(ctx)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, e := range entries {
		err = errors.Join(err, encoder.Encode(e))
	}
	return errors.Join(err, os.WriteFile(s.options.journal, lines.Bytes(), 0o600))
}
