package armapi

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// VirtualMachines implements instancegroup.Cloud. Whether Azure adds the
// instance views to the models or sends them instead is not documented, so a
// VM that does not name its scale set is taken to be what we asked for.
func (c *Client) VirtualMachines(ctx context.Context) ([]instancegroup.Instance, error) {
	return c.machines(ctx, "list the virtual machines of", to.Ptr(armcompute.ExpandTypeForListVMsInstanceView))
}

// VirtualMachineModels implements instancegroup.Cloud. A model names the scale
// set; a VM whose model does not is in none.
func (c *Client) VirtualMachineModels(ctx context.Context) ([]instancegroup.Instance, error) {
	return c.machines(ctx, "list the models of the virtual machines of", nil)
}

func (c *Client) machines(
	ctx context.Context, op string, expand *armcompute.ExpandTypeForListVMs,
) (all []instancegroup.Instance, err error) {
	pager := c.virtual.NewListPager(c.group, &armcompute.VirtualMachinesClientListOptions{
		// The quotes around the field are Azure's (cloud-provider-azure).
		Filter: to.Ptr(fmt.Sprintf("'virtualMachineScaleSet/id' eq '%s'", c.id())),
		Expand: expand,
	})
	err = c.readList(ctx, op, machineListClass, into(&all, pager,
		func(p armcompute.VirtualMachinesClientListResponse) ([]*armcompute.VirtualMachine, *string) {
			return p.Value, p.NextLink
		},
		each(func(vm armcompute.VirtualMachine) (instancegroup.Instance, bool) { return c.ours(vm, expand != nil) })))
	return all, err
}

// ours converts a VM of a list, if it belongs to the scale set: a filter that was
// overlooked must not make other VMs ours. Where a model may be missing, a VM
// that names no scale set passes, but without a vmId: only the list of models
// can give it one, and with it an identity.
func (c *Client) ours(vm armcompute.VirtualMachine, bare bool) (instancegroup.Instance, bool) {
	i, set := machineOf(vm), setOf(vm)
	if set == "" && bare {
		i.VMID = ""
		return i, true
	}
	return i, strings.EqualFold(set, c.id())
}

// VirtualMachine implements instancegroup.Cloud. A VM that has left the scale
// set is not found.
func (c *Client) VirtualMachine(ctx context.Context, name string) (i instancegroup.Instance, err error) {
	op := fmt.Sprintf("read virtual machine %q of", name)
	err = c.read(ctx, op, func(ctx context.Context) error {
		if err := checkName(name); err != nil {
			return err
		}
		r, err := c.virtual.Get(ctx, c.group, name, &armcompute.VirtualMachinesClientGetOptions{
			Expand: to.Ptr(armcompute.InstanceViewTypesInstanceView),
		})
		if err != nil {
			return err
		}
		if r.ID == nil {
			return errors.New("the answer holds no virtual machine")
		}
		if !strings.EqualFold(setOf(r.VirtualMachine), c.id()) {
			return &armerr.Error{Op: op, Object: c.object(), Kind: armerr.NotFound, Message: "the virtual machine does not belong to the scale set"}
		}
		i = machineOf(r.VirtualMachine)
		return nil
	})
	return i, err
}

// DeleteVirtualMachine implements instancegroup.Cloud. It may be sent again
// after a lost answer, as a VM is deleted only once.
func (c *Client) DeleteVirtualMachine(ctx context.Context, name string) error {
	op := fmt.Sprintf("delete virtual machine %q of", name)
	if err := checkName(name); err != nil {
		return armerr.From(op, c.object(), err)
	}
	_, err := c.write(ctx, op, func(ctx context.Context) error {
		_, err := c.virtual.BeginDelete(ctx, c.group, name, nil)
		return err
	})
	return err
}

// checkName refuses names that no VM has and that, in a path, could stand for
// another resource.
func checkName(name string) error {
	if strings.Trim(name, ".") == "" || strings.ContainsAny(name, `/\*?#%`) {
		return errors.New("this is not the name of a virtual machine")
	}
	return nil
}

// GroupInterfaces implements instancegroup.Cloud. An interface of a VM outside
// of the scale set is in the list, too: its VM tells.
func (c *Client) GroupInterfaces(ctx context.Context) (all []instancegroup.Interface, err error) {
	err = c.read(ctx, "list the network interfaces of the resource group of", into(&all, c.interfaces.NewListPager(c.group, nil),
		func(p armnetwork.InterfacesClientListResponse) ([]*armnetwork.Interface, *string) {
			return p.Value, p.NextLink
		},
		each(func(n armnetwork.Interface) (instancegroup.Interface, bool) {
			i := interfaceOf(n)
			return i, i.VMID != ""
		})))
	return all, err
}

// GroupPublicAddresses implements instancegroup.Cloud, with the words of
// PublicAddresses.
func (c *Client) GroupPublicAddresses(ctx context.Context) (all map[string]netip.Addr, err error) {
	err = c.read(ctx, "list the public addresses of the resource group of", into(&all, c.addresses.NewListPager(c.group, nil),
		func(p armnetwork.PublicIPAddressesClientListResponse) ([]*armnetwork.PublicIPAddress, *string) {
			return p.Value, p.NextLink
		}, addressesOf))
	return all, err
}

// setOf returns the ID of the scale set that the VM says it is in.
func setOf(vm armcompute.VirtualMachine) string {
	return val(val(val(vm.Properties).VirtualMachineScaleSet).ID)
}

// machineOf converts a VM of a Flexible scale set, which has no number and
// does not tell whether it has the latest model.
func machineOf(vm armcompute.VirtualMachine) instancegroup.Instance {
	p := val(vm.Properties)
	statuses := val(p.InstanceView).Statuses
	i := instancegroup.Instance{
		ID:                val(vm.ID),
		Name:              val(vm.Name),
		VMID:              val(p.VMID),
		ProvisioningState: val(p.ProvisioningState),
		HasView:           p.InstanceView != nil,
		PowerState:        powerState(statuses),
		Failure:           failure(statuses),
		LatestModel:       true,
	}
	if i.Name == "" {
		i.Name = i.ID[strings.LastIndex(i.ID, "/")+1:]
	}
	i.InstanceID = i.Name
	if i.ProvisioningState == "" {
		i.ProvisioningState = provisioningState(statuses)
	}
	if zones := texts(vm.Zones); len(zones) > 0 {
		i.Zone = zones[0]
	}
	return i
}

// provisioningState reads the state in the code "ProvisioningState/succeeded"
// or "ProvisioningState/failed/AllocationFailed".
func provisioningState(statuses []*armcompute.InstanceViewStatus) string {
	const prefix = "provisioningstate/"
	for _, s := range statuses {
		code := val(val(s).Code)
		if len(code) >= len(prefix) && strings.EqualFold(code[:len(prefix)], prefix) {
			state, _, _ := strings.Cut(code[len(prefix):], "/")
			return state
		}
	}
	return ""
}
