package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// reserved are the addresses of each subnet that Azure keeps (Microsoft's FAQ on virtual
// networks).
const reserved = 5

// capacity is how many IPv4 addresses a subnet has to give.
func (s *subnet) capacity() (addresses int) {
	prefixes := s.Properties.Prefixes
	if len(prefixes) == 0 {
		prefixes = []string{s.Properties.Prefix}
	}
	for _, text := range prefixes {
		prefix, err := netip.ParsePrefix(text)
		if err == nil && prefix.Addr().Is4() && prefix.Bits() > 8 {
			addresses += 1<<(32-prefix.Bits()) - reserved
		} else if err == nil && prefix.Addr().Is4() {
			return 1 << 24
		}
	}
	return addresses
}

// checkSubnet compares the addresses of each subnet with what max_instances takes.
func (c *cloud) checkSubnet(ctx context.Context) (found []Finding, _ error) {
	per, order := c.configsBySubnet()
	for _, id := range order {
		var s subnet
		err := c.azure.Get(ctx, armops.GetSubnet, id, nil, &s)
		if armerr.IsAbsent(err) {
			found = append(found, fault(0, "the subnet "+id+" does not exist", "create it again, or the scale set in another one: setup --subnet ID"))
			continue
		}
		if err != nil {
			return found, err
		}
		// Those of the scale set's own instances are among the used ones.
		free := s.capacity() - len(s.Properties.Used)
		left, most := max(free, 0)/per[id]+int(c.set.Capacity), c.scaler.MaxInstances
		if s.capacity() == 0 || most <= left || c.servesInPart(left) {
			continue
		}
		f := warning(c.line("max_instances"), fmt.Sprintf("max_instances = %d, and the subnet %s leaves room for %d: it has %d addresses without the %d that Azure keeps, and %d are used", most, id, left, s.capacity(), reserved, len(s.Properties.Used)),
			fmt.Sprintf("max_instances = %d, or a larger subnet: az network vnet subnet update --ids %s --address-prefixes PREFIX", left, id))
		if left == 0 && !c.several {
			f.Level = Fault
		}
		found = append(found, f)
	}
	return found, nil
}

// configsBySubnet is how many addresses an instance takes of each subnet, in the model's
// order.
func (c *cloud) configsBySubnet() (per map[string]int, order []string) {
	per = map[string]int{}
	for _, i := range c.model.Properties.Profile.Network.Interfaces {
		for _, config := range i.Properties.Configs {
			id := config.Properties.Subnet.ID
			if strings.EqualFold(config.Properties.Family, "IPv6") || id == "" {
				continue
			}
			if per[id]++; per[id] == 1 {
				order = append(order, id)
			}
		}
	}
	return per, order
}
