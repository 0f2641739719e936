package armapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// SetCapacity implements vmss.Client. With an empty etag the write is
// unconditional.
func (c *Client) SetCapacity(ctx context.Context, capacity int64, etag string) (vmss.Operation, error) {
	op, sku := fmt.Sprintf("set capacity %d of", capacity), &armcompute.SKU{Capacity: &capacity}
	if c.mixed.Load() {
		// The SKU of an instance mix must be named so, and have no tier (Azure's error
		// SkuNameMustBeMixIfSkuProfileIsSpecified). Whether that holds for a write that
		// leaves the name out, nobody says.
		sku.Name = to.Ptr(mix)
	}
	return c.update(ctx, op, armcompute.VirtualMachineScaleSetUpdate{SKU: sku}, etag)
}

// SetTags implements vmss.Client.
func (c *Client) SetTags(ctx context.Context, tags map[string]string, etag string) error {
	update := armcompute.VirtualMachineScaleSetUpdate{Tags: map[string]*string{}}
	for key, value := range tags {
		update.Tags[key] = to.Ptr(value)
	}
	_, err := c.update(ctx, "tag", update, etag)
	return err
}

// SetPublicKeys implements vmss.Client. The shape is that of
// terraform-provider-azurerm, which writes the keys of an existing scale set so.
func (c *Client) SetPublicKeys(ctx context.Context, keys []vmss.PublicKey, etag string) error {
	list := make([]*armcompute.SSHPublicKey, len(keys))
	for n, key := range keys {
		list[n] = &armcompute.SSHPublicKey{Path: to.Ptr(key.Path), KeyData: to.Ptr(key.Data)}
	}
	linux := &armcompute.LinuxConfiguration{SSH: &armcompute.SSHConfiguration{PublicKeys: list}}
	_, err := c.update(ctx, "change the SSH public keys of", armcompute.VirtualMachineScaleSetUpdate{
		Properties: &armcompute.VirtualMachineScaleSetUpdateProperties{VirtualMachineProfile: &armcompute.VirtualMachineScaleSetUpdateVMProfile{
			OSProfile: &armcompute.VirtualMachineScaleSetUpdateOSProfile{LinuxConfiguration: linux},
		}},
	}, etag)
	return err
}

// update is sent once: after a lost response a retry would only show that the
// ETag has changed, and not by whom.
func (c *Client) update(ctx context.Context, op string, u armcompute.VirtualMachineScaleSetUpdate, etag string) (vmss.Operation, error) {
	options := &armcompute.VirtualMachineScaleSetsClientBeginUpdateOptions{}
	if etag != "" {
		options.IfMatch = to.Ptr(etag)
	}
	return c.write(ctx, op, func(ctx context.Context) error {
		ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
		_, err := c.sets.BeginUpdate(ctx, c.group, c.name, u, options)
		return err
	})
}

// deleteInstances deletes through the scale set. It may be sent again after a
// lost response: an instance is deleted only once. Without IDs nothing is sent.
func (c *Client) deleteInstances(ctx context.Context, instanceIDs []string) (vmss.Operation, error) {
	if len(instanceIDs) == 0 {
		return "", nil
	}
	op := fmt.Sprintf("delete %d instances of", len(instanceIDs))
	// "*" stands for all instances, as Azure's own tools use it.
	if slices.Contains(instanceIDs, "*") || slices.Contains(instanceIDs, "") {
		return "", armerr.From(op, c.object(), errors.New("an instance ID is empty or a wildcard; nothing was sent"))
	}
	ids := armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs{InstanceIDs: to.SliceOfPtrs(instanceIDs...)}
	return c.write(ctx, op, func(ctx context.Context) error {
		_, err := c.sets.BeginDeleteInstances(ctx, c.group, c.name, ids, nil)
		return err
	})
}

// write makes a call with its own deadline. The SDK also fails on responses from
// which it cannot make a poller; we do not poll, and any status of success means
// that Azure has accepted.
func (c *Client) write(ctx context.Context, op string, call func(context.Context) error) (vmss.Operation, error) {
	response, err := c.accepted(ctx, op, call)
	if err != nil {
		return "", err
	}
	return operationOf(response), nil
}

func operationOf(response *http.Response) vmss.Operation {
	if response == nil { // it was refused
		return ""
	}
	return vmss.Operation(response.Header.Get("Azure-AsyncOperation"))
}

// accepted returns the response to a change that Azure has accepted.
func (c *Client) accepted(ctx context.Context, op string, call func(context.Context) error) (response *http.Response, err error) {
	err = within(ctx, writeTimeout, func(ctx context.Context) error {
		var raw *http.Response
		err := call(policy.WithCaptureResponse(ctx, &raw))
		if raw != nil && raw.StatusCode >= 200 && raw.StatusCode < 300 {
			response = raw
			return nil
		}
		return c.wrapError(op, err)
	})
	return response, err
}
