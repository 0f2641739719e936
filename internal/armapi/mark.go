package armapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// protection is the protection policy of an instance.
type protection struct {
	FromScaleIn bool `json:"protectFromScaleIn"`
	FromActions bool `json:"protectFromScaleSetActions"`
}

// markOf reads the mark of an instance: its tag, or where that is not there, the
// protection from all actions. Azure keeps the case of a tag's name and compares it
// without (Microsoft's page on tags).
func markOf(m machine) (mark vmss.Mark, byPolicy bool) {
	for name, value := range m.Tags {
		if strings.EqualFold(name, vmss.MarkTag) {
			return vmss.Mark(value), false
		}
	}
	if p := m.Properties.Protection; p.FromScaleIn && p.FromActions {
		return vmss.Suspended, true
	}
	return vmss.Unmarked, false
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
// set takes tags of its own; where it does not, its protection policy is the mark, of
// which Microsoft's page on instance protection shows a write like this one. Either is
// part of the list.
func (u uniform) Mark(ctx context.Context, i vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	if !i.ByPolicy && !u.tagsRefused.Load() {
		o, err := u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Tags: markedTags(i, mark)})
		if !armerr.Is(err, armerr.Invalid, armerr.Unknown) {
			return o, err
		}
		u.tagsRefused.Store(true)
	}
	if mark.IsWarm() { // a protection policy is one mark, and this would be another
		return "", &armerr.Error{Op: fmt.Sprintf("mark instance %q of", i.InstanceID), Object: u.object(), Kind: armerr.NotAllowedForMode, Message: "its instances take no tags, which a warm pool needs", Hint: "set warm_pool_size = 0"}
	}
	on := mark != vmss.Unmarked
	policy := armcompute.VirtualMachineScaleSetVMProtectionPolicy{ProtectFromScaleIn: to.Ptr(on), ProtectFromScaleSetActions: to.Ptr(on)}
	return u.updateInstance(ctx, i.InstanceID, armcompute.VirtualMachineScaleSetVM{Properties: &armcompute.VirtualMachineScaleSetVMProperties{ProtectionPolicy: &policy}})
}

// updateInstance writes a part of an instance; what is left out stays.
func (u uniform) updateInstance(ctx context.Context, instanceID string, part armcompute.VirtualMachineScaleSetVM) (vmss.Operation, error) {
	op := fmt.Sprintf("mark instance %q of", instanceID)
	if err := checkName(instanceID); err != nil {
		return "", armerr.From(op, u.object(), err)
	}
	return u.write(ctx, op, func(ctx context.Context) error {
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
