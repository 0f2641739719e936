package instancegroup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// mode is what differs between Azure's orchestration modes. Nothing else in
// this package knows which one a scale set has.
type mode interface {
	// list is one list of all instances, whatever their number. last fills in
	// what the list leaves out of instances that were seen before.
	list(ctx context.Context, last *View) ([]Instance, error)
	get(ctx context.Context, instanceID string) (Instance, error)
	interfaces(ctx context.Context) ([]Interface, error)
	publicAddresses(ctx context.Context) (map[string]netip.Addr, error)
	// listing is the kind of call that list makes.
	listing() Call
	// remove deletes instances and returns those that Azure accepted, even
	// with an error beside them, and the operation where there is one.
	remove(ctx context.Context, instanceIDs []string) ([]string, Operation, error)
}

func modeOf(set ScaleSet, cloud Cloud) mode {
	if set.flexible() {
		return flexible{cloud}
	}
	return uniform{cloud}
}

func (s ScaleSet) flexible() bool { return strings.EqualFold(s.OrchestrationMode, "Flexible") }

func (s ScaleSet) spot() bool { return strings.EqualFold(s.Model.Priority, "Spot") }

// uniform instances are part of the scale set, under numbers.
type uniform struct{ cloud Cloud }

func (u uniform) list(ctx context.Context, _ *View) ([]Instance, error) {
	return u.cloud.Instances(ctx)
}

func (u uniform) get(ctx context.Context, id string) (Instance, error) {
	return u.cloud.Instance(ctx, id)
}

func (u uniform) interfaces(ctx context.Context) ([]Interface, error) {
	return u.cloud.Interfaces(ctx)
}

func (u uniform) publicAddresses(ctx context.Context) (map[string]netip.Addr, error) {
	return u.cloud.PublicAddresses(ctx)
}

func (uniform) listing() Call { return ListInstances }

func (u uniform) remove(ctx context.Context, ids []string) ([]string, Operation, error) {
	operation, err := u.cloud.DeleteInstances(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	return ids, operation, nil
}

// flexible instances are virtual machines of the resource group, under names
// that Azure makes of a GUID and never uses again.
type flexible struct{ cloud Cloud }

// list reads the VMs with their instance views. No document says whether that
// list holds their models; where it does not, a second one is read, and only if
// there is a VM that was not seen before.
func (f flexible) list(ctx context.Context, last *View) ([]Instance, error) {
	all, err := f.cloud.VirtualMachines(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Instance, len(last.Members))
	for _, m := range last.Members {
		byID[strings.ToLower(m.ID)] = m.Instance
	}
	if complete(all, byID) {
		return all, nil
	}
	models, err := f.cloud.VirtualMachineModels(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		byID[strings.ToLower(m.ID)] = m
	}
	complete(all, byID)
	return all, nil
}

// complete gives instances without a vmId the one that is known for their
// resource ID, and says whether all have one now.
func complete(all []Instance, byID map[string]Instance) bool {
	whole := true
	for n := range all {
		if all[n].VMID == "" {
			from := byID[strings.ToLower(all[n].ID)]
			all[n].VMID, all[n].Zone = from.VMID, from.Zone
		}
		whole = whole && all[n].VMID != ""
	}
	return whole
}

func (f flexible) get(ctx context.Context, name string) (Instance, error) {
	return f.cloud.VirtualMachine(ctx, name)
}

func (f flexible) interfaces(ctx context.Context) ([]Interface, error) {
	return f.cloud.GroupInterfaces(ctx)
}

func (f flexible) publicAddresses(ctx context.Context) (map[string]netip.Addr, error) {
	return f.cloud.GroupPublicAddresses(ctx)
}

// remove deletes through the scale set, so that its capacity falls with its
// instances. Where the scale set refuses that, the VMs are deleted one by one.
func (f flexible) remove(ctx context.Context, names []string) ([]string, Operation, error) {
	operation, err := f.cloud.DeleteInstances(ctx, names)
	if err == nil {
		return names, operation, nil
	}
	if armerr.KindOf(err) != armerr.NotAllowedForMode {
		return nil, "", err
	}
	done, err := f.removeEach(ctx, names)
	return done, "", err
}

func (flexible) listing() Call { return ListMachines }

func (f flexible) removeEach(ctx context.Context, names []string) ([]string, error) {
	var done []string
	var failed []error
	for _, name := range names {
		err := f.cloud.DeleteVirtualMachine(ctx, name)
		if err == nil || armerr.KindOf(err) == armerr.NotFound {
			done = append(done, name)
			continue
		}
		failed = append(failed, err)
		if lasting(err) {
			break
		}
	}
	return done, joined(failed...)
}

// joined makes one line of several errors; the first decides on its kind.
func joined(all ...error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return lines(all)
}

type lines []error

func (l lines) Error() string {
	const shown = 3
	var all []string
	for _, err := range l[:min(shown, len(l))] {
		all = append(all, err.Error())
	}
	if more := len(l) - shown; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

func (l lines) Unwrap() []error { return l }
