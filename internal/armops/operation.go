package armops

// Mode is the orchestration mode of the scale sets that an operation is for.
type Mode string

// The modes; Uniform and Flexible are spelled as Azure spells them.
const (
	Uniform  Mode = "Uniform"
	Flexible Mode = "Flexible"
	Both     Mode = "both"
)

// Operation is an operation of Azure Resource Manager.
type Operation struct {
	Name       string // operationId in Azure's specification
	Method     string // HTTP method
	Path       string // with {subscription}, {group}, {scaleSet}, {instance} and the like to fill in; a VM's name is its {instance}
	APIVersion string // as the SDK sends it
	Action     string // role-based access control action that allows it
	Mode       Mode   // orchestration mode that it is used in
}

const (
	group    = "/subscriptions/{subscription}/resourceGroups/{group}"
	scaleSet = group + "/providers/Microsoft.Compute/virtualMachineScaleSets/{scaleSet}"
	actions  = "Microsoft.Compute/virtualMachineScaleSets/"
	machines = group + "/providers/Microsoft.Compute/virtualMachines"
	networks = group + "/providers/Microsoft.Network"

	// The SDK's API versions: armcompute v8.3.0 and armnetwork v9.0.0. The
	// network lists of a scale set never moved past 2018-10-01.
	computeVersion   = "2026-04-01"
	networkVersion   = "2018-10-01"
	groupVersion     = "2025-05-01" // of network resources in a resource group
	autoscaleVersion = "2022-10-01"
)

// Names of the operations, as in Azure's specification.
const (
	GetScaleSet           = "VirtualMachineScaleSets_Get"
	UpdateScaleSet        = "VirtualMachineScaleSets_Update"
	DeleteInstances       = "VirtualMachineScaleSets_DeleteInstances"
	DeallocateInstances   = "VirtualMachineScaleSets_Deallocate"
	StartInstances        = "VirtualMachineScaleSets_Start"
	UpdateInstance        = "VirtualMachineScaleSetVMs_Update"
	ListInstances         = "VirtualMachineScaleSetVMs_List"
	GetInstance           = "VirtualMachineScaleSetVMs_Get"
	ListInterfaces        = "NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces"
	ListPublicAddresses   = "PublicIPAddresses_ListVirtualMachineScaleSetPublicIPAddresses"
	ListAutoscaleSettings = "AutoscaleSettings_ListByResourceGroup"
	GetOperation          = "Operations_Get"

	ListVirtualMachines      = "VirtualMachines_List"
	GetVirtualMachine        = "VirtualMachines_Get"
	DeleteVirtualMachine     = "VirtualMachines_Delete"
	DeallocateVirtualMachine = "VirtualMachines_Deallocate"
	StartVirtualMachine      = "VirtualMachines_Start"
	UpdateVirtualMachine     = "VirtualMachines_Update"
	ListGroupInterfaces      = "NetworkInterfaces_List"
	ListGroupPublicAddresses = "PublicIPAddresses_List"
)

// All returns every operation of the plugin, in a fresh slice.
func All() []Operation {
	return []Operation{
		{
			GetOperation, "GET", "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{operation}",
			computeVersion, "Microsoft.Compute/locations/operations/read", Both,
		},
		{GetScaleSet, "GET", scaleSet, computeVersion, actions + "read", Both},
		{UpdateScaleSet, "PATCH", scaleSet, computeVersion, actions + "write", Both},
		{DeleteInstances, "POST", scaleSet + "/delete", computeVersion, actions + "delete/action", Both},
		{DeallocateInstances, "POST", scaleSet + "/deallocate", computeVersion, actions + "deallocate/action", Both},
		{StartInstances, "POST", scaleSet + "/start", computeVersion, actions + "start/action", Both},
		{ListInstances, "GET", scaleSet + "/virtualMachines", computeVersion, actions + "virtualMachines/read", Uniform},
		{GetInstance, "GET", scaleSet + "/virtualMachines/{instance}", computeVersion, actions + "virtualMachines/read", Uniform},
		{UpdateInstance, "PUT", scaleSet + "/virtualMachines/{instance}", computeVersion, actions + "virtualMachines/write", Uniform},
		{ // The SDK writes this provider, and no other, with a small m.
			ListInterfaces, "GET",
			group + "/providers/microsoft.Compute/virtualMachineScaleSets/{scaleSet}/networkInterfaces",
			networkVersion, actions + "networkInterfaces/read", Uniform,
		},
		{ListPublicAddresses, "GET", scaleSet + "/publicipaddresses", networkVersion, actions + "publicIPAddresses/read", Uniform},
		{
			ListAutoscaleSettings, "GET", group + "/providers/Microsoft.Insights/autoscalesettings",
			autoscaleVersion, "Microsoft.Insights/autoscaleSettings/read", Both,
		},
		{ListVirtualMachines, "GET", machines, computeVersion, "Microsoft.Compute/virtualMachines/read", Flexible},
		{GetVirtualMachine, "GET", machines + "/{instance}", computeVersion, "Microsoft.Compute/virtualMachines/read", Flexible},
		{DeleteVirtualMachine, "DELETE", machines + "/{instance}", computeVersion, "Microsoft.Compute/virtualMachines/delete", Flexible},
		{DeallocateVirtualMachine, "POST", machines + "/{instance}/deallocate", computeVersion, "Microsoft.Compute/virtualMachines/deallocate/action", Flexible},
		{StartVirtualMachine, "POST", machines + "/{instance}/start", computeVersion, "Microsoft.Compute/virtualMachines/start/action", Flexible},
		{UpdateVirtualMachine, "PATCH", machines + "/{instance}", computeVersion, "Microsoft.Compute/virtualMachines/write", Flexible},
		{ListGroupInterfaces, "GET", networks + "/networkInterfaces", groupVersion, "Microsoft.Network/networkInterfaces/read", Flexible},
		{
			ListGroupPublicAddresses, "GET", networks + "/publicIPAddresses",
			groupVersion, "Microsoft.Network/publicIPAddresses/read", Flexible,
		},
	}
}

// In returns the operations that are used in a mode, Uniform or Flexible.
func In(mode Mode) []Operation {
	var used []Operation
	for _, o := range All() {
		if o.Mode == mode || o.Mode == Both {
			used = append(used, o)
		}
	}
	return used
}

// ByName finds an operation by its name in Azure's specification. The zero
// Operation stands for a name that is not in the table.
func ByName(name string) Operation {
	for _, o := range append(All(), Tools()...) {
		if o.Name == name {
			return o
		}
	}
	return Operation{}
}
