package testbed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// AwaitListed waits until count instances run and the plugin has listed them
// since: one that is evicted before that was never there for the plugin.
func (t *Testbed) AwaitListed(ctx context.Context, count int) error {
	var before map[string]int // lists; nil until all run
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		running, lists, err := t.observe(ctx)
		if running != count {
			before = nil
		} else if before == nil {
			before = lists
		}
		return before != nil && listedSince(before, lists) && err == nil, fmt.Sprintf("%d instances run, expected %d that the plugin has listed", running, count), err
	})
}

// listedSince reports whether a list began after before was counted.
func listedSince(before, now map[string]int) bool {
	for name, times := range now {
		if times >= before[name]+2 { // the first may have begun before
			return true
		}
	}
	return false
}

// HangUp sends SIGHUP to the runner and all that it has started, as systemctl
// kill does, and waits until the plugin has listed instances since.
func (t *Testbed) HangUp(ctx context.Context) error {
	_, before, err := t.observe(ctx)
	if err != nil {
		return err
	}
	signalGroup(t.runner.command.Process, syscall.SIGHUP)
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		_, lists, err := t.observe(ctx)
		return listedSince(before, lists) && err == nil, "the plugin has listed nothing since SIGHUP", err
	})
}

// observe counts the instances that run, and the plugin's lists by operation.
func (t *Testbed) observe(ctx context.Context) (running int, lists map[string]int, err error) {
	all, err := t.Simulator.Instances(ctx)
	if err != nil {
		return 0, nil, err
	}
	running = len(slices.DeleteFunc(all, func(i armsim.InstanceInfo) bool { return !load.Serving(i) }))
	journal, err := t.Simulator.Journal(ctx)
	lists = map[string]int{}
	for _, e := range journal {
		if strings.Contains(e.Operation, "_List") {
			lists[e.Operation]++
		}
	}
	return running, lists, err
}

// AwaitGone waits until there is no instance with this vmId.
func (t *Testbed) AwaitGone(ctx context.Context, vmID string) error {
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		all, err := t.Simulator.Instances(ctx)
		found := slices.ContainsFunc(all, func(i armsim.InstanceInfo) bool { return i.VMID == vmID })
		return err == nil && !found, fmt.Sprintf("instance %s is not deleted", vmID), err
	})
}
