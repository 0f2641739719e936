package instancegroup

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// earlyInterval is how often the interfaces are listed at most while nothing waits for
// an address, and lateInterval where something does, if both lists are long and cheap.
// Where the list of instances is scarce, nothing must wait for the other.
const (
	earlyInterval = 40 * time.Second
	lateInterval  = 10 * time.Second
)

// mayListInterfacesLocked reports whether so much time has passed since.
func (r *reading) mayListInterfacesLocked(interval time.Duration) bool {
	if isScarce(r.room) {
		interval /= 4
	}
	return r.now().Sub(r.inventory.addressesRead) >= interval
}

// findAddressesEarly reads the network interfaces if instances are about to be up whose
// addresses are not known: Azure assigns those at the beginning, and then a page of the
// list suffices to tell that an instance runs. One list of interfaces serves all that
// have begun since the last.
func (r *reading) findAddressesEarly(ctx context.Context) {
	if isShort(r.room) {
		return // the list of interfaces is, too
	}
	r.mu.Lock()
	var wanted map[string]string
	if r.mayListInterfacesLocked(earlyInterval) {
		wanted = r.inventory.awaitedAddresses(r.now().Add(-r.pace.boots.early() * 3 / 4))
	}
	r.mu.Unlock()
	_ = r.readAddresses(ctx, wanted) // once one of them is up, they are read again
}

// findAddresses reads the network interfaces, all at once, if an instance is up
// whose address is not known yet.
func (r *reading) findAddresses(ctx context.Context, instances []vmss.Instance) error {
	r.mu.Lock()
	var wanted map[string]string
	if isShort(r.room) || r.mayListInterfacesLocked(lateInterval) {
		wanted = r.inventory.unaddressed(instances, r.now())
	}
	r.mu.Unlock()
	return r.readAddresses(ctx, wanted)
}

// addressUnlisted gives instances the addresses that the interfaces had before any list
// showed them. It is for a Flexible scale set, where no instance has the name of an
// earlier one, and for interfaces without a public address, which is read separately.
func (inv *inventory) addressUnlisted(instances []vmss.Instance) {
	if len(inv.unlisted) == 0 {
		return
	}
	wanted := map[string]string{}
	for _, i := range instances {
		id := identify(i)
		if m := inv.last().Find(id); m != nil && m.isSuspended() {
			continue // it may come up with others
		}
		if _, have := inv.addresses[id]; !have && id != "" {
			wanted[strings.ToLower(i.ID)] = id
		}
	}
	for id, config := range primaryConfigs(inv.unlisted, wanted) {
		if config.PublicID == "" {
			inv.setAddress(id, addresses{private: config.Private})
		}
	}
}

// readAddresses reads the interfaces for the wanted instances, by resource ID in lower
// case.
func (r *reading) readAddresses(ctx context.Context, wanted map[string]string) error {
	if len(wanted) == 0 {
		return nil
	}
	r.mu.Lock()
	r.inventory.addressesRead = r.now()
	r.mu.Unlock()
	interfaces, err := r.reach().Interfaces(ctx)
	if err != nil {
		return err
	}
	configs := primaryConfigs(interfaces, wanted)
	public, err := r.publicAddresses(ctx, configs)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, config := range configs {
		a := addresses{private: config.Private, public: public[config.PublicID]}
		if config.PublicID != "" && !a.public.IsValid() {
			continue // Azure is still assigning one
		}
		r.inventory.setAddress(id, a)
	}
	r.inventory.unlisted = nil
	if r.admission.set.Mode == vmss.Flexible {
		r.inventory.unlisted = interfaces
	}
	return nil
}

// publicAddresses are the public addresses by resource ID, if a configuration
// has one.
func (r *reading) publicAddresses(ctx context.Context, configs map[string]vmss.IPConfig) (map[string]netip.Addr, error) {
	for _, config := range configs {
		if config.PublicID != "" {
			return r.reach().PublicAddresses(ctx)
		}
	}
	return nil, nil
}

// awaitedAddresses are the IDs of members without an address that are being created, if
// one of them has been for as long.
func (inv *inventory) awaitedAddresses(since time.Time) map[string]string {
	wanted, urgent := map[string]string{}, false
	for n := range inv.last().Members {
		m := &inv.last().Members[n]
		if _, have := inv.addresses[m.MemberID]; !have && m.State == Creating {
			wanted[strings.ToLower(m.ID)] = m.MemberID
			urgent = urgent || !m.created.After(since)
		}
	}
	if !urgent {
		return nil
	}
	return wanted
}

// lacksAddress reports whether an instance is up whose address is not known.
func (inv *inventory) lacksAddress(i vmss.Instance, now time.Time) bool {
	id, before := matchPrevious(i, inv.last())
	if _, have := inv.addresses[id]; have || id == "" {
		return false
	}
	c := inv.circumstances(id, now, now)
	c.addressed = true
	state, _ := judge(i, inv.past(i, before, now), c)
	return state == Running
}

// unaddressed are the IDs of instances whose addresses are not known, by resource ID in
// lower case, if one of them is up.
func (inv *inventory) unaddressed(instances []vmss.Instance, now time.Time) map[string]string {
	wanted, urgent := map[string]string{}, false
	for _, i := range instances {
		id, _ := matchPrevious(i, inv.last())
		if _, have := inv.addresses[id]; have || id == "" {
			continue
		}
		wanted[strings.ToLower(i.ID)] = id
		urgent = urgent || inv.lacksAddress(i, now)
	}
	if !urgent {
		return nil
	}
	return wanted
}
