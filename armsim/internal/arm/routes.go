package arm

import (
	"net/http"
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// route is an ARM operation under the name that Azure's specification gives it.
type route struct {
	operation string
	method    string
	pattern   string
	action    string // RBAC action demanded
	limit     bucketed
	handle    func(*call) (*response, *problem)
}

const (
	groupPath    = "/subscriptions/{subscription}/resourceGroups/{group}"
	setPath      = groupPath + "/providers/Microsoft.Compute/virtualMachineScaleSets/{scaleSet}"
	instancePath = setPath + "/virtualMachines/{instance}"
	machinePath  = groupPath + "/providers/Microsoft.Compute/virtualMachines/{machine}"
	networkPath  = groupPath + "/providers/Microsoft.Network/"
	setAction    = "Microsoft.Compute/virtualMachineScaleSets/"
	vmAction     = setAction + "virtualMachines/"
	ownAction    = "Microsoft.Compute/virtualMachines/"
)

const get, put, patch, post, del = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete

// newRoutes is all that is simulated, under the operation IDs of Azure's
// specification.
func newRoutes() []route {
	return slices.Concat(routesOfGroups(), routesOfScaleSets(), routesOfMachines(), routesOfNetwork(), routesOfAutoscale(),
		routesOfSubscription(), routesOfNetworkSetup(), routesOfIdentities(), routesOfAuthorization(), routesOfPolicies(), routesOfCatalog(), routesOfPools())
}

func routesOfGroups() []route {
	return []route{
		{"Subscriptions_Get", get, "/subscriptions/{subscription}", "Microsoft.Resources/subscriptions/read", limitNone, getSubscription},
		{"ResourceGroups_List", get, "/subscriptions/{subscription}/resourceGroups", "Microsoft.Resources/subscriptions/resourceGroups/read", limitNone, listGroups},
		{"ResourceGroups_Get", get, groupPath, "Microsoft.Resources/subscriptions/resourceGroups/read", limitNone, getGroup},
		{"ResourceGroups_CreateOrUpdate", put, groupPath, "Microsoft.Resources/subscriptions/resourceGroups/write", limitNone, putGroup},
		{"ResourceGroups_Delete", del, groupPath, "Microsoft.Resources/subscriptions/resourceGroups/delete", limitNone, deleteGroup},
		{"Operations_Get", get, "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{operation}", "Microsoft.Compute/locations/operations/read", limitOperation, getOperation},
		{"NetworkOperations_Get", get, "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/operations/{operation}", "Microsoft.Network/locations/operations/read", limitNone, getNetworkOperation},
		{"NetworkOperationResults_Get", get, "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/operationResults/{operation}", "Microsoft.Network/locations/operationResults/read", limitNone, getNetworkResult},
	}
}

func routesOfScaleSets() []route {
	return []route{
		{"VirtualMachineScaleSets_List", get, groupPath + "/providers/Microsoft.Compute/virtualMachineScaleSets", setAction + "read", limitScaleSetList, listScaleSets},
		{"VirtualMachineScaleSets_Get", get, setPath, setAction + "read", limitScaleSetGet, getScaleSet},
		{"VirtualMachineScaleSets_CreateOrUpdate", put, setPath, setAction + "write", limitScaleSetPut, putScaleSet},
		{"VirtualMachineScaleSets_Update", patch, setPath, setAction + "write", limitScaleSetPatch, patchScaleSet},
		{"VirtualMachineScaleSets_Delete", del, setPath, setAction + "delete", limitScaleSetKill, deleteScaleSet},
		{"VirtualMachineScaleSets_GetInstanceView", get, setPath + "/instanceView", setAction + "instanceView/read", limitScaleSetView, scaleSetView},
		{"VirtualMachineScaleSets_DeleteInstances", post, setPath + "/delete", setAction + "delete/action", limitScaleSetAct, deleteInstances},
		{"VirtualMachineScaleSets_UpdateInstances", post, setPath + "/manualupgrade", setAction + "manualUpgrade/action", limitScaleSetAct, upgradeInstances},
		{"VirtualMachineScaleSets_PowerOff", post, setPath + "/poweroff", setAction + "powerOff/action", limitScaleSetStop, powerScaleSet(world.ActionPowerOff)},
		{"VirtualMachineScaleSets_Deallocate", post, setPath + "/deallocate", setAction + "deallocate/action", limitScaleSetStop, powerScaleSet(world.ActionDeallocate)},
		{"VirtualMachineScaleSets_Start", post, setPath + "/start", setAction + "start/action", limitScaleSetAct, powerScaleSet(world.ActionStart)},
		{"VirtualMachineScaleSets_Restart", post, setPath + "/restart", setAction + "restart/action", limitScaleSetAct, powerScaleSet(world.ActionRestart)},

		{"VirtualMachineScaleSetVMs_List", get, setPath + "/virtualMachines", vmAction + "read", limitInstanceList, listInstances},
		{"VirtualMachineScaleSetVMs_Get", get, instancePath, vmAction + "read", limitInstanceGet, getInstance},
		{"VirtualMachineScaleSetVMs_GetInstanceView", get, instancePath + "/instanceView", vmAction + "instanceView/read", limitInstanceGet, instanceView},
		{"VirtualMachineScaleSetVMs_Update", put, instancePath, vmAction + "write", limitInstancePut, putInstance},
		{"VirtualMachineScaleSetVMs_Delete", del, instancePath, vmAction + "delete", limitInstanceKill, deleteInstance},
		{"VirtualMachineScaleSetVMs_PowerOff", post, instancePath + "/poweroff", vmAction + "powerOff/action", limitInstanceKill, powerInstance(world.ActionPowerOff)},
		{"VirtualMachineScaleSetVMs_Deallocate", post, instancePath + "/deallocate", vmAction + "deallocate/action", limitInstanceKill, powerInstance(world.ActionDeallocate)},
		{"VirtualMachineScaleSetVMs_Start", post, instancePath + "/start", vmAction + "start/action", limitInstancePut, powerInstance(world.ActionStart)},
		{"VirtualMachineScaleSetVMs_Restart", post, instancePath + "/restart", vmAction + "restart/action", limitInstancePut, powerInstance(world.ActionRestart)},
		{"VirtualMachineScaleSetVMs_SimulateEviction", post, instancePath + "/simulateEviction", vmAction + "simulateEviction/action", limitInstancePut, simulateInstanceEviction},
	}
}

func routesOfMachines() []route {
	return []route{
		{"VirtualMachines_List", get, groupPath + "/providers/Microsoft.Compute/virtualMachines", ownAction + "read", limitMachineList, listMachines},
		{"VirtualMachines_Get", get, machinePath, ownAction + "read", limitMachineGet, getMachine},
		{"VirtualMachines_InstanceView", get, machinePath + "/instanceView", ownAction + "instanceView/read", limitMachineGet, machineView},
		{"VirtualMachines_CreateOrUpdate", put, machinePath, ownAction + "write", limitMachinePut, putMachine},
		{"VirtualMachines_Update", patch, machinePath, ownAction + "write", limitMachinePut, patchMachine},
		{"VirtualMachines_Delete", del, machinePath, ownAction + "delete", limitMachineKill, deleteMachine},
		{"VirtualMachines_PowerOff", post, machinePath + "/powerOff", ownAction + "powerOff/action", limitMachinePut, powerMachine(world.ActionPowerOff)},
		{"VirtualMachines_Deallocate", post, machinePath + "/deallocate", ownAction + "deallocate/action", limitMachineKill, powerMachine(world.ActionDeallocate)},
		{"VirtualMachines_Start", post, machinePath + "/start", ownAction + "start/action", limitMachinePut, powerMachine(world.ActionStart)},
		{"VirtualMachines_Restart", post, machinePath + "/restart", ownAction + "restart/action", limitMachinePut, powerMachine(world.ActionRestart)},
		{"VirtualMachines_SimulateEviction", post, machinePath + "/simulateEviction", ownAction + "simulateEviction/action", limitMachineKill, simulateMachineEviction},
	}
}

func routesOfNetwork() []route {
	publicPath := instancePath + "/networkInterfaces/{interface}/ipConfigurations/{config}/publicIPAddresses"
	return []route{
		{"NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces", get, setPath + "/networkInterfaces", setAction + "networkInterfaces/read", limitNone, listInterfaces},
		{"NetworkInterfaces_ListVirtualMachineScaleSetVMNetworkInterfaces", get, instancePath + "/networkInterfaces", vmAction + "networkInterfaces/read", limitNone, listInterfaces},
		{"NetworkInterfaces_GetVirtualMachineScaleSetNetworkInterface", get, instancePath + "/networkInterfaces/{interface}", vmAction + "networkInterfaces/read", limitNone, getInterface},
		{"PublicIPAddresses_ListVirtualMachineScaleSetPublicIPAddresses", get, setPath + "/publicIPAddresses", setAction + "publicIPAddresses/read", limitNone, listPublicAddresses},
		{"PublicIPAddresses_ListVirtualMachineScaleSetVMPublicIPAddresses", get, publicPath, vmAction + "networkInterfaces/ipConfigurations/publicIPAddresses/read", limitNone, listPublicAddresses},

		{"NetworkInterfaces_List", get, networkPath + "networkInterfaces", "Microsoft.Network/networkInterfaces/read", limitNone, listGroupInterfaces},
		{"NetworkInterfaces_Get", get, networkPath + "networkInterfaces/{interface}", "Microsoft.Network/networkInterfaces/read", limitNone, getGroupInterface},
		{"NetworkInterfaces_CreateOrUpdate", put, networkPath + "networkInterfaces/{interface}", "Microsoft.Network/networkInterfaces/write", limitNone, putGroupInterface},
		{"NetworkInterfaces_Delete", del, networkPath + "networkInterfaces/{interface}", "Microsoft.Network/networkInterfaces/delete", limitNone, deleteGroupInterface},
		{"PublicIPAddresses_List", get, networkPath + "publicIPAddresses", "Microsoft.Network/publicIPAddresses/read", limitNone, ofNetworks(listAllAddresses)},
		{"PublicIPAddresses_Get", get, networkPath + "publicIPAddresses/{publicAddress}", "Microsoft.Network/publicIPAddresses/read", limitNone, ofNetworks(getAnyAddress)},
	}
}

func routesOfAutoscale() []route {
	return []route{
		{"AutoscaleSettings_ListByResourceGroup", get, groupPath + "/providers/Microsoft.Insights/autoscaleSettings", "Microsoft.Insights/autoscaleSettings/read", limitNone, listAutoscale},
		{"AutoscaleSettings_CreateOrUpdate", put, groupPath + "/providers/Microsoft.Insights/autoscaleSettings/{setting}", "Microsoft.Insights/autoscaleSettings/write", limitNone, putAutoscale},
	}
}
