package armapi

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// uniform instances are part of the scale set and have numbers.
type uniform struct{ *Client }

// List implements vmss.Instances. Here no list leaves out a vmId
// for good, so that vmID is not needed.
func (u uniform) List(ctx context.Context, _ func(string) string) (all []vmss.Instance, err error) {
	pager := u.instances.NewListPager(u.group, u.name, &armcompute.VirtualMachineScaleSetVMsClientListOptions{
		Expand: to.Ptr("instanceView"),
	})
	err = u.readList(ctx, "list the instances of", budget.ListInstances, into(&all, pager,
		func(p armcompute.VirtualMachineScaleSetVMsClientListResponse) ([]*armcompute.VirtualMachineScaleSetVM, *string) {
			return p.Value, p.NextLink
		},
		each(func(vm armcompute.VirtualMachineScaleSetVM) (vmss.Instance, bool) {
			return instanceOf(vm), true
		})))
	return all, err
}

// ListsRemaining implements vmss.Instances.
func (u uniform) ListsRemaining() int { return u.budget.Remaining(budget.ListInstances) }

// Get implements vmss.Instances.
func (u uniform) Get(ctx context.Context, instanceID string) (i vmss.Instance, err error) {
	op := fmt.Sprintf("read instance %q of", instanceID)
	err = u.read(ctx, op, func(ctx context.Context) error {
		r, err := u.instances.Get(ctx, u.group, u.name, instanceID, &armcompute.VirtualMachineScaleSetVMsClientGetOptions{
			Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView),
		})
		if err != nil {
			return err
		}
		if r.ID == nil {
			return errNoID
		}
		i = instanceOf(r.VirtualMachineScaleSetVM)
		return nil
	})
	return i, err
}

// Interfaces implements vmss.Instances.
func (u uniform) Interfaces(ctx context.Context) (all []vmss.Interface, err error) {
	pager := u.interfaces.NewListVirtualMachineScaleSetNetworkInterfacesPager(u.group, u.name, nil)
	err = u.read(ctx, "list the network interfaces of", into(&all, pager,
		func(p armnetwork.InterfacesClientListVirtualMachineScaleSetNetworkInterfacesResponse) ([]*armnetwork.Interface, *string) {
			return p.Value, p.NextLink
		},
		each(func(n armnetwork.Interface) (vmss.Interface, bool) { return interfaceOf(n), true })))
	return all, err
}

// PublicAddresses implements vmss.Instances. Addresses that Azure has not
// allocated yet are left out. The IDs are those that the interfaces name.
func (u uniform) PublicAddresses(ctx context.Context) (all map[string]netip.Addr, err error) {
	pager := u.addresses.NewListVirtualMachineScaleSetPublicIPAddressesPager(u.group, u.name, nil)
	err = u.read(ctx, "list the public addresses of", into(&all, pager,
		func(p armnetwork.PublicIPAddressesClientListVirtualMachineScaleSetPublicIPAddressesResponse) ([]*armnetwork.PublicIPAddress, *string) {
			return p.Value, p.NextLink
		}, addressesOf))
	return all, err
}

// Delete implements vmss.Instances, in one call.
func (u uniform) Delete(ctx context.Context, instanceIDs []string) ([]string, vmss.Operation, error) {
	o, err := u.deleteInstances(ctx, instanceIDs)
	if err != nil {
		return nil, "", err
	}
	return instanceIDs, o, nil
}
