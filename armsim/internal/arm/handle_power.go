package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// powerCall is a request for a power action.
type powerCall struct {
	*call
	action world.PowerAction
}

// newPowerCall reads the action out of a request: a deallocation may be a hibernation.
func newPowerCall(c *call, a world.PowerAction) powerCall {
	if a == world.ActionDeallocate && strings.EqualFold(c.query.get("hibernate"), "true") {
		a = world.ActionHibernate
	}
	return powerCall{c, a}
}

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
		if namesNone(c.body) || c.world.Unknowns().ProtectionCoversNamed {
			targets = world.WithoutProtected(targets)
		}
		return newPowerCall(c, a).begin(set, set, targets)
	}
}

// powerInstance is a power action on an instance of a Uniform set. "*" instead of its ID
// means all of them (recording 20). Hibernation is no option of this call.
func powerInstance(a world.PowerAction) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		if c.param("instance") == allInstances {
			return powerAll(c, a)
		}
		i, p := c.instance()
		if p != nil {
			return nil, p
		}
		return (powerCall{c, a}).one(i.Set, i)
	}
}

func powerAll(c *call, a world.PowerAction) (*response, *problem) {
	set, p := c.uniformSet("VirtualMachineScaleSets.virtualMachines.POST")
	if p != nil {
		return nil, p
	}
	return (powerCall{c, a}).begin(set, set, world.WithoutProtected(set.Live()))
}

// powerMachine is a power action on a virtual machine of the group. It leaves
// the state of its scale set alone.
func powerMachine(a world.PowerAction) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		i, p := c.machine()
		if p != nil {
			return nil, p
		}
		return newPowerCall(c, a).one(nil, i)
	}
}

// one is the action on an instance; set is as in begin.
func (c powerCall) one(set *world.ScaleSet, i *world.Instance) (*response, *problem) {
	if i.State == world.StateDeleting {
		return nil, markedForDeletion(c.action.Name+" Virtual Machine", i.Name)
	}
	return c.begin(i.Set, set, []*world.Instance{i})
}

// begin accepts the action on instances. Those of owner pay for it; the operation is on
// set, nil: on none.
func (c powerCall) begin(owner, set *world.ScaleSet, targets []*world.Instance) (*response, *problem) {
	if p := conflict(c.world.CheckPower(c.action, targets)); p != nil {
		return nil, p
	}
	if p := c.charge(owner, len(targets)); p != nil {
		return nil, p
	}
	return c.accepted(c.world.ChangePower(set, c.action, targets), http.StatusAccepted, nil), nil
}

// simulateEviction has a Spot instance evicted soon.
func simulateEviction(i *world.Instance) (*response, *problem) {
	if err := i.SimulateEviction(); err != nil {
		return nil, azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed",
			"Operation 'simulateEviction' is not allowed on virtual machine '%s': %s.", i.Name, err)
	}
	return &response{Status: http.StatusNoContent}, nil
}
