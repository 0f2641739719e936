package armapi

import (
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func instanceOf(vm armcompute.VirtualMachineScaleSetVM) vmss.Instance {
	p := val(vm.Properties)
	statuses := val(p.InstanceView).Statuses
	i := vmss.Instance{
		ID:                val(vm.ID),
		Name:              val(vm.Name),
		InstanceID:        val(vm.InstanceID),
		VMID:              val(p.VMID),
		ProvisioningState: val(p.ProvisioningState),
		HasView:           p.InstanceView != nil,
		PowerState:        powerState(statuses),
		Failure:           failure(statuses),
		LatestModel:       val(p.LatestModelApplied),
	}
	if zones := toStrings(vm.Zones); len(zones) > 0 {
		i.Zone = zones[0]
	}
	return i
}

// powerState reads the code "PowerState/running" among the statuses, whose
// order and case are not specified.
func powerState(statuses []*armcompute.InstanceViewStatus) string {
	for _, s := range statuses {
		if state, ok := strings.CutPrefix(strings.ToLower(val(val(s).Code)), "powerstate/"); ok {
			return state
		}
	}
	return ""
}

// failure reads the code "ProvisioningState/failed/AllocationFailed" and its
// message, in one line.
func failure(statuses []*armcompute.InstanceViewStatus) string {
	const prefix = "provisioningstate/failed"
	for _, s := range statuses {
		code := val(val(s).Code)
		if len(code) < len(prefix) || !strings.EqualFold(code[:len(prefix)], prefix) {
			continue
		}
		reason := strings.Trim(code[len(prefix):], "/")
		message := val(s.Message)
		if reason != "" && message != "" {
			reason += ": "
		}
		return armerr.Line(reason + message)
	}
	return ""
}

// setOf returns the ID of the scale set that the VM names.
func setOf(vm armcompute.VirtualMachine) string {
	return val(val(val(vm.Properties).VirtualMachineScaleSet).ID)
}

// machineOf converts a VM of a Flexible scale set, which has no number and
// no field for whether it has the latest model.
func machineOf(vm armcompute.VirtualMachine) vmss.Instance {
	p := val(vm.Properties)
	statuses := val(p.InstanceView).Statuses
	i := vmss.Instance{
		ID:                val(vm.ID),
		Name:              val(vm.Name),
		VMID:              val(p.VMID),
		ProvisioningState: val(p.ProvisioningState),
		HasView:           p.InstanceView != nil,
		PowerState:        powerState(statuses),
		Failure:           failure(statuses),
		LatestModel:       true,
	}
	if i.Name == "" {
		i.Name = i.ID[strings.LastIndex(i.ID, "/")+1:]
	}
	i.InstanceID = i.Name
	if i.ProvisioningState == "" {
		i.ProvisioningState = provisioningState(statuses)
	}
	if zones := toStrings(vm.Zones); len(zones) > 0 {
		i.Zone = zones[0]
	}
	return i
}

// provisioningState reads the state in the code "ProvisioningState/succeeded"
// or "ProvisioningState/failed/AllocationFailed".
func provisioningState(statuses []*armcompute.InstanceViewStatus) string {
	const prefix = "provisioningstate/"
	for _, s := range statuses {
		code := val(val(s).Code)
		if len(code) >= len(prefix) && strings.EqualFold(code[:len(prefix)], prefix) {
			state, _, _ := strings.Cut(code[len(prefix):], "/")
			return state
		}
	}
	return ""
}
