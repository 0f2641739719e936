package instancegroup

import (
	"net/netip"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// addresses are where a member is reached.
type addresses struct {
	private netip.Addr
	public  netip.Addr
}

// primaryConfigs picks the IP configuration for each wanted instance: the
// primary one of its primary interface, or the first where Azure marks none.
func primaryConfigs(interfaces []vmss.Interface, wanted map[string]string) map[string]vmss.IPConfig {
	configs, primary := map[string]vmss.IPConfig{}, map[string]bool{}
	for _, nic := range interfaces {
		id, ok := wanted[nic.VMID]
		if _, have := configs[id]; !ok || have && (primary[id] || !nic.Primary) {
			continue
		}
		if config, ok := primaryConfig(nic.Configs); ok {
			configs[id], primary[id] = config, nic.Primary
		}
	}
	return configs
}

// primaryConfig picks the primary configuration of an interface, IPv4 before
// IPv6 among equals. If it has no public address, that of another one of the
// same interface serves, so that an IPv6 address does too.
func primaryConfig(configs []vmss.IPConfig) (vmss.IPConfig, bool) {
	var chosen vmss.IPConfig
	public := ""
	for _, config := range configs {
		if config.Private.IsValid() && (!chosen.Private.IsValid() || better(config, chosen)) {
			chosen = config
		}
		if public == "" {
			public = config.PublicID
		}
	}
	if chosen.PublicID == "" {
		chosen.PublicID = public
	}
	return chosen, chosen.Private.IsValid()
}

func better(a, b vmss.IPConfig) bool {
	if a.Primary != b.Primary {
		return a.Primary
	}
	return a.Private.Is4() && !b.Private.Is4()
}
