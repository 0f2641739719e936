package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// naive is a plugin as one writes it in an afternoon: each Update lists, each
// ConnectInfo reads an interface, each Increase writes the capacity, and each Decrease
// deletes. It knows no limits; the SDK tries again as it does by default.
type naive struct {
	subscription, group, name string
	flexible                  bool
	credential                azcore.TokenCredential
	options                   *arm.ClientOptions

	sets       *armcompute.VirtualMachineScaleSetsClient
	instances  *armcompute.VirtualMachineScaleSetVMsClient
	machines   *armcompute.VirtualMachinesClient
	interfaces *armnetwork.InterfacesClient

	mu   sync.Mutex
	nics map[string]string // names of interfaces by VM, in Flexible mode
}

// Init implements provider.InstanceGroup.
func (n *naive) Init(context.Context, hclog.Logger, provider.Settings) (provider.ProviderInfo, error) {
	n.nics = map[string]string{}
	info := provider.ProviderInfo{ID: "naive/" + n.name, MaxSize: 1000}
	compute, err := armcompute.NewClientFactory(n.subscription, n.credential, n.options)
	if err != nil {
		return info, err
	}
	network, err := armnetwork.NewClientFactory(n.subscription, n.credential, n.options)
	if err != nil {
		return info, err
	}
	n.sets, n.instances = compute.NewVirtualMachineScaleSetsClient(), compute.NewVirtualMachineScaleSetVMsClient()
	n.machines, n.interfaces = compute.NewVirtualMachinesClient(), network.NewInterfacesClient()
	return info, nil
}

// Update implements provider.InstanceGroup.
func (n *naive) Update(ctx context.Context, fn func(string, provider.State)) error {
	if n.flexible {
		return n.updateFlexible(ctx, fn)
	}
	pager := n.instances.NewListPager(n.group, n.name, &armcompute.VirtualMachineScaleSetVMsClientListOptions{Expand: to.Ptr("instanceView")})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, vm := range page.Value {
			var statuses []*armcompute.InstanceViewStatus
			if vm.Properties.InstanceView != nil {
				statuses = vm.Properties.InstanceView.Statuses
			}
			fn(*vm.InstanceID, stateOf(vm.Properties.ProvisioningState, statuses))
		}
	}
	return nil
}

func (n *naive) updateFlexible(ctx context.Context, fn func(string, provider.State)) error {
	set := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachineScaleSets/%s", n.subscription, n.group, n.name)
	pager := n.machines.NewListPager(n.group, &armcompute.VirtualMachinesClientListOptions{
		Filter: to.Ptr(fmt.Sprintf("'virtualMachineScaleSet/id' eq '%s'", set)), Expand: to.Ptr(armcompute.ExpandTypeForListVMsInstanceView),
	})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, vm := range page.Value {
			var statuses []*armcompute.InstanceViewStatus
			if vm.Properties.InstanceView != nil {
				statuses = vm.Properties.InstanceView.Statuses
			}
			n.keepInterface(vm)
			fn(*vm.Name, stateOf(vm.Properties.ProvisioningState, statuses))
		}
	}
	return nil
}

func (n *naive) keepInterface(vm *armcompute.VirtualMachine) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if profile := vm.Properties.NetworkProfile; profile != nil && len(profile.NetworkInterfaces) > 0 {
		id := *profile.NetworkInterfaces[0].ID
		n.nics[*vm.Name] = id[strings.LastIndexByte(id, '/')+1:]
	}
}

func stateOf(provisioning *string, statuses []*armcompute.InstanceViewStatus) provider.State {
	switch {
	case provisioning == nil:
		return provider.StateCreating
	case *provisioning == "Deleting":
		return provider.StateDeleting
	case *provisioning == "Failed":
		return provider.StateDeleted
	}
	for _, s := range statuses {
		if s != nil && s.Code != nil && strings.EqualFold(*s.Code, "PowerState/running") && *provisioning == "Succeeded" {
			return provider.StateRunning
		}
	}
	return provider.StateCreating
}

// Increase implements provider.InstanceGroup.
func (n *naive) Increase(ctx context.Context, count int) (int, error) {
	set, err := n.sets.Get(ctx, n.group, n.name, nil)
	if err != nil {
		return 0, err
	}
	capacity := *set.SKU.Capacity + int64(count)
	_, err = n.sets.BeginUpdate(ctx, n.group, n.name, armcompute.VirtualMachineScaleSetUpdate{SKU: &armcompute.SKU{Capacity: &capacity}}, nil)
	if err != nil {
		return 0, err
	}
	return count, nil
}

// Decrease implements provider.InstanceGroup.
func (n *naive) Decrease(ctx context.Context, ids []string) ([]string, error) {
	_, err := n.sets.BeginDeleteInstances(ctx, n.group, n.name, armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs{InstanceIDs: to.SliceOfPtrs(ids...)}, nil)
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// ConnectInfo implements provider.InstanceGroup.
func (n *naive) ConnectInfo(ctx context.Context, id string) (provider.ConnectInfo, error) {
	info := provider.ConnectInfo{ID: id}
	nic, err := n.interfaceOf(ctx, id)
	if err != nil {
		return info, err
	}
	if len(nic.Properties.IPConfigurations) == 0 || nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress == nil {
		return info, errors.New("no address")
	}
	info.InternalAddr = *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress
	_, err = netip.ParseAddr(info.InternalAddr)
	return info, err
}

func (n *naive) interfaceOf(ctx context.Context, id string) (*armnetwork.Interface, error) {
	if n.flexible {
		n.mu.Lock()
		name := n.nics[id]
		n.mu.Unlock()
		nic, err := n.interfaces.Get(ctx, n.group, name, nil)
		return &nic.Interface, err
	}
	page, err := n.interfaces.NewListVirtualMachineScaleSetVMNetworkInterfacesPager(n.group, n.name, id, nil).NextPage(ctx)
	if err == nil && len(page.Value) == 0 {
		err = errors.New("no interface")
	}
	if err != nil {
		return nil, err
	}
	return page.Value[0], nil
}

// Heartbeat implements provider.InstanceGroup.
func (n *naive) Heartbeat(context.Context, string) error { return nil }

// Suspend implements provider.InstanceGroup.
func (n *naive) Suspend(context.Context, []string) ([]string, error) {
	return nil, provider.ErrSuspendResumeNotSupported
}

// Resume implements provider.InstanceGroup.
func (n *naive) Resume(context.Context, []string) ([]string, error) {
	return nil, provider.ErrSuspendResumeNotSupported
}

// Shutdown implements provider.InstanceGroup.
func (n *naive) Shutdown(context.Context) error { return nil }
