package azure

import (
	"context"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// suspension is what suspend_mode asks for.
func suspension(cfg Config) instancegroup.Suspension {
	return instancegroup.Suspension{
		On:         cfg.SuspendMode != config.SuspendOff,
		Hibernate:  cfg.SuspendMode == config.SuspendHibernate,
		IfPossible: cfg.SuspendMode == config.SuspendAuto,
	}
}

// capabilities are what the runner may ask for.
func (g *InstanceGroup) capabilities() []provider.Capability {
	if !g.sets.Suspends() {
		return nil
	}
	return []provider.Capability{provider.CapabilitySuspendResume}
}

// Suspend deallocates the given instances, in the way of suspend_mode, and returns those
// of which Azure has accepted it or which are suspended already. The others are in the
// error, which gRPC carries alongside the result. It does not wait: Update tells when they
// are suspended.
func (g *InstanceGroup) Suspend(ctx context.Context, instances []string) ([]string, error) {
	switch {
	case g.sets == nil:
		return nil, errNotInitialised
	case !g.sets.Suspends():
		return nil, provider.ErrSuspendResumeNotSupported
	}
	return g.sets.Suspend(ctx, instances)
}

// Resume starts the given instances, which are suspended, in the same way. One for which
// Azure has no machine is told to be deleted by the next Update, and is deleted.
func (g *InstanceGroup) Resume(ctx context.Context, instances []string) ([]string, error) {
	switch {
	case g.sets == nil:
		return nil, errNotInitialised
	case !g.sets.Suspends():
		return nil, provider.ErrSuspendResumeNotSupported
	}
	return g.sets.Resume(ctx, instances)
}
