package world

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// Network is an instance's part of the network.
type Network struct {
	Listed     bool // its network interfaces are
	Interfaces []*Interface
	Private    netip.Addr // the primary one
	Public     netip.Addr // the primary one's; zero: the model asks for none

	fallback netip.Addr // of a profile without interfaces
}

// Interface is a network interface of an instance.
type Interface struct {
	ID      string // its resource ID
	Name    string
	Model   any // of the profile
	Configs []*IPConfig
}

// IPConfig is an IP configuration of an interface.
type IPConfig struct {
	ID         string // its resource ID
	Model      any    // of the profile
	Private    netip.Addr
	Public     netip.Addr // zero: it has none now
	PublicName string
	PublicID   string // the public address's resource ID; empty: none is asked for

	lastPublic netip.Addr // that it has given back
}

// Static reports whether the public address stays when the instance is deallocated. One
// of the SKU Standard does (Microsoft's page on public addresses).
func (c *IPConfig) Static() bool {
	return strings.EqualFold(jsonmap.Text(c.Model, "properties.publicIPAddressConfiguration.sku.name"), "Standard")
}

// addresses are all that the world has to give.
type addresses struct {
	network  int // 0 to networks-1
	whole    netip.Prefix
	private  *machine.Pool
	public   *machine.Pool
	lastIPv6 uint64
}

// networks is how many a world may have, and firstNetwork the second byte of the
// first: 127.16.0.0/16 to 127.239.0.0/16. Those outside are left to resolvers
// and other services, which have fixed addresses in 127.0.0.0/16.
const networks, firstNetwork = 224, 16

// newAddresses makes the nth network, counted round; its lower half is private,
// the upper one public.
func newAddresses(n int) (a *addresses, err error) {
	n %= networks
	net16 := byte(firstNetwork + n)
	a = &addresses{network: n, whole: netip.PrefixFrom(netip.AddrFrom4([4]byte{127, net16, 0, 0}), 16)}
	if a.private, err = machine.NewPool(netip.PrefixFrom(a.whole.Addr(), 17)); err != nil {
		return nil, err
	}
	upper := netip.AddrFrom4([4]byte{127, net16, 128, 0})
	a.public, err = machine.NewPool(netip.PrefixFrom(upper, 17))
	return a, err
}

func (a *addresses) inUse() int { return a.private.InUse() + a.public.InUse() }

// attach gives the instance the interfaces of its profile, with an address for
// each IP configuration. A profile without any gets an address all the same, or
// nobody could reach the machine.
func (a *addresses) attach(i *Instance) error {
	for _, model := range jsonmap.List(i.Profile, "networkProfile.networkInterfaceConfigurations") {
		name := i.networkName(jsonmap.Text(model, "name"))
		n := &Interface{ID: i.interfaceID(name), Name: name, Model: model}
		i.Interfaces = append(i.Interfaces, n)
		for _, config := range jsonmap.List(model, "properties.ipConfigurations") {
			c := &IPConfig{ID: n.ID + "/ipConfigurations/" + jsonmap.Text(config, "name"), Model: config}
			n.Configs = append(n.Configs, c)
			if err := a.assign(i, n, c); err != nil {
				return err
			}
		}
	}
	i.Private, i.Public = i.primary()
	if i.Private.IsValid() {
		return nil
	}
	taken, err := a.private.Take()
	i.Private, i.fallback = taken, taken
	return err
}

func (a *addresses) assign(i *Instance, n *Interface, c *IPConfig) (err error) {
	if strings.EqualFold(jsonmap.Text(c.Model, "properties.privateIPAddressVersion"), "IPv6") {
		c.Private = a.nextIPv6()
		return nil
	}
	if c.Private, err = a.private.Take(); err != nil {
		return err
	}
	public := jsonmap.At(c.Model, "properties.publicIPAddressConfiguration")
	if public == nil {
		return nil
	}
	c.PublicName = jsonmap.Text(public, "name")
	if !i.Set.Uniform() {
		c.PublicName += "-" + n.Name + "-" + jsonmap.Text(c.Model, "name")
	}
	c.PublicID = i.publicAddressID(c)
	c.Public, err = a.public.Take()
	return err
}

// releasePublic takes back the dynamic public addresses of a deallocated instance.
func (a *addresses) releasePublic(i *Instance) {
	for _, n := range i.Interfaces {
		for _, c := range n.Configs {
			if c.Public.IsValid() && !c.Static() {
				a.public.Release(c.Public)
				c.Public, c.lastPublic = netip.Addr{}, c.Public
			}
		}
	}
	_, i.Public = i.primary()
}

// attachPublic gives the instance other public addresses for those that it gave back.
func (a *addresses) attachPublic(i *Instance) error {
	for _, n := range i.Interfaces {
		for _, c := range n.Configs {
			if c.PublicID == "" || c.Public.IsValid() {
				continue
			}
			taken, err := a.takeOther(c.lastPublic)
			if err != nil {
				return err
			}
			c.Public = taken
		}
	}
	_, i.Public = i.primary()
	return nil
}

// takeOther takes a public address that is not this one, so that no client gets by with
// an old one.
func (a *addresses) takeOther(last netip.Addr) (netip.Addr, error) {
	taken, err := a.public.Take()
	if err != nil || taken != last {
		return taken, err
	}
	defer a.public.Release(last)
	return a.public.Take()
}

// nextIPv6 is a unique local address that nothing listens on: no such address
// is at hand on every Linux without changing the host's network.
func (a *addresses) nextIPv6() netip.Addr {
	a.lastIPv6++
	b := [16]byte{0: 0xfd}
	binary.BigEndian.PutUint64(b[8:], a.lastIPv6)
	return netip.AddrFrom16(b)
}

func (a *addresses) release(i *Instance) {
	private, public := i.addresses()
	for _, one := range private {
		a.private.Release(one)
	}
	for _, one := range public {
		a.public.Release(one)
	}
}

// primary are the IPv4 addresses of the primary interface's primary
// configuration; where the model marks none, of the first.
func (n *Network) primary() (private, public netip.Addr) {
	best := -1
	for _, one := range n.Interfaces {
		for _, c := range one.Configs {
			if r := rank(one, c); c.Private.Is4() && r > best {
				best, private, public = r, c.Private, c.Public
			}
		}
	}
	return private, public
}

func rank(n *Interface, c *IPConfig) int {
	r := 0
	if jsonmap.Bool(n.Model, "properties.primary") {
		r = 2
	}
	if jsonmap.Bool(c.Model, "properties.primary") {
		r++
	}
	return r
}

// addresses are all IPv4 addresses, private ones first.
func (n *Network) addresses() (private, public []netip.Addr) {
	if n.fallback.IsValid() {
		private = append(private, n.fallback)
	}
	for _, one := range n.Interfaces {
		for _, c := range one.Configs {
			if c.Private.Is4() {
				private = append(private, c.Private)
			}
			if c.Public.IsValid() {
				public = append(public, c.Public)
			}
		}
	}
	return private, public
}
