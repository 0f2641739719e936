package armapi

import (
	"net/netip"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// networkInterface is the part of a network interface that is used.
type networkInterface struct {
	Properties struct {
		Primary        bool      `json:"primary"`
		VirtualMachine reference `json:"virtualMachine"`
		Configs        []*struct {
			Properties struct {
				Primary         bool      `json:"primary"`
				PrivateAddress  string    `json:"privateIPAddress"`
				PublicIPAddress reference `json:"publicIPAddress"`
			} `json:"properties"`
		} `json:"ipConfigurations"`
	} `json:"properties"`
}

// publicAddress is the part of a public IP address resource that is used.
type publicAddress struct {
	ID         string `json:"id"`
	Properties struct {
		Address string `json:"ipAddress"`
	} `json:"properties"`
}

type reference struct {
	ID string `json:"id"`
}

func addressesOf(list []*publicAddress) map[string]netip.Addr {
	all := make(map[string]netip.Addr, len(list))
	for _, p := range list {
		if a := parseAddr(p.Properties.Address); p.ID != "" && a.IsValid() {
			all[strings.ToLower(p.ID)] = a
		}
	}
	return all
}

// interfaceOf keeps all IP configurations, IPv4 and IPv6, in their order, and
// reports whether the interface belongs to a VM.
func interfaceOf(n networkInterface) (vmss.Interface, bool) {
	p := n.Properties
	i := vmss.Interface{VMID: strings.ToLower(p.VirtualMachine.ID), Primary: p.Primary}
	for _, c := range p.Configs {
		if c == nil {
			continue
		}
		i.Configs = append(i.Configs, vmss.IPConfig{
			Primary:  c.Properties.Primary,
			Private:  parseAddr(c.Properties.PrivateAddress),
			PublicID: strings.ToLower(c.Properties.PublicIPAddress.ID),
		})
	}
	if len(i.Configs) == 1 {
		// A single configuration is the primary one, marked or not.
		i.Configs[0].Primary = true
	}
	return i, i.VMID != ""
}

// parseAddr returns the zero Addr for a missing or malformed address.
func parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
