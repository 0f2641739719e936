package fallback

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var errNotSuspendable = errors.New("instances of its scale set cannot be suspended")

// Suspends reports whether instances can be suspended: those of each scale set that could
// be read at the start. The runner is told once and of all, and would ask each minute to
// suspend what cannot be.
func (f *Sets) Suspends() bool { return f.suspends }

// allSuspend logs why it is false where it is so for some.
func (f *Sets) allSuspend() bool {
	var can, cannot []string
	for _, s := range f.all {
		switch {
		case s.group == nil:
		case s.group.Suspends():
			can = append(can, s.Name)
		default:
			cannot = append(cannot, s.Name)
		}
	}
	if len(can) > 0 && len(cannot) > 0 {
		f.log.Warn("no instances are suspended, as those of some scale sets cannot be, and the runner asks for all or none", "operation", "read", "scale_set", strings.Join(cannot, ", "))
	}
	return len(cannot) == 0
}

// Suspend is instancegroup.Group's.
func (f *Sets) Suspend(ctx context.Context, ids []string) ([]string, error) {
	return f.byOwner(ids, func(group Group, ids []string) ([]string, error) {
		if !group.Suspends() {
			return nil, errNotSuspendable
		}
		return group.Suspend(ctx, ids)
	})
}

// Resume is instancegroup.Group's. Nobody asks again, so that those of which nobody knows
// whose they are are in the error.
func (f *Sets) Resume(ctx context.Context, ids []string) ([]string, error) {
	unknown := f.unknown(ids)
	done, err := f.byOwner(ids, func(group Group, ids []string) ([]string, error) {
		if !group.Suspends() {
			return nil, errNotSuspendable
		}
		return group.Resume(ctx, ids)
	})
	return done, joined(append([]error{err}, unknown...))
}

// unknown is an error for each ID of which nobody knows whose it is.
func (f *Sets) unknown(ids []string) (errs []error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		if f.ownerLocked(id) == nil {
			errs = append(errs, fmt.Errorf("resume instance %q: %w", id, errUnknown))
		}
	}
	return errs
}

// Tend is instancegroup.Group's, for the scale sets that were read.
func (f *Sets) Tend(ctx context.Context, v *View) error {
	return f.eachFresh(v, func(p part) error { return p.group.Tend(ctx, p.view) })
}

// KeepWarm is instancegroup.Group's, for the scale sets that were read.
func (f *Sets) KeepWarm(ctx context.Context, v *View) {
	for _, p := range v.fresh {
		p.group.KeepWarm(ctx)
	}
}
