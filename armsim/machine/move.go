package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Move gives a machine that is off other addresses, at least one, for its next Boot. The
// error says that it runs, or that an address is none of loopback or is given twice.
func (m *Machine) Move(addresses []netip.Addr) error {
	m.power.Lock()
	defer m.power.Unlock()
	if slices.Equal(addresses, m.cfg.Addresses) {
		return nil
	}
	if m.Running() {
		return fmt.Errorf("move machine %q: %w", m.cfg.Name, errors.New("it runs"))
	}
	cfg := m.cfg
	cfg.Addresses = slices.Clone(addresses)
	if err := cfg.validateAddresses(); err != nil {
		return fmt.Errorf("move machine %q: %w", m.cfg.Name, err)
	}
	m.cfg.Addresses = cfg.Addresses
	return nil
}
