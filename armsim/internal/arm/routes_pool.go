package arm

const (
	poolsPath  = "/providers/" + poolKind
	poolPath   = groupPath + poolsPath + "/{pool}"
	poolAction = poolKind + "/"
)

func routesOfPools() []route {
	return []route{
		{"StandbyVirtualMachinePools_ListBySubscription", get, subscriptionPath + poolsPath, poolAction + "read", limitNone, ofPools(listAllPools)},
		{"StandbyVirtualMachinePools_ListByResourceGroup", get, groupPath + poolsPath, poolAction + "read", limitNone, ofPools(listPools)},
		{"StandbyVirtualMachinePools_Get", get, poolPath, poolAction + "read", limitNone, ofPools(getPool)},
		{"StandbyVirtualMachinePools_CreateOrUpdate", put, poolPath, poolAction + "write", limitNone, ofPools(putPool)},
		{"StandbyVirtualMachinePools_Update", patch, poolPath, poolAction + "write", limitNone, ofPools(patchPool)},
		{"StandbyVirtualMachinePools_Delete", del, poolPath, poolAction + "delete", limitNone, ofPools(deletePool)},
		{"StandbyVirtualMachinePoolRuntimeViews_Get", get, poolPath + "/runtimeViews/{runtimeView}", poolAction + "runtimeViews/read", limitNone, ofPools(getPoolView)},
		{"StandbyVirtualMachines_ListByStandbyVirtualMachinePoolResource", get, poolPath + "/standbyVirtualMachines", poolAction + "standbyVirtualMachines/read", limitNone, ofPools(listPoolMembers)},
		{"StandbyPoolOperations_Get", get, subscriptionPath + "/providers/Microsoft.StandbyPool/locations/{location}/operationStatuses/{operation}", "Microsoft.StandbyPool/locations/operationStatuses/read", limitNone, ofPools(getPoolOperation)},
	}
}
