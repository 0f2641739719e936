package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// powerScaleSet is a power action on the named instances of a scale set, or on
// all of them where none are named.
func powerScaleSet(a world.PowerAction) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		set, p := c.scaleSet()
		if p != nil {
			return nil, p
		}
		if !set.Uniform() && c.world.Unknowns().FlexibleBatchPowerRefused {
			return nil, flexibleNotAllowed("VirtualMachineScaleSets."+strings.ToLower(a.Name)+".POST", set.Name)
		}
		targets, p := c.instanceIDs(set, "instanceIds", false)
		if p != nil {
			return nil, p
		}
		if p := c.charge(set, len(targets)); p != nil {
			return nil, p
		}
		return c.accepted(c.world.ChangePower(set, a, targets), http.StatusAccepted, nil), nil
	}
}

func powerInstance(a world.PowerAction) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		i, p := c.instance()
		if p != nil {
			return nil, p
		}
		return powerOne(c, i.Set, a, i)
	}
}

// powerMachine is a power action on a virtual machine of the group. It leaves
// the state of its scale set alone.
func powerMachine(a world.PowerAction) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		i, p := c.machine()
		if p != nil {
			return nil, p
		}
		return powerOne(c, nil, a, i)
	}
}

func powerOne(c *call, set *world.ScaleSet, a world.PowerAction, i *world.Instance) (*response, *problem) {
	if i.State == world.StateDeleting {
		return nil, markedForDeletion(a.Name+" Virtual Machine", i.Name)
	}
	if p := c.charge(i.Set, 1); p != nil {
		return nil, p
	}
	return c.accepted(c.world.ChangePower(set, a, []*world.Instance{i}), http.StatusAccepted, nil), nil
}

// simulateEviction has a Spot instance evicted soon.
func simulateEviction(i *world.Instance) (*response, *problem) {
	if err := i.SimulateEviction(); err != nil {
		return nil, azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed",
			"Operation 'simulateEviction' is not allowed on virtual machine '%s': %s.", i.Name, err)
	}
	return &response{Status: http.StatusNoContent}, nil
}
