package instancegroup

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

type addresses struct {
	private netip.Addr
	public  netip.Addr
}

// findAddresses reads the network interfaces, all at once, if an instance is up
// whose address is not known yet. An instance keeps its addresses for life.
func (g *Group) findAddresses(ctx context.Context, instances []Instance) error {
	wanted := g.withoutAddress(instances)
	if len(wanted) == 0 {
		return nil
	}
	interfaces, err := g.cloud.Interfaces(ctx)
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
func (g *Group) withoutAddress(instances []Instance) map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	wanted := map[string]string{}
	for _, i := range instances {
		id, before := known(i, g.lastLocked())
		state, _ := classify(i, before, true)
		if _, have := g.addresses[id]; !have && id != "" && state == Running {
			wanted[strings.ToLower(i.ID)] = id
		}
	}
	return wanted
}

// primaryConfigs picks the primary IP configuration of the primary interface
// for each wanted instance. Where Azure marks none as primary, the first one is.
func primaryConfigs(interfaces []Interface, wanted map[string]string) map[string]IPConfig {
	configs, primary := map[string]IPConfig{}, map[string]bool{}
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

func primaryConfig(configs []IPConfig) (IPConfig, bool) {
	var chosen IPConfig
	found := false
	for _, config := range configs {
		if config.Private.IsValid() && (!found || config.Primary && !chosen.Primary) {
			chosen, found = config, true
		}
	}
	return chosen, found
}

func (g *Group) publicAddresses(ctx context.Context, configs map[string]IPConfig) (map[string]netip.Addr, error) {
	for _, config := range configs {
		if config.PublicID != "" {
			return g.cloud.PublicAddresses(ctx)
		}
	}
	return nil, nil
}

// freshEnough is the age up to which a view serves a connection: fleeting asks
// right after the Update that found the instance running.
const freshEnough = 10 * time.Second

// stillGood is the age up to which a view serves a connection where Azure gives
// no newer one: fleeting removes an instance whose address it cannot have, and
// trouble with the API says nothing of the instance.
const stillGood = 2 * time.Minute

// Locate finds a running instance and its addresses. The error says that it is
// gone, going, dead, or not up yet.
func (g *Group) Locate(ctx context.Context, id string) (Member, error) {
	v := g.last()
	m, age := v.Find(id), g.now().Sub(v.At)
	if age > freshEnough || m == nil {
		v, err := g.Refresh(ctx)
		switch {
		case err == nil:
			m = v.Find(id)
		case m == nil || m.State != Running || age > stillGood:
			return Member{}, fmt.Errorf("locate instance %q: %w", id, err)
		}
	}
	switch {
	case m == nil:
		return Member{}, fmt.Errorf("locate instance %q: it exists no more", id)
	case m.State == Dead:
		return Member{}, fmt.Errorf("locate instance %q: it is dead: %s", id, m.Reason)
	case m.State != Running:
		return Member{}, fmt.Errorf("locate instance %q: it is %s", id, m.State)
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
