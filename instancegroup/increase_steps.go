package instancegroup

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// increaseAttempts bounds how often a lost race for the capacity is retried.
const increaseAttempts = 4

// increase is one increase, which has its turn to write.
type increase struct{ *Group }

// withinQuota increases by n, or where Azure refuses that for its size by
// less: by what the quota leaves where the refusal says so, else by half, and so
// on, whatever the refusal's words. Quotas, subnets and allocations mostly have
// room for some. The refusal is the error alongside what was accepted.
func (i increase) withinQuota(ctx context.Context, n int) (accepted int, refusal error) {
	for size := i.firstSize(n); ; {
		accepted, err := i.withRetry(ctx, size)
		if err == nil {
			i.forgetRefusedSize()
			return accepted, refusal
		}
		refusal = err
		if !isRefusedForSize(err) {
			return 0, err
		}
		if size = i.nextSize(size, err); size == 0 || i.writesRemaining() < 1 {
			return 0, err
		}
	}
}

func (i increase) firstSize(n int) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.backoffs.size(n)
}

func (i increase) forgetRefusedSize() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.backoffs.refusedSize = 0
}

// nextSize is what to ask for after a refusal; 0: nothing.
func (i increase) nextSize(refused int, err error) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.backoffs.refuseSize(refused)
	if quota, ok := armerr.HeadroomOf(err); ok {
		return quota.Fits(refused)
	}
	return refused / 2
}

// isRefusedForSize reports whether fewer instances might be accepted: not where
// the refusal would meet any increase.
func isRefusedForSize(err error) bool {
	e, ok := errors.AsType[*armerr.Error](err)
	return ok && e.Status >= 400 && armerr.Is(e, armerr.Quota, armerr.Allocation, armerr.Invalid, armerr.Unknown)
}

// withRetry tries until nobody else writes in between.
func (i increase) withRetry(ctx context.Context, n int) (int, error) {
	for range increaseAttempts {
		accepted, err := i.try(ctx, n)
		if !armerr.Is(err, armerr.Precondition) {
			return accepted, err
		}
		if i.writesRemaining() < 1 {
			return 0, errDeferred
		}
	}
	return 0, fmt.Errorf("increase scale set %q by %d: somebody else changed it %d times in between; nothing was changed; fix: let nothing else scale it", i.name, n, increaseAttempts)
}

// try makes one attempt.
func (i increase) try(ctx context.Context, n int) (int, error) {
	set, err := i.readScaleSet(ctx)
	if err != nil {
		return 0, err
	}
	if !set.HasCapacity || set.ETag == "" {
		return 0, fmt.Errorf("increase scale set %q by %d: Azure's response holds no capacity or no ETag, and a guess could delete instances; nothing was changed", i.name, n)
	}
	if err := cmp.Or(i.verifyLease(set), i.refusedScaleSet(n)); err != nil {
		return 0, err
	}
	w := capacityWrite{Group: i.Group, current: set, n: n}
	if accepted := w.settleUncertain(); accepted > 0 {
		return accepted, nil
	}
	if w.isOutdated(ctx) {
		i.log.Debug("Azure's response is older than the last change; waiting for a newer one", "operation", "increase", "capacity", set.Capacity)
		return 0, errDeferred
	}
	delta, err := w.capacityDelta(ctx)
	if err != nil {
		return 0, err
	}
	if err := i.ensureKeys(ctx, set); err != nil {
		return 0, err
	}
	return w.send(ctx, set.Capacity+delta)
}

// refusedScaleSet is why the scale set must not be increased now.
func (g *Group) refusedScaleSet(n int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.admission.refusal == nil {
		return nil
	}
	return fmt.Errorf("increase scale set %q by %d: %w; nothing was changed", g.name, n, g.admission.refusal)
}
