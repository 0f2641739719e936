package armapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// Instances implements instancegroup.Cloud.
func (c *Client) Instances(ctx context.Context) (all []instancegroup.Instance, err error) {
	pager := c.instances.NewListPager(c.group, c.name, &armcompute.VirtualMachineScaleSetVMsClientListOptions{
		Expand: to.Ptr("instanceView"),
	})
	err = c.readList(ctx, "list the instances of", listClass, into(&all, pager,
		func(p armcompute.VirtualMachineScaleSetVMsClientListResponse) ([]*armcompute.VirtualMachineScaleSetVM, *string) {
			return p.Value, p.NextLink
		},
		each(func(vm armcompute.VirtualMachineScaleSetVM) (instancegroup.Instance, bool) {
			return instanceOf(vm), true
		})))
	return all, err
}

// Instance implements instancegroup.Cloud.
func (c *Client) Instance(ctx context.Context, instanceID string) (i instancegroup.Instance, err error) {
	op := fmt.Sprintf("read instance %q of", instanceID)
	err = c.read(ctx, op, func(ctx context.Context) error {
		r, err := c.instances.Get(ctx, c.group, c.name, instanceID, &armcompute.VirtualMachineScaleSetVMsClientGetOptions{
			Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView),
		})
		if err != nil {
			return err
		}
		if r.ID == nil {
			return errors.New("the answer holds no instance")
		}
		i = instanceOf(r.VirtualMachineScaleSetVM)
		return nil
	})
	return i, err
}

func instanceOf(vm armcompute.VirtualMachineScaleSetVM) instancegroup.Instance {
	p := val(vm.Properties)
	statuses := val(p.InstanceView).Statuses
	i := instancegroup.Instance{
		ID:                val(vm.ID),
		Name:              val(vm.Name),
		InstanceID:        val(vm.InstanceID),
		VMID:              val(p.VMID),
		ProvisioningState: val(p.ProvisioningState),
		HasView:           p.InstanceView != nil,
		PowerState:        powerState(statuses),
		Failure:           failure(statuses),
		LatestModel:       val(p.LatestModelApplied),
	}
	if zones := texts(vm.Zones); len(zones) > 0 {
		i.Zone = zones[0]
	}
	return i
}

// powerState reads the code "PowerState/running" among the statuses, whose
// order and capitals are not promised.
func powerState(statuses []*armcompute.InstanceViewStatus) string {
	for _, s := range statuses {
		if state, ok := strings.CutPrefix(strings.ToLower(val(val(s).Code)), "powerstate/"); ok {
			return state
		}
	}
	return ""
}

// failure reads the code "ProvisioningState/failed/AllocationFailed" and its
// message, in one line.
func failure(statuses []*armcompute.InstanceViewStatus) string {
	const prefix = "provisioningstate/failed"
	for _, s := range statuses {
		code := val(val(s).Code)
		if len(code) < len(prefix) || !strings.EqualFold(code[:len(prefix)], prefix) {
			continue
		}
		reason := strings.Trim(code[len(prefix):], "/")
		message := val(s.Message)
		if reason != "" && message != "" {
			reason += ": "
		}
		return armerr.Line(reason + message)
	}
	return ""
}
