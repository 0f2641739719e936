package instancegroup

import (
	"context"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	opDeallocate = "Deallocate"
	opStart      = "Start"
	opMark       = "Mark"
)

// Deallocate begins: halt ends it.
func (f fakeInstances) Deallocate(ctx context.Context, ids []string, hibernate bool) (vmss.PowerOutcome, error) {
	f.mu.Lock()
	f.hibernated = hibernate
	f.mu.Unlock()
	return f.changePower(ctx, opDeallocate, ids, "deallocating")
}

// Start begins: wake ends it.
func (f fakeInstances) Start(ctx context.Context, ids []string) (vmss.PowerOutcome, error) {
	return f.changePower(ctx, opStart, ids, "starting")
}

func (f fakeInstances) changePower(ctx context.Context, op string, ids []string, power string) (vmss.PowerOutcome, error) {
	operation := f.operation()
	err := f.do(ctx, op, func() error {
		f.powered = append(f.powered, op+" "+strings.Join(ids, " "))
		if f.refuseAll || slices.Contains(ids, f.refuse) {
			return azure(f.refusal, 409)
		}
		for n := range f.vms {
			if i := &f.vms[n]; slices.Contains(ids, i.InstanceID) && !f.idle {
				i.ProvisioningState, i.PowerState = "Updating", power
			}
		}
		return nil
	})
	switch {
	case err == nil:
		return vmss.PowerOutcome{Accepted: ids, Operation: operation}, nil
	case f.outcome != nil:
		return *f.outcome, err
	case armerr.MayHaveTakenEffect(err):
		return vmss.PowerOutcome{Doubtful: ids}, err
	}
	return vmss.PowerOutcome{}, err
}

// settlePower ends what Deallocate and Start have begun.
func (f *fake) settlePower() {
	f.each(func(i *vmss.Instance) bool {
		switch i.PowerState {
		case "deallocating":
			i.ProvisioningState, i.PowerState = "Succeeded", "deallocated"
		case "starting":
			i.ProvisioningState, i.PowerState = "Succeeded", "running"
		}
		return true
	})
}

// Mark implements vmss.Instances.
func (f fakeInstances) Mark(ctx context.Context, marked vmss.Instance, mark vmss.Mark) (vmss.Operation, error) {
	return f.marking, f.do(ctx, opMark, func() error {
		for n := range f.vms {
			if i := &f.vms[n]; i.InstanceID == marked.InstanceID {
				i.Mark = mark
			}
		}
		return nil
	})
}
