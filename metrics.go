package azure

import (
	"context"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/fallback"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
)

// open signs in, and reads and checks the scale sets. What it returns serves the
// metrics; without metrics_listen it does nothing, and nothing is counted.
func (g *InstanceGroup) open(ctx context.Context, cfg Config, o instancegroup.Options) (serve func(), err error) {
	configs := cfg.Sets()
	ids := make([]string, len(configs))
	for n, c := range configs {
		ids[n] = c.ScaleSetID()
	}
	suffixes := fallback.Suffixes(ids)
	api, all := g.api, metricsOf(cfg, configs)
	var sources []fallback.Source
	g.keys = map[string]*ownKey{}
	for n, c := range configs {
		if all != nil {
			api.Observer, o.Observer = all[n], all[n]
		}
		client, err := armapi.New(c, api)
		if err != nil {
			return nil, err
		}
		api.With, o.Client = client, client
		var m *metrics.Metrics
		if all != nil {
			m = all[n]
		}
		if n > 0 {
			o.WarmPool = 0 // increases go to the first scale set first
		}
		key := &ownKey{config: c}
		g.keys[strings.ToLower(ids[n])], o.SSHKeys = key, key.model
		sources = append(sources, fallback.Source{Name: c.Name + suffixes[n], Suffix: suffixes[n], Open: g.opener(o, key, client, m)})
	}
	sets, err := fallback.Open(ctx, fallback.Options{Sources: sources, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	g.sets = sets
	g.closer.Store(sets)
	return func() {
		if all != nil {
			g.server.Store(all[0].Serve(metrics.Options{Listen: cfg.MetricsListen.Address(), Logger: o.Logger}))
		}
	}, nil
}

// opener opens one scale set, and checks that connector_config is enough to log in to its
// instances; m is nil where nothing is counted.
func (g *InstanceGroup) opener(o instancegroup.Options, key *ownKey, client *armapi.Client, m *metrics.Metrics) func(context.Context) (fallback.Group, error) {
	return func(ctx context.Context) (fallback.Group, error) {
		group, err := instancegroup.Open(ctx, o)
		if err != nil {
			return nil, err
		}
		login, err := connectorSettings(g.settings, group.ScaleSet())
		if err != nil {
			return nil, err
		}
		warnLogin(login, group.ScaleSet(), o.Logger)
		if err := key.open(g.settings, group.ScaleSet(), o.Logger); err != nil {
			return nil, err
		}
		if m != nil {
			m.Attach(metrics.Sources{Group: func() instancegroup.Snapshot { return instancegroup.SnapshotOf(group) }, Budget: client.Budget})
		}
		return group, nil
	}
}

// metricsOf makes the metrics of each scale set; nil where none are served.
func metricsOf(cfg Config, sets []Config) (all []*metrics.Metrics) {
	if cfg.MetricsListen == "" {
		return nil
	}
	v, several := Version(), false
	for _, set := range sets {
		several = several || !strings.EqualFold(set.SubscriptionID, sets[0].SubscriptionID)
	}
	for n, set := range sets {
		id := metrics.Identity{ResourceGroup: set.ResourceGroupName, ScaleSet: set.Name, Version: v.Version, Revision: v.Revision}
		if several {
			id.Subscription = set.SubscriptionID
		}
		if n == 0 {
			all = append(all, metrics.New(id))
		} else {
			all = append(all, all[0].Further(id))
		}
	}
	return all
}
