package armapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func markOf(m machine) (mark vmss.Mark, byPolicy bool) {
	return vmss.MarkOf(m.Tags, m.Properties.Protection)
}

func hasMarkTag(i vmss.Instance) bool {
	for name := range i.Tags {
		if strings.EqualFold(name, vmss.MarkTag) {
			return true
		}
	}
	return false
}

// markedTags are the tags of an instance with another mark: a write replaces them all.
func markedTags(i vmss.Instance, mark vmss.Mark) map[string]*string {
	tags := map[string]*string{}
	for name, value := range i.Tags {
		if !strings.EqualFold(name, vmss.MarkTag) {
			tags[name] = to.Ptr(value)
		}
	}
	if mark != vmss.Unmarked {
		tags[vmss.MarkTag] = to.Ptr(string(mark))
	}
	return tags
}

// Mark implements vmss.Instances. No document says whether an instance of a Uniform scale
// set keeps tags of its own. In the tests of kubernetes-sigs/cloud-provider-azure
// (virtualmachinescalesetvmclient) Azure accepts such a write, and neither the response
// nor a later read has the tags. Where they are refused or lost, its protection from
// scale-in is the mark of one that is suspended, and the warm pool's has none. Either is
// part of the list.
func (u uniform) Mark(ctx context.Context, i vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	if mark == vmss.Unmarked {
		return u.unmark(ctx, i)
	}
	if !u.tagsTested.Load() {
		if o, done, err := u.firstMark(ctx, i, mark); done || err != nil {
			return o, err
		}
	}
	if u.tagsRefused.Load() {
		return u.markByPolicy(ctx, i, mark)
	}
	response, err := u.writeTags(ctx, i, mark)
	return operationOf(response), err
}

// unmark removes the mark where it is. A list that is behind does not show where: it is
// where this process has put it.
func (u uniform) unmark(ctx context.Context, i vmss.Instance) (vmss.Operation, error) {
	if hasMarkTag(i) || !u.tagsRefused.Load() && (!i.ByPolicy || i.Mark.IsWarm()) {
		response, err := u.writeTags(ctx, i, vmss.Unmarked)
		return operationOf(response), err
	}
	if i.Mark.IsWarm() {
		return "", nil // it has none; what protects the instance is somebody else's
	}
	return u.writePolicy(ctx, i, false)
}

// firstMark writes a mark as a tag, and finds out by it whether tags are kept. Of many
// marks at a time one does so: it is not done where another was before.
func (u uniform) firstMark(ctx context.Context, i vmss.Instance, mark vmss.Mark) (_ vmss.Operation, done bool, _ error) {
	select {
	case u.tagsTest <- struct{}{}:
		defer func() { <-u.tagsTest }()
	case <-ctx.Done():
		return "", false, armerr.From(markingOf(i.InstanceID), u.object(), ctx.Err())
	}
	if u.tagsTested.Load() {
		return "", false, nil
	}
	response, err := u.writeTags(ctx, i, mark)
	if err != nil && !refusesTags(err) {
		return "", false, err
	}
	u.tagsRefused.Store(err != nil || losesMark(response, mark))
	u.tagsTested.Store(true)
	return operationOf(response), !u.tagsRefused.Load(), nil
}

// refusesTags reports whether an error of a first mark may be about tags: in which words
// Azure would refuse them no source shows. What has no code of Azure's is from a proxy.
func refusesTags(err error) bool {
	e, ok := errors.AsType[*armerr.Error](err)
	return ok && e.Code != "" && armerr.Is(err, armerr.Invalid, armerr.Unknown)
}

// markByPolicy is for instances that keep no tags.
func (u uniform) markByPolicy(ctx context.Context, i vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	if mark.IsWarm() {
		return "", nil
	}
	return u.writePolicy(ctx, i, true)
}

// writePolicy writes the protection policy of an instance; Microsoft's page on instance
// protection shows a write like this one. It never protects from actions on the scale set:
// by that page such an instance is left out of them, and the plugin deallocates and starts
// through the scale set.
func (u uniform) writePolicy(ctx context.Context, i vmss.Instance, fromScaleIn bool) (vmss.Operation, error) {
	policy := armcompute.VirtualMachineScaleSetVMProtectionPolicy{ProtectFromScaleIn: to.Ptr(fromScaleIn), ProtectFromScaleSetActions: to.Ptr(false)}
	response, err := u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Properties: &armcompute.VirtualMachineScaleSetVMProperties{ProtectionPolicy: &policy}})
	return operationOf(response), err
}

func (u uniform) writeTags(ctx context.Context, i vmss.Instance, mark vmss.Mark) (*http.Response, error) {
	return u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Tags: markedTags(i, mark)})
}

// losesMark reports whether the response to a write of a mark shows the instance without
// it.
func losesMark(response *http.Response, mark vmss.Mark) bool {
	body, err := runtime.Payload(response)
	if err != nil {
		return false
	}
	var shown machine
	if json.Unmarshal(body, &shown) != nil || shown.ID == "" {
		return false
	}
	kept, byPolicy := markOf(shown)
	return byPolicy || kept != mark
}

func markingOf(instanceID string) string { return fmt.Sprintf("mark instance %q of", instanceID) }

// updateInstance writes a part of an instance; what is left out stays.
func (u uniform) updateInstance(ctx context.Context, instanceID string, part armcompute.VirtualMachineScaleSetVM) (*http.Response, error) {
	op := markingOf(instanceID)
	if err := checkName(instanceID); err != nil {
		return nil, armerr.From(op, u.object(), err)
	}
	return u.accepted(ctx, op, func(ctx context.Context) error {
		_, err := u.members.BeginUpdate(ctx, u.group, u.name, instanceID, part, nil)
		return err
	})
}

// Mark implements vmss.Instances, by a tag of the virtual machine. Its protection policy
// would not be part of the list.
func (f flexible) Mark(ctx context.Context, i vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	op := fmt.Sprintf("mark virtual machine %q of", i.InstanceID)
	if err := checkName(i.InstanceID); err != nil {
		return "", armerr.From(op, f.object(), err)
	}
	return f.write(ctx, op, func(ctx context.Context) error {
		_, err := f.machines.BeginUpdate(ctx, f.group, i.InstanceID, armcompute.VirtualMachineUpdate{Tags: markedTags(i, mark)}, nil)
		return err
	})
}
