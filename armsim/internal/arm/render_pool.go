package arm

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"

func (r *renderer) pool(pool *world.StandbyPool) object {
	p := object{
		"attachedVirtualMachineScaleSetId": r.odd(pool.Set.ID), "virtualMachineState": pool.Kept, "provisioningState": world.StateSucceeded,
		"elasticityProfile": object{"maxReadyCapacity": pool.Most, "minReadyCapacity": pool.Least},
	}
	r.unknown(p)
	return object{
		"id": r.odd(pool.ID), "name": pool.Name, "type": "microsoft.standbypool/standbyvirtualmachinepools", "location": pool.Location,
		"systemData": object{
			"createdBy": "armsim", "createdByType": "Application", "createdAt": zulu(pool.Created),
			"lastModifiedBy": "armsim", "lastModifiedByType": "Application", "lastModifiedAt": zulu(pool.Changed),
		},
		"properties": p,
	}
}

// firstPoolHealth is the first version whose views tell of health (Microsoft's page on
// getting a pool's details).
const firstPoolHealth = "2025-03-01"

func (r *renderer) poolView(pool *world.StandbyPool, version string) object {
	states := []string{"Creating", "Starting", "Running", "Deallocating", "Deallocated", "Deleting"}
	p := object{"provisioningState": world.StateSucceeded}
	if version >= firstPoolHealth {
		states = append(states, "Hibernating", "Hibernated")
		p["status"] = object{"code": "HealthState/healthy"}
		if pool.Degraded() {
			p["status"] = object{"code": "HealthState/degraded"}
		}
	}
	counts, byState := pool.States(), []any{}
	for _, state := range states {
		byState = append(byState, object{"state": state, "count": counts[state]})
	}
	p["instanceCountSummary"] = []any{object{"instanceCountsByState": byState}}
	return object{
		"id": r.odd(pool.ID + "/runtimeViews/latest"), "name": "latest", "type": poolKind + "/runtimeViews", "properties": p,
	}
}
