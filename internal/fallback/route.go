package fallback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

var errUnknown = errors.New("no scale set has shown it")

// ownerLocked is the scale set of an instance. For one that none has shown it is the
// first, which tells that there is no such instance, or nil where a scale set has not
// shown any yet, whose it may be.
func (f *Sets) ownerLocked(id string) *set {
	if s := f.owners[id]; s != nil {
		return s
	}
	if len(f.all) > 1 && slices.ContainsFunc(f.all, func(s *set) bool { return s.view == nil }) {
		return nil
	}
	return f.all[0]
}

// own is the group of an instance, and the instance's ID there.
func (f *Sets) own(id string) (Group, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.ownerLocked(id)
	if s == nil {
		return nil, "", fmt.Errorf("instance %q: %w", id, errUnknown)
	}
	return s.group, strings.TrimSuffix(id, s.Suffix), nil
}

// ScaleSet is the scale set of an instance, as it was read last.
func (f *Sets) ScaleSet(id string) vmss.ScaleSet {
	group, _, err := f.own(id)
	if err != nil {
		return vmss.ScaleSet{}
	}
	return group.ScaleSet()
}

// Locate is instancegroup.Group's.
func (f *Sets) Locate(ctx context.Context, id string) (instancegroup.Member, error) {
	group, id, err := f.own(id)
	if err != nil {
		return instancegroup.Member{}, err
	}
	return group.Locate(ctx, id)
}

// Check is instancegroup.Group's.
func (f *Sets) Check(ctx context.Context, id string) error {
	group, id, err := f.own(id)
	if err != nil {
		return nil //nolint:nilerr // its scale set cannot be read, which says nothing about it
	}
	return group.Check(ctx, id)
}

// Decrease is instancegroup.Group's. IDs of which nobody knows whose they are are left
// out.
func (f *Sets) Decrease(ctx context.Context, ids []string) ([]string, error) {
	return f.byOwner(ids, func(group Group, ids []string) ([]string, error) { return group.Decrease(ctx, ids) })
}

// byOwner calls do for each scale set with those of the instances that are its own, at
// the same time, and returns what all of them return.
func (f *Sets) byOwner(ids []string, do func(group Group, ids []string) ([]string, error)) ([]string, error) {
	own := map[*set][]string{}
	f.mu.Lock()
	for _, id := range ids {
		if s := f.ownerLocked(id); s != nil {
			own[s] = append(own[s], strings.TrimSuffix(id, s.Suffix))
		}
	}
	f.mu.Unlock()
	done, errs := make([][]string, len(f.all)), make([]error, len(f.all))
	each(f.all, func(n int, s *set) {
		if len(own[s]) == 0 {
			return
		}
		done[n], errs[n] = do(s.group, own[s])
		for k := range done[n] {
			done[n][k] += s.Suffix
		}
	})
	return slices.Concat(done...), joined(errs)
}
