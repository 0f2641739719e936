package instancegroup

import (
	"context"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
)

// warn logs what is worth knowing before the first job.
func (g *Group) warn(ctx context.Context, findings []preflight.Finding) {
	for _, f := range findings {
		if f.Severity == preflight.Warning {
			g.log.Warn(f.Problem, "fix", f.Fix)
		}
	}
	settings, err := g.client.AutoscaleSettings(ctx)
	switch {
	case err != nil:
		g.log.Info("autoscale settings could not be read; make sure that none targets this scale set", "error", err)
	case len(settings) > 0:
		g.log.Warn("Azure autoscale is attached and will delete instances while jobs run", "settings", settings,
			"fix", "disable or delete these autoscale settings; the runner alone decides how many instances there are")
	}
}
