package armsim_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// twoInterfaces has a second interface, which is the primary one, with an IPv6
// configuration before two IPv4 ones; the last asks for a public address.
func twoInterfaces(model map[string]any) {
	network := get(model, "properties.virtualMachineProfile.networkProfile").(object)
	config := func(name, family string, primary, public bool) object {
		p := object{"privateIPAddressVersion": family, "primary": primary}
		if public {
			p["publicIPAddressConfiguration"] = object{"name": "public"}
		}
		return object{"name": name, "properties": p}
	}
	first := network["networkInterfaceConfigurations"].([]any)[0]
	first.(object)["properties"].(object)["primary"] = false
	network["networkInterfaceConfigurations"] = []any{first, object{"name": "second", "properties": object{"primary": true, "ipConfigurations": []any{
		config("six", "IPv6", false, false), config("four", "IPv4", false, false), config("main", "IPv4", true, true),
	}}}}
}

func TestSeveralInterfaces(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Polite: true})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1, PublicAddress: true, Change: twoInterfaces})
			nics, publics := set+"/networkInterfaces?api-version=2018-10-01", set+"/publicIPAddresses?api-version=2018-10-01"
			if mode == "Flexible" {
				nics, publics = s.networkPath("networkInterfaces"), s.networkPath("publicIPAddresses")
			}
			all := s.list(t, nics)
			require.Len(t, all, 2)
			seen := map[netip.Addr]bool{}
			main := ""
			for _, n := range all {
				for _, config := range get(n, "properties.ipConfigurations").([]any) {
					a := netip.MustParseAddr(get(config, "properties.privateIPAddress").(string))
					assert.Equal(t, get(config, "name") == "six", a.Is6())
					assert.Equal(t, get(config, "name") == "six", a.IsPrivate(), "a unique local address")
					seen[a] = true
					if get(config, "name") == "main" {
						main = a.String()
					}
				}
			}
			assert.Len(t, seen, 4)
			addresses := map[any]bool{}
			for _, p := range s.list(t, publics) {
				addresses[get(p, "properties.ipAddress")] = true
			}
			assert.Len(t, addresses, 2)
			info := s.Instances()[0]
			assert.Equal(t, main, info.PrivateAddress)
			assert.True(t, addresses[info.PublicAddress])
			assert.Equal(t, 5, s.Stats().Addresses, "IPv6 takes none")
			s.setCapacity(t, set, 0)
			s.Advance(settled)
			assert.Zero(t, s.Stats().Addresses)
		})
	}
}

func TestPublicAddressesOfOneConfiguration(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, PublicAddress: true, Change: twoInterfaces})
	vm := set + "/virtualMachines/" + s.ids(t, set)[0]
	for path, want := range map[string]int{
		"/networkInterfaces/second/ipConfigurations/MAIN/publicIPAddresses": 1,
		"/networkInterfaces/second/ipConfigurations/four/publicIPAddresses": 0,
	} {
		assert.Len(t, s.list(t, vm+path+"?api-version=2018-10-01"), want)
	}
}

// TestMachinesListenOnAllAddresses, of every interface.
func TestMachinesListenOnAllAddresses(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1, PublicAddress: true, Change: twoInterfaces})
			info := s.running(t)[0]
			addresses := []string{info.PublicAddress}
			nics := s.set + "/networkInterfaces?api-version=2018-10-01"
			if mode == "Flexible" {
				nics = s.networkPath("networkInterfaces")
			}
			for _, n := range s.list(t, nics) {
				for _, config := range get(n, "properties.ipConfigurations").([]any) {
					if get(config, "name") != "six" {
						addresses = append(addresses, get(config, "properties.privateIPAddress").(string))
					}
				}
			}
			require.Len(t, addresses, 4)
			for _, a := range addresses {
				assert.Equal(t, info.Name+"\n", s.run(t, a, "echo $ARMSIM_INSTANCE"))
			}
		})
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 4, Zones: []string{"1", "2", "3"}})
		count := map[string]int{}
		for _, path := range s.paths(set) {
			zones := s.get(t, path).body["zones"].([]any)
			require.Len(t, zones, 1)
			count[zones[0].(string)]++
		}
		assert.Equal(t, map[string]int{"1": 2, "2": 1, "3": 1}, count)
	}
}
