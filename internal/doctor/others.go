package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/preflight"
)

// checkAutoscale looks for Azure's own autoscale, as the plugin does at its start.
func (c *cloud) checkAutoscale(ctx context.Context) ([]Finding, error) {
	settings, err := c.reader.AutoscaleSettings(ctx)
	if f, attached := preflight.Autoscale(settings); err == nil && attached {
		return []Finding{warning(0, f.Problem, f.Fix)}, nil
	}
	return nil, err
}

// standbyPool is what the doctor needs of one (recording 26).
type standbyPool struct {
	Name       string `json:"name"`
	Properties struct {
		ScaleSet string `json:"attachedVirtualMachineScaleSetId"`
		State    string `json:"virtualMachineState"`
		Size     struct {
			Most int `json:"maxReadyCapacity"`
		} `json:"elasticityProfile"`
	} `json:"properties"`
}

// checkStandby looks for standby pools that are attached to the scale set. Where their
// provider is not registered there are none.
func (c *cloud) checkStandby(ctx context.Context) (found []Finding, err error) {
	id := c.groupID() + "/providers/Microsoft.StandbyPool/standbyVirtualMachinePools"
	err = c.azure.Each(ctx, armops.ListStandbyPools, id, nil, func(raw json.RawMessage) error {
		var pool standbyPool
		err := json.Unmarshal(raw, &pool)
		if p := pool.Properties; err == nil && strings.EqualFold(p.ScaleSet, c.setID()) {
			found = append(found, warning(0, fmt.Sprintf("the standby pool %q is attached: it keeps up to %d VMs (%s) beside max_instances, which are paid for and which the runner does not count", pool.Name, p.Size.Most, p.State),
				fmt.Sprintf("az standby-vm-pool delete --resource-group %s --name %s, or leave it, where faster starts are worth it", c.config.ResourceGroupName, pool.Name)))
		}
		return err
	})
	if e, ok := errors.AsType[*armerr.Error](err); ok && e.Code == "MissingSubscriptionRegistration" {
		return nil, nil
	}
	return found, err
}
