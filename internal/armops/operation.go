package armops

// Operation is an operation of Azure Resource Manager.
type Operation struct {
	Name       string // operationId in Azure's specification
	Method     string // HTTP method
	Path       string // with {subscription}, {group}, {scaleSet} and {instance} to fill in
	APIVersion string // as the SDK sends it
	Action     string // role-based access control action that allows it
}

const (
	group    = "/subscriptions/{subscription}/resourceGroups/{group}"
	scaleSet = group + "/providers/Microsoft.Compute/virtualMachineScaleSets/{scaleSet}"
	actions  = "Microsoft.Compute/virtualMachineScaleSets/"

	// The SDK's API versions: armcompute v8.3.0 and armnetwork v9.0.0. The
	// network lists of a scale set never moved past 2018-10-01.
	computeVersion   = "2026-04-01"
	networkVersion   = "2018-10-01"
	autoscaleVersion = "2022-10-01"
)

// Names of the operations, as in Azure's specification.
const (
	GetScaleSet           = "VirtualMachineScaleSets_Get"
	UpdateScaleSet        = "VirtualMachineScaleSets_Update"
	DeleteInstances       = "VirtualMachineScaleSets_DeleteInstances"
	ListInstances         = "VirtualMachineScaleSetVMs_List"
	GetInstance           = "VirtualMachineScaleSetVMs_Get"
	ListInterfaces        = "NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces"
	ListPublicAddresses   = "PublicIPAddresses_ListVirtualMachineScaleSetPublicIPAddresses"
	ListAutoscaleSettings = "AutoscaleSettings_ListByResourceGroup"
)

// All returns every operation, in a fresh slice.
func All() []Operation {
	return []Operation{
		{GetScaleSet, "GET", scaleSet, computeVersion, actions + "read"},
		{UpdateScaleSet, "PATCH", scaleSet, computeVersion, actions + "write"},
		{DeleteInstances, "POST", scaleSet + "/delete", computeVersion, actions + "delete/action"},
		{ListInstances, "GET", scaleSet + "/virtualMachines", computeVersion, actions + "virtualMachines/read"},
		{GetInstance, "GET", scaleSet + "/virtualMachines/{instance}", computeVersion, actions + "virtualMachines/read"},
		{ // The SDK writes this provider, and no other, with a small m.
			ListInterfaces, "GET",
			group + "/providers/microsoft.Compute/virtualMachineScaleSets/{scaleSet}/networkInterfaces",
			networkVersion, actions + "networkInterfaces/read",
		},
		{ListPublicAddresses, "GET", scaleSet + "/publicipaddresses", networkVersion, actions + "publicIPAddresses/read"},
		{
			ListAutoscaleSettings, "GET", group + "/providers/Microsoft.Insights/autoscalesettings",
			autoscaleVersion, "Microsoft.Insights/autoscaleSettings/read",
		},
	}
}

// ByName finds an operation by its name in Azure's specification. The zero
// Operation stands for a name that is not in the table.
func ByName(name string) Operation {
	for _, o := range All() {
		if o.Name == name {
			return o
		}
	}
	return Operation{}
}
