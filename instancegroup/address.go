package instancegroup

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

type addresses struct {
	private netip.Addr
	public  netip.Addr
}

// findAddresses reads the network interfaces, all at once, if an instance is up
// whose address is not known yet. An instance keeps its addresses for life.
func (g *Group) findAddresses(ctx context.Context, instances []vmss.Instance) error {
	wanted := g.withoutAddress(instances)
	if len(wanted) == 0 {
		return nil
	}
	interfaces, err := g.instances.Interfaces(ctx)
	if err != nil {
		return err
	}
	configs := primaryConfigs(interfaces, wanted)
	public, err := g.publicAddresses(ctx, configs)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, config := range configs {
		if _, went := g.gone[id]; went {
			continue
		}
		a := addresses{private: config.Private, public: public[config.PublicID]}
		if config.PublicID != "" && !a.public.IsValid() {
			continue // Azure is still giving it one
		}
		g.addresses[id] = a
	}
	return nil
}

// withoutAddress are the IDs of instances that are up and whose addresses are
// not known, by resource ID in lower case.
func (g *Group) withoutAddress(instances []vmss.Instance) map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	wanted := map[string]string{}
	for _, i := range instances {
		id, before := known(i, g.lastLocked())
		state, _ := classify(i, before, true, g.set.IsSpot())
		if _, have := g.addresses[id]; !have && id != "" && state == Running {
			wanted[strings.ToLower(i.ID)] = id
		}
	}
	return wanted
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

func (g *Group) publicAddresses(ctx context.Context, configs map[string]vmss.IPConfig) (map[string]netip.Addr, error) {
	for _, config := range configs {
		if config.PublicID != "" {
			return g.instances.PublicAddresses(ctx)
		}
	}
	return nil, nil
}

// stillGood is the age up to which a view serves a connection where Azure does
// not answer: fleeting removes an instance whose address it cannot have, and
// trouble with the API says nothing of the instance.
const stillGood = 2 * time.Minute

// Locate finds a running instance and its addresses. It asks Azure for the
// instance itself: an address may belong to another one by now. The error says
// that it is gone, going, dead, or not up yet.
func (g *Group) Locate(ctx context.Context, id string) (Member, error) {
	v := g.last()
	m := v.Find(id)
	if m == nil || m.State != Running {
		var err error
		if v, err = g.Refresh(ctx); err != nil {
			return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
		}
		m = v.Find(id)
	}
	if m == nil {
		return Member{}, fmt.Errorf("locate instance %q: it exists no more", id)
	}
	state, reason, err := g.probe(ctx, m)
	switch {
	case err != nil && (m.State != Running || g.now().Sub(v.At) > stillGood):
		return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
	case err != nil:
		g.log.Warn("instance could not be checked; the last known address serves", "instance", id, "error", err)
	case state != Running:
		return Member{}, fmt.Errorf("locate instance %q: %s", id, reason)
	case !m.Private.IsValid():
		return Member{}, fmt.Errorf("locate instance %q: it has no address yet", id)
	}
	return *m, nil
}

// await waits for a shared reading as long as the caller's own context lasts.
func (g *Group) await(ctx context.Context, result <-chan singleflight.Result) (*View, error) {
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read scale set %q: %w", g.set.Name, context.Cause(ctx))
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*View), nil
	}
}
