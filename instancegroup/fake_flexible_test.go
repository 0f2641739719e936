package instancegroup

import (
	"context"
	"net/netip"
)

// The Flexible side of the fake: the same instances, under other calls. With
// bare, the list with instance views holds no models.

func (f *fake) VirtualMachines(ctx context.Context) ([]Instance, error) {
	all, err := f.Instances(ctx)
	if f.bare {
		for n := range all {
			all[n].VMID, all[n].Zone = "", ""
		}
	}
	return all, err
}

func (f *fake) VirtualMachineModels(ctx context.Context) (all []Instance, err error) {
	err = f.do(ctx, opModels, func() error {
		for _, i := range f.vms {
			i.HasView, i.PowerState = false, ""
			all = append(all, f.show(i))
		}
		return nil
	})
	return all, err
}

func (f *fake) VirtualMachine(ctx context.Context, name string) (Instance, error) {
	return f.Instance(ctx, name)
}

func (f *fake) GroupInterfaces(ctx context.Context) ([]Interface, error) { return f.Interfaces(ctx) }

func (f *fake) GroupPublicAddresses(ctx context.Context) (map[string]netip.Addr, error) {
	return f.PublicAddresses(ctx)
}

func (f *fake) DeleteVirtualMachine(ctx context.Context, name string) error {
	return f.do(ctx, opDeleteVM, func() error { return f.deleteNow([]string{name}) })
}
