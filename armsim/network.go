package armsim

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// nic is a network interface of an instance.
type nic struct {
	name    string
	model   any // of the profile
	configs []*ipConfig
}

// ipConfig is an IP configuration of an interface.
type ipConfig struct {
	model      any
	private    netip.Addr
	public     netip.Addr // zero: none is asked for
	publicName string
}

// attachInterfaces gives the instance the interfaces of its profile, with an
// address for each IP configuration. A profile without any gets an address all
// the same, or nobody could reach the machine.
func (s *Server) attachInterfaces(i *instance) error {
	for _, model := range list(i.profile, "networkProfile.networkInterfaceConfigurations") {
		n := &nic{name: i.networkName(text(model, "name")), model: model}
		i.nics = append(i.nics, n)
		for _, config := range list(model, "properties.ipConfigurations") {
			a := &ipConfig{model: config}
			n.configs = append(n.configs, a)
			if err := s.address(i, n, a); err != nil {
				return err
			}
		}
	}
	i.private, i.public = i.primary()
	if i.private.IsValid() {
		return nil
	}
	a, err := s.privatePool.Take()
	i.private, i.spare = a, a
	return err
}

func (s *Server) address(i *instance, n *nic, a *ipConfig) (err error) {
	if strings.EqualFold(text(a.model, "properties.privateIPAddressVersion"), "IPv6") {
		a.private = s.nextIPv6()
		return nil
	}
	if a.private, err = s.privatePool.Take(); err != nil {
		return err
	}
	public := at(a.model, "properties.publicIPAddressConfiguration")
	if public == nil {
		return nil
	}
	a.publicName = text(public, "name")
	if !i.set.uniform() {
		a.publicName += "-" + n.name + "-" + text(a.model, "name")
	}
	a.public, err = s.publicPool.Take()
	return err
}

// nextIPv6 is a unique local address that nothing listens on: no such address
// is at hand on every Linux without changing the host's network.
func (s *Server) nextIPv6() netip.Addr {
	s.sixth++
	b := [16]byte{0: 0xfd}
	binary.BigEndian.PutUint64(b[8:], s.sixth)
	return netip.AddrFrom16(b)
}

// primary are the IPv4 addresses of the primary interface's primary
// configuration; where the model marks none, of the first.
func (i *instance) primary() (private, public netip.Addr) {
	rank := -1
	for _, n := range i.nics {
		for _, a := range n.configs {
			if r := marks(n, a); a.private.Is4() && r > rank {
				rank, private, public = r, a.private, a.public
			}
		}
	}
	return private, public
}

func marks(n *nic, a *ipConfig) int {
	r := 0
	if flag(n.model, "properties.primary") {
		r = 2
	}
	if flag(a.model, "properties.primary") {
		r++
	}
	return r
}

// addresses are all IPv4 addresses of the instance, private ones first.
func (i *instance) addresses() (private, public []netip.Addr) {
	if i.spare.IsValid() {
		private = append(private, i.spare)
	}
	for _, n := range i.nics {
		for _, a := range n.configs {
			if a.private.Is4() {
				private = append(private, a.private)
			}
			if a.public.IsValid() {
				public = append(public, a.public)
			}
		}
	}
	return private, public
}

func (s *Server) releaseAddresses(i *instance) {
	private, public := i.addresses()
	for _, a := range private {
		s.privatePool.Release(a)
	}
	for _, a := range public {
		s.publicPool.Release(a)
	}
}
