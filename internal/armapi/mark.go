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
	return vmss.MarkOf(m.Tags, m.Properties.Protection, isOff(m))
}

func isOff(m machine) bool {
	power := powerState(val(m.Properties.View).Statuses)
	return power == "deallocated" || power == "deallocating"
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
// nor a later read has the tags. Where they are refused or lost, its protection policy is
// the mark, of which Microsoft's page on instance protection shows a write like this one.
// Either is part of the list.
func (u uniform) Mark(ctx context.Context, i vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	if !u.tagsTested.Load() {
		u.tagsTest <- struct{}{} // of many marks at a time one finds out
		defer func() { <-u.tagsTest }()
	}
	if !i.ByPolicy && !u.tagsRefused.Load() {
		response, err := u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Tags: markedTags(i, mark)})
		if err != nil && !armerr.Is(err, armerr.Invalid, armerr.Unknown) {
			return "", err
		}
		u.tagsRefused.Store(err != nil || losesMark(response, mark))
		u.tagsTested.Store(u.tagsTested.Load() || mark != vmss.Unmarked)
		if !u.tagsRefused.Load() {
			return operationOf(response), nil
		}
	}
	policy := armcompute.VirtualMachineScaleSetVMProtectionPolicy{ProtectFromScaleIn: to.Ptr(mark != vmss.Unmarked), ProtectFromScaleSetActions: to.Ptr(mark == vmss.Suspended)}
	response, err := u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Properties: &armcompute.VirtualMachineScaleSetVMProperties{ProtectionPolicy: &policy}})
	switch {
	case err == nil:
		return operationOf(response), nil
	case mark.IsWarm() && armerr.Is(err, armerr.Invalid, armerr.Unknown):
		return "", unmarkable(err)
	}
	return "", err
}

// unmarkable is the refusal of a protection policy, where there are no tags.
func unmarkable(err error) error {
	e, ok := errors.AsType[*armerr.Error](err)
	if !ok {
		return err
	}
	refused := *e
	refused.Kind, refused.Hint = armerr.NotAllowedForMode, "set warm_pool_size = 0"
	refused.Message = "its instances take neither tags nor a protection policy, one of which a warm pool needs: " + e.Message
	return &refused
}

// losesMark reports whether the response to a write of a mark shows the instance without
// it.
func losesMark(response *http.Response, mark vmss.Mark) bool {
	body, err := runtime.Payload(response)
	if err != nil || mark == vmss.Unmarked {
		return false
	}
	var shown machine
	if json.Unmarshal(body, &shown) != nil || shown.ID == "" {
		return false
	}
	kept, byPolicy := markOf(shown)
	return byPolicy || kept != mark
}

// updateInstance writes a part of an instance; what is left out stays.
func (u uniform) updateInstance(ctx context.Context, instanceID string, part armcompute.VirtualMachineScaleSetVM) (*http.Response, error) {
	op := fmt.Sprintf("mark instance %q of", instanceID)
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
