package testbed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
		journal, failed := t.Simulator.Journal(ctx)
		listed := slices.ContainsFunc(journal, func(e armsim.Entry) bool {
			return strings.HasPrefix(e.Operation, "VirtualMachine") && strings.HasSuffix(e.Operation, "s_List") && e.Time.After(since)
		})
		return listed && !since.IsZero(), fmt.Sprintf("%d instances run, expected %d that the plugin has listed", len(all), count), errors.Join(err, failed)
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
