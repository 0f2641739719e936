package armapi

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// flexible instances are virtual machines of the resource group. Azure makes their
// names from a GUID and never reuses them.
type flexible struct{ *Client }

// List implements vmss.Instances. No document says whether the list with
// instance views holds the VMs' models; where it does not, a second list is
// read, and only if there is a VM whose vmId is not known.
func (f flexible) List(ctx context.Context, o vmss.ListOptions) ([]vmss.Instance, error) {
	known := func(i *vmss.Instance) { i.VMID = o.VMID(i.ID) }
	p := f.instancePages(budget.ListVirtualMachines, o)
	if tell := p.read; tell != nil {
		p.read = func(link, next string, page []vmss.Instance) {
			complete(page, known)
			tell(link, next, page)
		}
	}
	all, err := f.listWithViews(ctx, p)
	if err != nil {
		return nil, err
	}
	if complete(all, known) {
		return all, nil
	}
	models, err := f.listModels(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]vmss.Instance, len(models))
	for _, m := range models {
		byID[strings.ToLower(m.ID)] = m
	}
	complete(all, func(i *vmss.Instance) {
		m := byID[strings.ToLower(i.ID)]
		i.VMID, i.SSHKeys, i.Bare, i.Tags, i.Mark = m.VMID, m.SSHKeys, false, m.Tags, m.Mark
	})
	return all, nil
}

// complete fills in the instances that have no vmId, and reports whether all
// have one now.
func complete(all []vmss.Instance, fill func(*vmss.Instance)) bool {
	filled := true
	for n := range all {
		if all[n].VMID == "" {
			fill(&all[n])
		}
		filled = filled && all[n].VMID != ""
	}
	return filled
}

// listWithViews lists the VMs with their instance views. Whether Azure adds
// those to the models or sends them instead is not documented, so a VM that does
// not name its scale set is taken for one of ours.
func (f flexible) listWithViews(ctx context.Context, p pages[vmss.Instance]) ([]vmss.Instance, error) {
	return f.list(ctx, "list the virtual machines of", withViews(), p, true)
}

// listModels lists the same VMs with their models and without instance views. A
// VM whose model names no scale set belongs to none.
func (f flexible) listModels(ctx context.Context) ([]vmss.Instance, error) {
	return f.list(ctx, "list the models of the virtual machines of", url.Values{}, pages[vmss.Instance]{}, false)
}

func (f flexible) list(ctx context.Context, op string, query url.Values, p pages[vmss.Instance], modelMayBeMissing bool) (all []vmss.Instance, err error) {
	err = f.readList(ctx, op, budget.ListVirtualMachines, into(&all, f.Client, armops.ListVirtualMachines, f.query(query), p,
		func(m machine) (vmss.Instance, bool) { return f.ownInstance(m, modelMayBeMissing) }))
	return all, err
}

// query adds the filter that leaves the scale set's VMs. The quotes around the field
// are Azure's (cloud-provider-azure).
func (f flexible) query(all url.Values) url.Values {
	all.Set("$filter", fmt.Sprintf("'virtualMachineScaleSet/id' eq '%s'", f.id()))
	return all
}

// ownInstance converts a VM of a list, and reports whether it belongs to the scale
// set: Azure may ignore the filter, and no other VM must be taken for ours. Where
// a model may be missing, a VM that names no scale set passes, but without a
// vmId: it gets one, and with it an identity, from the list of models only.
func (f flexible) ownInstance(m machine, modelMayBeMissing bool) (vmss.Instance, bool) {
	i, set := flexibleInstanceOf(m), m.Properties.ScaleSet.ID
	if inStandbyPool(m) {
		return i, false
	}
	if set == "" && modelMayBeMissing {
		i.VMID, i.Bare = "", true
		return i, true
	}
	return i, strings.EqualFold(set, f.id())
}

// ReadPage implements vmss.Instances.
func (f flexible) ReadPage(ctx context.Context, link string, vmID func(string) string) (vmss.Page, error) {
	p, err := readAgain(ctx, f.Client, armops.ListVirtualMachines, f.query(withViews()), link, func(m machine) (vmss.Instance, bool) { return f.ownInstance(m, true) })
	complete(p.Instances, func(i *vmss.Instance) { i.VMID = vmID(i.ID) })
	return p, err
}

// ListRoom implements vmss.Instances.
func (f flexible) ListRoom() vmss.ListRoom { return f.listRoom(budget.ListVirtualMachines) }

// ReadsRemaining implements vmss.Instances. Each VM has a limit of its own, so that
// Resource Manager's is the only one on many.
func (f flexible) ReadsRemaining() int { return f.budget.Remaining(readVirtualMachine) }

func inStandbyPool(m machine) bool { return val(m.Properties.View).IsVMInStandbyPool }

// Get implements vmss.Instances. A VM that has left the scale set is not found, nor
// is one of a standby pool.
func (f flexible) Get(ctx context.Context, name string) (i vmss.Instance, err error) {
	op := fmt.Sprintf("read virtual machine %q of", name)
	err = f.read(ctx, op, func(ctx context.Context) error {
		if err := checkName(name); err != nil {
			return err
		}
		m, err := readOne[machine](ctx, f.Client, armops.GetVirtualMachine, name)
		if err != nil {
			return err
		}
		if m.ID == "" {
			return errNoID
		}
		if !strings.EqualFold(m.Properties.ScaleSet.ID, f.id()) {
			return &armerr.Error{Op: op, Object: f.object(), Kind: armerr.NotFound, Message: "the virtual machine does not belong to the scale set"}
		}
		if inStandbyPool(m) {
			return &armerr.Error{Op: op, Object: f.object(), Kind: armerr.NotFound, Message: "the virtual machine is in a standby pool"}
		}
		i = flexibleInstanceOf(m)
		return nil
	})
	return i, err
}

// Interfaces implements vmss.Instances. An interface of a VM outside of the
// scale set is in the list, too, under that VM's ID.
func (f flexible) Interfaces(ctx context.Context) (all []vmss.Interface, err error) {
	err = f.readAll(ctx, "list the network interfaces of the resource group of",
		into(&all, f.Client, armops.ListGroupInterfaces, nil, pages[vmss.Interface]{}, interfaceOf))
	return all, err
}

// PublicAddresses implements vmss.Instances.
func (f flexible) PublicAddresses(ctx context.Context) (map[string]netip.Addr, error) {
	return f.publicAddresses(ctx, "list the public addresses of the resource group of", armops.ListGroupPublicAddresses)
}

// Delete implements vmss.Instances. It deletes through the scale set, so that the
// capacity falls with its instances. Microsoft's pages contradict each other on
// whether a Flexible scale set takes this call: where it refuses, the VMs are
// deleted one by one, and there is no operation.
func (f flexible) Delete(ctx context.Context, names []string) ([]string, vmss.Operation, error) {
	o, err := f.deleteInstances(ctx, names)
	if err == nil {
		return names, o, nil
	}
	if armerr.KindOf(err) != armerr.NotAllowedForMode {
		return nil, "", err
	}
	accepted, err := f.deleteVMs(ctx, names)
	return accepted, "", err
}

// deleteVMs continues after an error that concerns a single VM.
func (f flexible) deleteVMs(ctx context.Context, names []string) (accepted []string, err error) {
	var failed []error
	for _, name := range names {
		err := f.deleteVM(ctx, name)
		if err == nil || armerr.KindOf(err) == armerr.NotFound {
			accepted = append(accepted, name)
			continue
		}
		failed = append(failed, err)
		if armerr.IsSystemic(err) {
			break
		}
	}
	return accepted, armerr.Join(failed...)
}

// deleteVM deletes one VM outside of its scale set, which may leave the capacity
// as it is. It may be sent again after a lost response: a VM is deleted only once.
func (f flexible) deleteVM(ctx context.Context, name string) error {
	op := fmt.Sprintf("delete virtual machine %q of", name)
	if err := checkName(name); err != nil {
		return armerr.From(op, f.object(), err)
	}
	_, err := f.write(ctx, op, func(ctx context.Context) error {
		_, err := f.machines.BeginDelete(ctx, f.group, name, nil)
		return err
	})
	return err
}

// checkName refuses names that no VM has and that could denote another resource
// in a path.
func checkName(name string) error {
	if strings.Trim(name, ".") == "" || strings.ContainsAny(name, `/\*?#%`) {
		return errors.New("not a valid name of a virtual machine")
	}
	return nil
}
