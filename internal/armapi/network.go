package armapi

import (
	"context"
	"net/netip"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
)

// Interfaces implements instancegroup.Cloud.
func (c *Client) Interfaces(ctx context.Context) (all []instancegroup.Interface, err error) {
	pager := c.interfaces.NewListVirtualMachineScaleSetNetworkInterfacesPager(c.group, c.name, nil)
	err = c.read(ctx, "list the network interfaces of", into(&all, pager,
		func(p armnetwork.InterfacesClientListVirtualMachineScaleSetNetworkInterfacesResponse) ([]*armnetwork.Interface, *string) {
			return p.Value, p.NextLink
		},
		each(func(n armnetwork.Interface) (instancegroup.Interface, bool) { return interfaceOf(n), true })))
	return all, err
}

// PublicAddresses implements instancegroup.Cloud. An address that Azure has
// not allocated yet is left out. The IDs are those that the interfaces name.
func (c *Client) PublicAddresses(ctx context.Context) (all map[string]netip.Addr, err error) {
	pager := c.addresses.NewListVirtualMachineScaleSetPublicIPAddressesPager(c.group, c.name, nil)
	err = c.read(ctx, "list the public addresses of", into(&all, pager,
		func(p armnetwork.PublicIPAddressesClientListVirtualMachineScaleSetPublicIPAddressesResponse) ([]*armnetwork.PublicIPAddress, *string) {
			return p.Value, p.NextLink
		}, addressesOf))
	return all, err
}

func addressesOf(list []*armnetwork.PublicIPAddress) map[string]netip.Addr {
	all := make(map[string]netip.Addr, len(list))
	for _, p := range list {
		id, a := strings.ToLower(val(val(p).ID)), address(val(val(p).Properties).IPAddress)
		if id != "" && a.IsValid() {
			all[id] = a
		}
	}
	return all
}

// interfaceOf keeps all configurations in their order, of IPv4 and IPv6.
func interfaceOf(n armnetwork.Interface) instancegroup.Interface {
	p := val(n.Properties)
	i := instancegroup.Interface{
		VMID:    strings.ToLower(val(val(p.VirtualMachine).ID)),
		Primary: val(p.Primary),
	}
	for _, c := range p.IPConfigurations {
		if c == nil {
			continue
		}
		q := val(c.Properties)
		i.Configs = append(i.Configs, instancegroup.IPConfig{
			Primary:  val(q.Primary),
			Private:  address(q.PrivateIPAddress),
			PublicID: strings.ToLower(val(val(q.PublicIPAddress).ID)),
		})
	}
	if len(i.Configs) == 1 {
		// An only configuration is the primary one, marked or not.
		i.Configs[0].Primary = true
	}
	return i
}

// address returns the zero Addr where there is none yet.
func address(s *string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSpace(val(s)))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
