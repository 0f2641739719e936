package instancegroup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// do runs a call: hooks, the planned fault, and the effect under the lock.
func (f *fake) do(ctx context.Context, op string, effect func() error) error {
	f.mu.Lock()
	f.calls[op]++
	call := f.calls[op]
	var planned fault
	if rest := f.faults[op]; len(rest) > 0 {
		planned, f.faults[op] = rest[0], rest[1:]
	}
	enter, leave := f.enter, f.leave
	f.mu.Unlock()
	if enter != nil {
		enter(op, call)
	}
	if err := ctx.Err(); err != nil {
		return armerr.From("ask", `scale set "ci"`, err)
	}
	if planned.err != nil && !planned.took {
		return planned.err
	}
	f.mu.Lock()
	err := effect()
	f.mu.Unlock()
	if leave != nil {
		leave(op, call)
	}
	if err == nil {
		err = planned.err
	}
	return err
}

func (f *fake) ScaleSet(ctx context.Context) (set vmss.ScaleSet, err error) {
	err = f.do(ctx, opSet, func() error { set = f.set; return nil })
	return set, err
}

func (f *fake) show(i vmss.Instance) vmss.Instance {
	if f.blank[i.VMID] {
		i.VMID = ""
	}
	return i
}

// Instances implements vmss.Client.
func (f *fake) Instances(mode vmss.OrchestrationMode) vmss.Instances { return fakeInstances{f, mode} }

// fakeInstances are the instances of a fake in either mode.
type fakeInstances struct {
	*fake
	mode vmss.OrchestrationMode
}

// List reads models, too, where the list of a Flexible scale set holds none.
func (f fakeInstances) List(ctx context.Context, o vmss.ListOptions) ([]vmss.Instance, error) {
	all, err := f.list(ctx)
	if err != nil || f.mode != vmss.Flexible || !f.bare {
		if err == nil {
			f.showPages(all, o)
		}
		return all, err
	}
	known := true
	for n := range all {
		all[n].VMID, all[n].Mark, all[n].Bare = o.VMID(all[n].ID), vmss.Unmarked, true
		known = known && all[n].VMID != ""
	}
	if known {
		return all, nil
	}
	err = f.do(ctx, opModels, func() error {
		for n := range all {
			for _, i := range f.vms {
				if i.ID == all[n].ID {
					all[n].VMID, all[n].Mark, all[n].Bare = f.show(i).VMID, i.Mark, false
				}
			}
		}
		return nil
	})
	return all, err
}

func (f *fake) list(ctx context.Context) (all []vmss.Instance, err error) {
	err = f.do(ctx, opList, func() error {
		all = f.shown()
		return nil
	})
	return all, err
}

// shown is what a list shows.
func (f *fake) shown() (all []vmss.Instance) {
	for _, i := range f.vms {
		if !f.hidden[i.VMID] {
			all = append(all, f.show(i))
		}
	}
	return append(all, f.extra...)
}

// Get implements vmss.Instances.
func (f fakeInstances) Get(ctx context.Context, number string) (found vmss.Instance, err error) {
	err = f.do(ctx, opGet, func() error {
		if f.refuseReads {
			return azure(armerr.Forbidden, 403)
		}
		for _, i := range f.vms {
			if i.InstanceID == number {
				found = f.show(i)
				return nil
			}
		}
		return azure(armerr.NotFound, 404)
	})
	return found, err
}

// Interfaces implements vmss.Instances.
func (f fakeInstances) Interfaces(ctx context.Context) (all []vmss.Interface, err error) {
	err = f.do(ctx, opInterfaces, func() error {
		for _, i := range f.vms {
			if f.noNIC[i.InstanceID] {
				continue
			}
			config := vmss.IPConfig{Primary: true, Private: f.private(i)}
			if _, ok := f.publicIP[i.InstanceID]; ok {
				config.PublicID = "/ip/" + i.InstanceID
			}
			all = append(all, vmss.Interface{VMID: strings.ToLower(i.ID), Primary: true, Configs: []vmss.IPConfig{config}})
		}
		return nil
	})
	return all, err
}

// PublicAddresses implements vmss.Instances.
func (f fakeInstances) PublicAddresses(ctx context.Context) (map[string]netip.Addr, error) {
	all := map[string]netip.Addr{}
	err := f.do(ctx, opPublic, func() error {
		for number, address := range f.publicIP {
			if address != "" {
				all["/ip/"+number] = netip.MustParseAddr(address)
			}
		}
		return nil
	})
	return all, err
}

func (f *fake) SetCapacity(ctx context.Context, capacity int64, etag string) (vmss.Operation, error) {
	return f.operation(), f.do(ctx, opWrite, func() error {
		f.writes = append(f.writes, capacity)
		if etag != f.set.ETag {
			return azure(armerr.Precondition, 412)
		}
		if f.most > 0 && capacity > f.most {
			return azure(f.mostKind, 409)
		}
		f.lowered = f.lowered || capacity < f.set.Capacity
		f.grown += int(capacity - f.set.Capacity)
		f.grow(capacity)
		f.touch()
		return nil
	})
}

// Delete refuses the whole call for one unknown number (F16).
func (f fakeInstances) Delete(ctx context.Context, numbers []string) ([]string, vmss.Operation, error) {
	operation := f.operation()
	err := f.do(ctx, opDelete, func() error {
		f.sent = append(f.sent, numbers)
		return f.deleteNow(numbers)
	})
	if f.mode == vmss.Flexible && armerr.Is(err, armerr.NotAllowedForMode) {
		accepted, err := f.deleteEach(ctx, numbers)
		return accepted, "", err
	}
	if err != nil {
		return nil, "", err
	}
	return numbers, operation, nil
}

// deleteEach deletes VMs one by one, as a Flexible scale set may want it.
func (f fakeInstances) deleteEach(ctx context.Context, names []string) (accepted []string, _ error) {
	for _, name := range names {
		if err := f.do(ctx, opDeleteVM, func() error { return f.deleteNow([]string{name}) }); err != nil {
			return accepted, err
		}
		accepted = append(accepted, name)
	}
	return accepted, nil
}

// refusedNow is the error about the number that deletions refuse.
func (f *fake) refusedNow() error {
	if f.refusal == armerr.Forbidden {
		return &armerr.Error{Kind: armerr.Forbidden, Status: 409, Code: "ScopeLocked", Message: "the scope '/subscriptions/x/virtualMachines/" + f.refuse + "' is locked"}
	}
	if f.refusal == armerr.Invalid {
		return azure(armerr.Invalid, 400)
	}
	return azure(armerr.InstanceGone, 400)
}

func (f *fake) deleteNow(numbers []string) error {
	if slices.Contains(numbers, f.refuse) {
		return f.refusedNow()
	}
	for _, number := range numbers {
		if !slices.ContainsFunc(f.vms, func(i vmss.Instance) bool { return i.InstanceID == number }) {
			return azure(armerr.InstanceGone, 400)
		}
	}
	for n := range f.vms {
		i := &f.vms[n]
		if slices.Contains(numbers, i.InstanceID) && i.ProvisioningState != "Deleting" {
			i.ProvisioningState = "Deleting"
			f.deleted = append(f.deleted, i.VMID)
			if !f.late {
				f.set.Capacity--
			}
		}
	}
	f.touch()
	return nil
}

func (f *fake) AutoscaleSettings(ctx context.Context) (names []string, err error) {
	err = f.do(ctx, opAutoscale, func() error { names = f.settled; return nil })
	return names, err
}

func (f *fake) SetTags(ctx context.Context, tags map[string]string, etag string) error {
	return f.do(ctx, opTag, func() error {
		if etag != f.set.ETag {
			return azure(armerr.Precondition, 412)
		}
		f.set.Tags = tags
		f.touch()
		return nil
	})
}

func (f *fake) SetPublicKeys(ctx context.Context, keys []vmss.PublicKey, etag string) error {
	return f.do(ctx, opKeys, func() error {
		if etag != f.set.ETag {
			return azure(armerr.Precondition, 412)
		}
		f.set.Model.Login.PublicKeys = keys
		f.touch()
		return nil
	})
}

// operation names the next operation.
func (f *fake) operation() vmss.Operation {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
	return vmss.Operation(fmt.Sprint(f.begun))
}

// Progress ends all operations at once, with the failure that the test wants.
func (f *fake) Progress(ctx context.Context, o vmss.Operation) (p vmss.Progress, err error) {
	err = f.do(ctx, opProgress, func() error {
		p = vmss.Progress{Ended: !f.endless, Failure: f.failures[o]}
		return nil
	})
	return p, err
}

// Remaining implements vmss.Client.
func (f *fake) Remaining(call vmss.Call) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := f.remaining[call]; ok {
		return n
	}
	return plenty
}

// ReadsRemaining implements vmss.Instances.
func (f *fake) ReadsRemaining() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}
