package azure

import (
	"context"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
)

// open signs in, and reads and checks the scale set. What it returns serves the
// metrics; without metrics_listen it does nothing, and nothing is counted.
func (g *InstanceGroup) open(ctx context.Context, cfg Config, o instancegroup.Options) (serve func(), err error) {
	api := g.api
	var m *metrics.Metrics
	if cfg.MetricsListen != "" {
		v := Version()
		m = metrics.New(metrics.Identity{ResourceGroup: cfg.ResourceGroupName, ScaleSet: cfg.Name, Version: v.Version, Revision: v.Revision})
		api.Observer, o.Observer = m, m
	}
	client, err := armapi.New(cfg, api)
	if err != nil {
		return nil, err
	}
	o.Client = client
	group, err := instancegroup.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	g.group = group
	g.closer.Store(group)
	return func() {
		if m == nil {
			return
		}
		m.Attach(metrics.Sources{Group: func() instancegroup.Snapshot { return instancegroup.SnapshotOf(group) }, Budget: client.Budget})
		g.server.Store(m.Serve(metrics.Options{Listen: cfg.MetricsListen.Address(), Logger: o.Logger}))
	}, nil
}
