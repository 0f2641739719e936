package instancegroup

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// admission owns which scale set is served, and whether it may be: a model that
// was sound when the plugin began may be changed since, and the scale set may be
// deleted and created again under its name, as another one.
type admission struct {
	set       vmss.ScaleSet // the latest that was admitted
	instances vmss.Instances
	problems  []preflight.Finding // of the latest read
	refusal   error               // what speaks against it now
}

// verdict is what a read of the scale set changes.
type verdict struct {
	replaced bool                // another scale set is admitted
	refused  bool                // it must not serve, as of now
	accepted bool                // it may serve again
	warnings []preflight.Finding // that are new
}

// judge decides on a scale set as it was read.
func (a *admission) judge(set vmss.ScaleSet) (v verdict) {
	findings := preflight.Check(set)
	for _, f := range findings {
		if f.Severity == preflight.Warning && !slices.Contains(a.problems, f) {
			v.warnings = append(v.warnings, f)
		}
	}
	a.problems = findings
	refusal, before := preflight.Refuse(set, findings), a.refusal
	a.refusal = refusal
	if refusal != nil {
		v.refused = before == nil || before.Error() != refusal.Error()
		return v
	}
	v.accepted = before != nil
	v.replaced = isReplacement(set, a.set)
	a.set = set
	return v
}

// isReplacement reports whether two reads under one name are of two scale sets. A
// scale set keeps its unique ID and its orchestration mode for life.
func isReplacement(set, before vmss.ScaleSet) bool {
	return set.Mode != before.Mode || set.UniqueID != "" && before.UniqueID != "" && !strings.EqualFold(set.UniqueID, before.UniqueID)
}

// reach is how the instances of the scale set are reached now.
func (g *Group) reach() vmss.Instances {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.admission.instances
}

// readScaleSet reads the scale set and judges it anew.
func (g *Group) readScaleSet(ctx context.Context) (vmss.ScaleSet, error) {
	set, err := g.client.ScaleSet(ctx)
	if err != nil {
		return set, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.admission.judge(set)
	if v.replaced {
		g.followReplacementLocked(set)
	}
	switch {
	case v.refused:
		g.log.Error("the scale set has changed and cannot serve jobs any longer; nothing is increased until that is mended", "operation", "read", "error", g.admission.refusal)
	case v.accepted:
		g.log.Info("the scale set can serve jobs again", "operation", "read")
	}
	for _, f := range v.warnings {
		g.log.Warn(f.Problem, "operation", "read", "fix", f.Fix)
	}
	return set, nil
}

var errReplaced = errors.New("the scale set was deleted and created again")

// followReplacementLocked goes over to the scale set that was created under the
// name of the one before. What was pending is written off. Instances of the old one
// are found to be gone like others, but for those of another mode: Azure cannot even
// be asked for an ID of their form.
func (g *Group) followReplacementLocked(set vmss.ScaleSet) {
	g.log.Error("the scale set was deleted and created again under its name; serving the new one", "operation", "read", "mode", set.Mode, "unique_id", set.UniqueID)
	g.admission.instances = g.client.Instances(set.Mode)
	g.inventory.abandon(set.Mode, g.now())
	g.ledger.fail(errReplaced, g.now())
	g.lease.acquired = false
}
