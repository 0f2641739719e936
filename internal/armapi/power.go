package armapi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// errAllInstances is for lists of IDs by which Azure would take all instances: an empty
// one, or one with a wildcard (recording 20).
var errAllInstances = errors.New("an instance ID is empty or a wildcard; nothing was sent")

// powerAction is a change of the power state of named instances.
type powerAction struct {
	verb string
	set  func(ctx context.Context, c *Client, ids *armcompute.VirtualMachineScaleSetVMInstanceIDs) error
	one  func(ctx context.Context, c *Client, name string) error // in Flexible orchestration mode alone
}

func deallocation(hibernate bool) powerAction {
	var h *bool
	if hibernate {
		h = &hibernate
	}
	return powerAction{
		verb: "deallocate",
		set: func(ctx context.Context, c *Client, ids *armcompute.VirtualMachineScaleSetVMInstanceIDs) error {
			_, err := c.sets.BeginDeallocate(ctx, c.group, c.name, &armcompute.VirtualMachineScaleSetsClientBeginDeallocateOptions{VMInstanceIDs: ids, Hibernate: h})
			return err
		},
		one: func(ctx context.Context, c *Client, name string) error {
			_, err := c.machines.BeginDeallocate(ctx, c.group, name, &armcompute.VirtualMachinesClientBeginDeallocateOptions{Hibernate: h})
			return err
		},
	}
}

func start() powerAction {
	return powerAction{
		verb: "start",
		set: func(ctx context.Context, c *Client, ids *armcompute.VirtualMachineScaleSetVMInstanceIDs) error {
			_, err := c.sets.BeginStart(ctx, c.group, c.name, &armcompute.VirtualMachineScaleSetsClientBeginStartOptions{VMInstanceIDs: ids})
			return err
		},
		one: func(ctx context.Context, c *Client, name string) error {
			_, err := c.machines.BeginStart(ctx, c.group, name, nil)
			return err
		},
	}
}

// changePower changes the power state through the scale set, in one call. It may be sent
// again after a lost response: what is off or on already stays so.
func (c *Client) changePower(ctx context.Context, a powerAction, instanceIDs []string) (vmss.PowerOutcome, error) {
	op := fmt.Sprintf("%s %d instances of", a.verb, len(instanceIDs))
	if len(instanceIDs) == 0 || slices.Contains(instanceIDs, "*") || slices.Contains(instanceIDs, "") {
		return vmss.PowerOutcome{}, armerr.From(op, c.object(), errAllInstances)
	}
	ids := &armcompute.VirtualMachineScaleSetVMInstanceIDs{InstanceIDs: to.SliceOfPtrs(instanceIDs...)}
	o, err := c.write(ctx, op, func(ctx context.Context) error { return a.set(ctx, c, ids) })
	switch {
	case err == nil:
		return vmss.PowerOutcome{Accepted: instanceIDs, Operation: o}, nil
	case armerr.MayHaveTakenEffect(err):
		return vmss.PowerOutcome{Doubtful: instanceIDs}, err
	}
	return vmss.PowerOutcome{}, err
}

// change does it for one VM after the other where the scale set refuses the call:
// recording 21 deallocates so, and nobody has recorded a start of several.
func (f flexible) change(ctx context.Context, a powerAction, names []string) (vmss.PowerOutcome, error) {
	outcome, err := f.changePower(ctx, a, names)
	if armerr.KindOf(err) != armerr.NotAllowedForMode {
		return outcome, err
	}
	var failed []error
	for _, name := range names {
		o, err := f.changeOne(ctx, a, name)
		switch {
		case err == nil:
			outcome.Accepted, outcome.Operation = append(outcome.Accepted, name), o
			continue
		case armerr.MayHaveTakenEffect(err):
			outcome.Doubtful = append(outcome.Doubtful, name)
		}
		failed = append(failed, err)
		if armerr.IsSystemic(err) {
			break
		}
	}
	if len(outcome.Accepted) > 1 {
		outcome.Operation = "" // each has its own
	}
	return outcome, armerr.Join(failed...)
}

func (f flexible) changeOne(ctx context.Context, a powerAction, name string) (vmss.Operation, error) {
	op := fmt.Sprintf("%s virtual machine %q of", a.verb, name)
	if err := checkName(name); err != nil {
		return "", armerr.From(op, f.object(), err)
	}
	return f.write(ctx, op, func(ctx context.Context) error { return a.one(ctx, f.Client, name) })
}

// Deallocate implements vmss.Instances.
func (u uniform) Deallocate(ctx context.Context, instanceIDs []string, hibernate bool) (vmss.PowerOutcome, error) {
	return u.changePower(ctx, deallocation(hibernate), instanceIDs)
}

// Start implements vmss.Instances.
func (u uniform) Start(ctx context.Context, instanceIDs []string) (vmss.PowerOutcome, error) {
	return u.changePower(ctx, start(), instanceIDs)
}

// Deallocate implements vmss.Instances.
func (f flexible) Deallocate(ctx context.Context, names []string, hibernate bool) (vmss.PowerOutcome, error) {
	return f.change(ctx, deallocation(hibernate), names)
}

// Start implements vmss.Instances.
func (f flexible) Start(ctx context.Context, names []string) (vmss.PowerOutcome, error) {
	return f.change(ctx, start(), names)
}
