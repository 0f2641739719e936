package stand

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// poll asks again and again until the answer is yes. The error holds what the
// last no said when ctx ends.
func poll(ctx context.Context, ready func(context.Context) (yes bool, no string, err error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, no, err := ready(context.WithoutCancel(ctx))
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", no, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// Settle waits until there are this many instances, and no more nor less are
// wanted. The error says how many there are when ctx ends.
func (s *Stand) Settle(ctx context.Context, count int) error {
	return poll(ctx, func(ctx context.Context) (bool, string, error) {
		stats, err := s.Simulator.Stats(ctx)
		return err == nil && stats.Instances == count && stats.Capacity == count,
			fmt.Sprintf("there are %d instances and capacity for %d, expected %d", stats.Instances, stats.Capacity, count), err
	})
}

// AwaitSeen waits until count instances run and the plugin has listed them since:
// what is evicted before that never came up for it.
func (s *Stand) AwaitSeen(ctx context.Context, count int) error {
	var before map[string]int // lists; nil until all run
	return poll(ctx, func(ctx context.Context) (bool, string, error) {
		running, lists, err := s.look(ctx)
		if running != count {
			before = nil
		} else if before == nil {
			before = lists
		}
		seen := false
		for name, times := range lists {
			seen = seen || before != nil && times >= before[name]+2 // the last one began after all ran
		}
		return seen && err == nil, fmt.Sprintf("%d instances run, expected %d that the plugin has seen", running, count), err
	})
}

// look counts the instances that run, and the lists that the plugin had, by
// operation.
func (s *Stand) look(ctx context.Context) (running int, lists map[string]int, err error) {
	all, err := s.Simulator.Instances(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, i := range all {
		if i.PowerState == "running" && i.ProvisioningState == "Succeeded" {
			running++
		}
	}
	journal, err := s.Simulator.Journal(ctx)
	lists = map[string]int{}
	for _, e := range journal {
		if strings.Contains(e.Operation, "_List") {
			lists[e.Operation]++
		}
	}
	return running, lists, err
}

// AwaitGone waits until there is no instance with this vmId.
func (s *Stand) AwaitGone(ctx context.Context, vmID string) error {
	return poll(ctx, func(ctx context.Context) (bool, string, error) {
		all, err := s.Simulator.Instances(ctx)
		there := slices.ContainsFunc(all, func(i armsim.InstanceInfo) bool { return i.VMID == vmID })
		return err == nil && !there, fmt.Sprintf("instance %s does not go", vmID), err
	})
}
