package armapi

import (
	"net/netip"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func addressesOf(list []*armnetwork.PublicIPAddress) map[string]netip.Addr {
	all := make(map[string]netip.Addr, len(list))
	for _, p := range list {
		id, a := strings.ToLower(val(val(p).ID)), parseAddr(val(val(p).Properties).IPAddress)
		if id != "" && a.IsValid() {
			all[id] = a
		}
	}
	return all
}

// interfaceOf keeps all IP configurations, IPv4 and IPv6, in their order.
func interfaceOf(n armnetwork.Interface) vmss.Interface {
	p := val(n.Properties)
	i := vmss.Interface{
		VMID:    strings.ToLower(val(val(p.VirtualMachine).ID)),
		Primary: val(p.Primary),
	}
	for _, c := range p.IPConfigurations {
		if c == nil {
			continue
		}
		q := val(c.Properties)
		i.Configs = append(i.Configs, vmss.IPConfig{
			Primary:  val(q.Primary),
			Private:  parseAddr(q.PrivateIPAddress),
			PublicID: strings.ToLower(val(val(q.PublicIPAddress).ID)),
		})
	}
	if len(i.Configs) == 1 {
		// A single configuration is the primary one, marked or not.
		i.Configs[0].Primary = true
	}
	return i
}

// parseAddr returns the zero Addr for a missing or malformed address.
func parseAddr(s *string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSpace(val(s)))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
