package testbed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// AwaitListed waits until count instances run and the plugin has listed them
// since: one that is evicted before that was never there for the plugin.
func (t *Testbed) AwaitListed(ctx context.Context, count int) error {
	var since time.Time // all run; zero: not all do
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		all, err := t.Simulator.Instances(ctx)
		all = slices.DeleteFunc(all, func(i armsim.InstanceInfo) bool { return !load.Serving(i) })
		if len(all) != count {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		listed, failed := t.listedSince(ctx, since)
		return listed && !since.IsZero(), fmt.Sprintf("%d instances run, expected %d that the plugin has listed", len(all), count), errors.Join(err, failed)
	})
}

// listedSince reports whether the plugin has listed instances after that time.
func (t *Testbed) listedSince(ctx context.Context, since time.Time) (bool, error) {
	journal, err := t.Simulator.Journal(ctx)
	return slices.ContainsFunc(journal, func(e armsim.Entry) bool {
		return strings.HasPrefix(e.Operation, "VirtualMachine") && strings.HasSuffix(e.Operation, "s_List") && e.Time.After(since)
	}), err
}

// HangUp sends SIGHUP to the runner and all that it has started, as systemctl
// kill does, and waits until the plugin has listed instances since.
func (t *Testbed) HangUp(ctx context.Context) error {
	since := time.Now()
	signalGroup(t.runner.command.Process, syscall.SIGHUP)
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		listed, err := t.listedSince(ctx, since)
		return listed, "the plugin has listed nothing since SIGHUP", err
	})
}

// AwaitGone waits until there is no instance with this vmId.
func (t *Testbed) AwaitGone(ctx context.Context, vmID string) error {
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		all, err := t.Simulator.Instances(ctx)
		found := slices.ContainsFunc(all, func(i armsim.InstanceInfo) bool { return i.VMID == vmID })
		return err == nil && !found, fmt.Sprintf("instance %s is not deleted", vmID), err
	})
}
