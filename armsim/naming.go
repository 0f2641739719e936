package armsim

import (
	"fmt"
	"strconv"
	"strings"
)

// Names and resource IDs: most of what tells the orchestration modes apart.
// An instance of a Uniform set is a child of the set under a number, one of a
// Flexible set is a virtual machine of the group under a name (Microsoft's page
// on scale set instance IDs). A machine of no set is in its group's loose one.

// christen gives a new instance its names.
func (s *Server) christen(i *instance) {
	prefix := text(i.profile, "osProfile.computerNamePrefix")
	i.suffix = s.suffix()
	if !i.set.uniform() {
		i.name, i.computer = i.set.name+"_"+i.suffix, prefix+s.letters()
		return
	}
	// The ID in base 36, six digits long.
	number := strings.ToUpper(strconv.FormatInt(int64(i.id), 36))
	i.name = fmt.Sprintf("%s_%d", i.set.name, i.id)
	i.computer = prefix + strings.Repeat("0", max(0, 6-len(number))) + number
}

// suffix draws eight digits that no instance had before.
func (s *Server) suffix() string {
	for {
		drawn := fmt.Sprintf("%08x", s.rand.Uint32())
		if !s.suffixes[drawn] {
			s.suffixes[drawn] = true
			return drawn
		}
	}
}

// letters are the end of a Flexible set's computer name.
func (s *Server) letters() string {
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	drawn := make([]byte, 6)
	for i := range drawn {
		drawn[i] = all[s.rand.IntN(len(all))]
	}
	return string(drawn)
}

func (s *Server) groupID(g *group) string {
	return "/subscriptions/" + s.config.SubscriptionID + "/resourceGroups/" + g.name
}

func (s *Server) scaleSetID(set *scaleSet) string {
	return s.groupID(set.group) + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + set.name
}

// key is the instance's name in requests to its scale set.
func (i *instance) key() string {
	if i.set.uniform() {
		return fmt.Sprint(i.id)
	}
	return i.name
}

func (s *Server) instanceID(i *instance) string {
	if i.set.uniform() {
		return s.scaleSetID(i.set) + "/virtualMachines/" + i.key()
	}
	return s.groupID(i.set.group) + "/providers/Microsoft.Compute/virtualMachines/" + i.name
}

// networkName is the name of a network resource of the instance, whose model
// calls it so.
func (i *instance) networkName(name string) string {
	if i.set.uniform() {
		return name
	}
	return name + "-" + i.suffix
}

func (s *Server) interfaceID(i *instance, n *nic) string {
	if i.set.uniform() {
		return s.instanceID(i) + "/networkInterfaces/" + n.name
	}
	return s.groupID(i.set.group) + "/providers/Microsoft.Network/networkInterfaces/" + n.name
}

func (s *Server) ipConfigID(i *instance, n *nic, a *ipConfig) string {
	return s.interfaceID(i, n) + "/ipConfigurations/" + text(a.model, "name")
}

func (s *Server) publicAddressID(i *instance, n *nic, a *ipConfig) string {
	if i.set.uniform() {
		return s.ipConfigID(i, n, a) + "/publicIPAddresses/" + a.publicName
	}
	return s.groupID(i.set.group) + "/providers/Microsoft.Network/publicIPAddresses/" + a.publicName
}
