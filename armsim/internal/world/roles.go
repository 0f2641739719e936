package world

import "time"

// builtInRoles are Azure's own, under their names everywhere and with the
// permissions of Microsoft's page on built-in roles. Reader's are recorded
// (recording 30), and Contributor's notActions.
func builtInRoles() []*RoleDefinition {
	role := func(name, roleName, description string, actions, notActions []string) *RoleDefinition {
		at := time.Date(2015, 2, 2, 21, 55, 9, 0, time.UTC)
		return &RoleDefinition{
			Name: name, RoleName: roleName, Description: description, BuiltIn: true, Scopes: []string{"/"},
			Permissions: []Permission{{Actions: actions, NotActions: notActions}}, Created: at, Updated: at,
		}
	}
	return []*RoleDefinition{
		role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner",
			"Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.", []string{"*"}, nil),
		role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor",
			"Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.", []string{"*"}, contributorNot),
		role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader",
			"View all resources, but does not allow you to make any changes.", []string{"*/read"}, nil),
		role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator",
			"Lets you manage user access to Azure resources.", []string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"}, nil),
		role("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor",
			"Lets you manage virtual machines, but not access to them, and not the virtual network or storage account they're connected to.",
			machineContributor, nil),
		role("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor",
			"Lets you manage networks, but not access to them.", networkContributor, nil),
		role("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator",
			"Read and Assign User Assigned Identity", identityOperator, nil),
	}
}

var contributorNot = []string{
	"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
	"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete",
	"Microsoft.Compute/galleries/share/action", "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
	"Microsoft.Resources/deploymentStacks/manageDenySetting/action",
}

// everyContributor is what the contributors of one kind share.
var everyContributor = []string{
	"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
	"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*",
}

var networkContributor = append([]string{"Microsoft.Network/*"}, everyContributor...)

var identityOperator = append([]string{
	"Microsoft.ManagedIdentity/userAssignedIdentities/*/read", "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
}, everyContributor...)

var machineContributor = append([]string{
	"Microsoft.Compute/availabilitySets/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/virtualMachines/*",
	"Microsoft.Compute/virtualMachineScaleSets/*", "Microsoft.Compute/cloudServices/*", "Microsoft.Compute/disks/write",
	"Microsoft.Compute/disks/read", "Microsoft.Compute/disks/delete", "Microsoft.DevTestLab/schedules/*",
	"Microsoft.Network/applicationGateways/backendAddressPools/join/action", "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
	"Microsoft.Network/loadBalancers/inboundNatPools/join/action", "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
	"Microsoft.Network/loadBalancers/probes/join/action", "Microsoft.Network/loadBalancers/read", "Microsoft.Network/locations/*",
	"Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read",
	"Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read",
	"Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.RecoveryServices/locations/*",
	"Microsoft.SerialConsole/serialPorts/connect/action", "Microsoft.SqlVirtualMachine/*", "Microsoft.Storage/storageAccounts/listKeys/action",
	"Microsoft.Storage/storageAccounts/read",
}, everyContributor...)
