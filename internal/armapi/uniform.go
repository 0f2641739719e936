package armapi

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// uniform instances are part of the scale set and have numbers.
type uniform struct{ *Client }

// List implements vmss.Instances. Here no list leaves out a vmId
// for good, so that VMID is not needed.
func (u uniform) List(ctx context.Context, o vmss.ListOptions) (all []vmss.Instance, err error) {
	err = u.readList(ctx, "list the instances of", budget.ListInstances,
		into(&all, u.Client, armops.ListInstances, withViews(), u.instancePages(budget.ListInstances, o),
			func(m machine) (vmss.Instance, bool) { return instanceOf(m), true }))
	return all, err
}

// ReadPage implements vmss.Instances.
func (u uniform) ReadPage(ctx context.Context, link string, _ func(string) string) (vmss.Page, error) {
	return readAgain(ctx, u.Client, armops.ListInstances, withViews(), link, func(m machine) (vmss.Instance, bool) { return instanceOf(m), true })
}

// readAgain reads a page of a list of instances.
func readAgain(ctx context.Context, c *Client, operation string, query url.Values, link string, convert func(machine) (vmss.Instance, bool)) (again vmss.Page, err error) {
	err = c.read(ctx, "read a page of the instances of", func(ctx context.Context) error {
		p, err := readPage[machine](ctx, c, operation, query, link)
		again = vmss.Page{Link: link, Next: p.NextLink, Instances: appendConverted([]vmss.Instance{}, p.Value, convert)}
		return err
	})
	return again, err
}

// ListRoom implements vmss.Instances.
func (u uniform) ListRoom() vmss.ListRoom { return u.listRoom(budget.ListInstances) }

// ReadsRemaining implements vmss.Instances.
func (u uniform) ReadsRemaining() int { return u.budget.Remaining(budget.ReadInstance) }

// Get implements vmss.Instances.
func (u uniform) Get(ctx context.Context, instanceID string) (i vmss.Instance, err error) {
	op := fmt.Sprintf("read instance %q of", instanceID)
	err = u.read(ctx, op, func(ctx context.Context) error {
		if err := checkName(instanceID); err != nil {
			return err
		}
		m, err := readOne[machine](ctx, u.Client, armops.GetInstance, instanceID)
		if err != nil {
			return err
		}
		if m.ID == "" {
			return errNoID
		}
		i = instanceOf(m)
		return nil
	})
	return i, err
}

// Interfaces implements vmss.Instances.
func (u uniform) Interfaces(ctx context.Context) (all []vmss.Interface, err error) {
	err = u.readAll(ctx, "list the network interfaces of",
		into(&all, u.Client, armops.ListInterfaces, nil, pages[vmss.Interface]{}, interfaceOf))
	return all, err
}

// PublicAddresses implements vmss.Instances. Addresses that Azure has not
// allocated yet are left out. The IDs are those that the interfaces name.
func (u uniform) PublicAddresses(ctx context.Context) (all map[string]netip.Addr, err error) {
	return u.publicAddresses(ctx, "list the public addresses of", armops.ListPublicAddresses)
}

func (c *Client) publicAddresses(ctx context.Context, op, operation string) (all map[string]netip.Addr, err error) {
	err = c.readAll(ctx, op, func(ctx context.Context) error {
		list := []*publicAddress{}
		err := collect(ctx, c, operation, nil, nil, func(_ string, p page[publicAddress]) error {
			list = append(list, p.Value...)
			return nil
		})
		if err == nil {
			all = addressesOf(list)
		}
		return err
	})
	return all, err
}

// Delete implements vmss.Instances, in one call.
func (u uniform) Delete(ctx context.Context, instanceIDs []string) ([]string, vmss.Operation, error) {
	o, err := u.deleteInstances(ctx, instanceIDs)
	if err != nil {
		return nil, "", err
	}
	return instanceIDs, o, nil
}
