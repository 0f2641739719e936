package world

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// What a provider's registration may be, in Azure's words.
const (
	Registered    = "Registered"
	NotRegistered = "NotRegistered"
	Registering   = "Registering"
	Unregistering = "Unregistering"
	Unregistered  = "Unregistered"
)

// registration is how long one takes. On Azure it is from seconds to minutes;
// recording 31 shows Registering in the second after.
const registration = 20 * time.Second

// alwaysRegistered cannot be otherwise: Microsoft's page on resource providers.
var alwaysRegistered = []string{"Microsoft.Resources", "Microsoft.Authorization"}

// knownProviders are those that a subscription has to choose from.
var knownProviders = []string{
	"Microsoft.Authorization", "Microsoft.Compute", "Microsoft.Insights", "Microsoft.ManagedIdentity", "Microsoft.MarketplaceOrdering",
	"Microsoft.Network", "Microsoft.Resources", "Microsoft.StandbyPool", "Microsoft.Storage",
}

// Provider is a resource provider in the subscription.
type Provider struct {
	Namespace string
	State     string
}

// Providers are the subscription's.
type Providers struct {
	clock *Clock
	byKey map[string]*Provider // by namespace in lower case
}

func newProviders(c *Clock, notRegistered []string) *Providers {
	ps := &Providers{clock: c, byKey: map[string]*Provider{}}
	for _, namespace := range knownProviders {
		ps.byKey[strings.ToLower(namespace)] = &Provider{namespace, Registered}
	}
	for _, namespace := range notRegistered {
		if ps.Find(namespace) == nil {
			ps.byKey[strings.ToLower(namespace)] = &Provider{Namespace: namespace}
		}
		ps.Find(namespace).State = NotRegistered
	}
	return ps
}

// Find finds a provider by namespace, in any case; nil: there is none.
func (ps *Providers) Find(namespace string) *Provider { return ps.byKey[strings.ToLower(namespace)] }

// All are in the order of their names.
func (ps *Providers) All() []*Provider {
	var all []*Provider
	for _, key := range slices.Sorted(maps.Keys(ps.byKey)) {
		all = append(all, ps.byKey[key])
	}
	return all
}

// Usable reports whether requests to the provider are served: they are once a
// registration has begun (Microsoft's page on resource providers).
func (p *Provider) Usable() bool { return p.State == Registered || p.State == Registering }

// Register begins the provider's registration; nothing happens to one that is
// registered.
func (ps *Providers) Register(p *Provider) { ps.move(p, Registered, Registering) }

// Unregister begins the end of the provider's registration.
func (ps *Providers) Unregister(p *Provider) {
	if !slices.Contains(alwaysRegistered, p.Namespace) {
		ps.move(p, Unregistered, Unregistering)
	}
}

func (ps *Providers) move(p *Provider, to, by string) {
	if p.State == to {
		return
	}
	p.State = by
	ps.clock.After(registration, func() {
		if p.State == by {
			p.State = to
		}
	})
}
