package fallback

import (
	"context"
	"errors"
)

var errNotSuspendable = errors.New("instances of its scale set cannot be suspended")

// Suspends reports whether the instances of any scale set can be suspended.
func (f *Sets) Suspends() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.all {
		if s.group != nil && s.group.Suspends() {
			return true
		}
	}
	return false
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

// Resume is instancegroup.Group's.
func (f *Sets) Resume(ctx context.Context, ids []string) ([]string, error) {
	return f.byOwner(ids, func(group Group, ids []string) ([]string, error) {
		if !group.Suspends() {
			return nil, errNotSuspendable
		}
		return group.Resume(ctx, ids)
	})
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
