package arm

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// instanceView is the instance view. Its statuses stand in no order that a
// client may rely on.
func (r *renderer) instanceView(i *world.Instance) object {
	view := object{
		"placementGroupId": i.Set.UniqueID, "platformUpdateDomain": i.Number % 5, "platformFaultDomain": i.Number % 5,
		"hyperVGeneration": "V2", "statuses": r.statuses(i),
		"disks": []any{object{"name": i.DiskName("OS"), "statuses": []any{r.provisioning(world.StateSucceeded, i.DiskChanged())}}},
	}
	if i.Pooled {
		view["isVMInStandbyPool"] = i.InPool // absent from those that never were
	}
	if i.Power != world.PowerDeallocated {
		view["computerName"] = i.Computer
	}
	switch i.Power {
	case world.PowerRunning, world.PowerStopping, world.PowerStopped:
		r.guest(i, view)
	}
	return view
}

// statuses are those of provisioning, whose time is that of the last action (recording
// 20), of the power, and of hibernation (recording 23).
func (r *renderer) statuses(i *world.Instance) []any {
	state := r.provisioning(i.State, i.Changed)
	if i.Failure != nil {
		state = r.status("ProvisioningState/failed/"+i.Failure.Code, "Provisioning failed", i.Changed)
		state["level"], state["message"] = "Error", i.Failure.Message
	}
	statuses := []any{state}
	if i.Power != "" {
		statuses = append(statuses, r.status("PowerState/"+i.Power, "VM "+i.Power, time.Time{}))
	}
	if len(statuses) == 2 && !r.polite && r.random.IntN(2) == 0 {
		statuses[0], statuses[1] = statuses[1], statuses[0]
	}
	if i.Hibernated && i.Power == world.PowerDeallocated {
		statuses = append(statuses, r.status("HibernationState/Hibernated", "VM hibernated", time.Time{}))
	}
	return statuses
}

// guest adds what the guest agent reported, which stands after a stop and after a start
// with its old time until the agent reports again (recording 20).
func (r *renderer) guest(i *world.Instance, view object) {
	if i.AgentSeen.IsZero() {
		return
	}
	view["osName"], view["osVersion"] = "ubuntu", "24.04"
	if isWindows(i.Profile) {
		view["osName"] = "Windows Server"
	}
	agent := r.status("ProvisioningState/succeeded", "Ready", i.AgentSeen)
	agent["message"] = "Guest Agent is running"
	view["vmAgent"] = object{"vmAgentVersion": "2.15.0.1", "statuses": []any{agent}, "extensionHandlers": []any{}}
}
