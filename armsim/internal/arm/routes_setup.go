package arm

import (
	"net/http"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The routes of what stands around scale sets, and is set up before one and
// removed after it.

const (
	subscriptionPath = "/subscriptions/{subscription}"
	vnetPath         = networkPath + "virtualNetworks/{virtualNetwork}"
	subnetPath       = vnetPath + "/subnets/{subnet}"
	balancerPath     = networkPath + "loadBalancers/{loadBalancer}"
	identityPath     = groupPath + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"

	// A scope is any number of segments: the subscription, a group, a resource.
	authorizationPath = "/{scope}/providers/Microsoft.Authorization/"

	networkAction       = "Microsoft.Network/"
	authorizationAction = "Microsoft.Authorization/"
	identityAction      = "Microsoft.ManagedIdentity/userAssignedIdentities/"
	providersAction     = "Microsoft.Resources/subscriptions/providers/"
	groupsAction        = "Microsoft.Resources/subscriptions/resourceGroups/"
)

const head = http.MethodHead

func routesOfSubscription() []route {
	return []route{
		{"ResourceGroups_CheckExistence", head, groupPath, groupsAction + "read", limitNone, headGroup},
		{"Resources_ListByResourceGroup", get, groupPath + "/resources", groupsAction + "resources/read", limitNone, listGroupResources},
		{"OperationResults_Get", get, subscriptionPath + "/operationresults/{operation}", "Microsoft.Resources/subscriptions/operationresults/read", limitNone, getManagerResult},
		{"Providers_List", get, subscriptionPath + "/providers", providersAction + "read", limitNone, listProviders},
		{"Providers_Get", get, subscriptionPath + "/providers/{namespace}", providersAction + "read", limitNone, getProvider},
		{"Providers_Register", post, subscriptionPath + "/providers/{namespace}/register", "Microsoft.Resources/subscriptions/providers/register/action", limitNone, moveProvider((*world.Providers).Register)},
		{"Providers_Unregister", post, subscriptionPath + "/providers/{namespace}/unregister", "Microsoft.Resources/subscriptions/providers/unregister/action", limitNone, moveProvider((*world.Providers).Unregister)},
	}
}

func routesOfNetworkSetup() []route {
	return []route{
		{"NetworkSecurityGroups_List", get, networkPath + "networkSecurityGroups", networkAction + "networkSecurityGroups/read", limitNone, listNetwork(securityGroups)},
		{"NetworkSecurityGroups_Get", get, networkPath + "networkSecurityGroups/{securityGroup}", networkAction + "networkSecurityGroups/read", limitNone, getNetwork(securityGroups)},
		{"NetworkSecurityGroups_CreateOrUpdate", put, networkPath + "networkSecurityGroups/{securityGroup}", networkAction + "networkSecurityGroups/write", limitNone, putNetwork(securityGroups)},
		{"NetworkSecurityGroups_Delete", del, networkPath + "networkSecurityGroups/{securityGroup}", networkAction + "networkSecurityGroups/delete", limitNone, deleteNetwork(securityGroups)},
		{"VirtualNetworks_List", get, networkPath + "virtualNetworks", networkAction + "virtualNetworks/read", limitNone, listNetwork(virtualNetworks)},
		{"VirtualNetworks_Get", get, vnetPath, networkAction + "virtualNetworks/read", limitNone, getNetwork(virtualNetworks)},
		{"VirtualNetworks_CreateOrUpdate", put, vnetPath, networkAction + "virtualNetworks/write", limitNone, putNetwork(virtualNetworks)},
		{"VirtualNetworks_Delete", del, vnetPath, networkAction + "virtualNetworks/delete", limitNone, deleteNetwork(virtualNetworks)},
		{"Subnets_List", get, vnetPath + "/subnets", networkAction + "virtualNetworks/subnets/read", limitNone, ofNetworks(listSubnets)},
		{"Subnets_Get", get, subnetPath, networkAction + "virtualNetworks/subnets/read", limitNone, ofNetworks(getSubnet)},
		{"Subnets_CreateOrUpdate", put, subnetPath, networkAction + "virtualNetworks/subnets/write", limitNone, ofNetworks(putSubnet)},
		{"Subnets_Delete", del, subnetPath, networkAction + "virtualNetworks/subnets/delete", limitNone, ofNetworks(deleteSubnet)},
		{"NatGateways_List", get, networkPath + "natGateways", networkAction + "natGateways/read", limitNone, listNetwork(natGateways)},
		{"NatGateways_Get", get, networkPath + "natGateways/{natGateway}", networkAction + "natGateways/read", limitNone, getNetwork(natGateways)},
		{"NatGateways_CreateOrUpdate", put, networkPath + "natGateways/{natGateway}", networkAction + "natGateways/write", limitNone, putNetwork(natGateways)},
		{"NatGateways_Delete", del, networkPath + "natGateways/{natGateway}", networkAction + "natGateways/delete", limitNone, deleteNetwork(natGateways)},
		{"PublicIPAddresses_CreateOrUpdate", put, networkPath + "publicIPAddresses/{publicAddress}", networkAction + "publicIPAddresses/write", limitNone, putNetwork(publicAddresses)},
		{"PublicIPAddresses_Delete", del, networkPath + "publicIPAddresses/{publicAddress}", networkAction + "publicIPAddresses/delete", limitNone, ofNetworks(deleteAddress)},
	}
}

func routesOfLoadBalancers() []route {
	rulePath, action := balancerPath+"/inboundNatRules/{natRule}", networkAction+"loadBalancers/"
	return []route{
		{"LoadBalancers_List", get, networkPath + "loadBalancers", action + "read", limitNone, listNetwork(loadBalancers)},
		{"LoadBalancers_Get", get, balancerPath, action + "read", limitNone, getNetwork(loadBalancers)},
		{"LoadBalancers_CreateOrUpdate", put, balancerPath, action + "write", limitNone, putNetwork(loadBalancers)},
		{"LoadBalancers_Delete", del, balancerPath, action + "delete", limitNone, ofNetworks(deleteLoadBalancer)},
		{"InboundNatRules_List", get, balancerPath + "/inboundNatRules", action + "inboundNatRules/read", limitNone, ofNetworks(listNATRules)},
		{"InboundNatRules_Get", get, rulePath, action + "inboundNatRules/read", limitNone, ofNetworks(getNATRule)},
		{"InboundNatRules_CreateOrUpdate", put, rulePath, action + "inboundNatRules/write", limitNone, ofNetworks(putNATRule)},
		{"InboundNatRules_Delete", del, rulePath, action + "inboundNatRules/delete", limitNone, ofNetworks(deleteNATRule)},
	}
}

func routesOfIdentities() []route {
	return []route{
		{"UserAssignedIdentities_ListByResourceGroup", get, identityPath, identityAction + "read", limitNone, listNetwork(userIdentities)},
		{"UserAssignedIdentities_Get", get, identityPath + "/{identity}", identityAction + "read", limitNone, ofNetworks(getIdentity)},
		{"UserAssignedIdentities_CreateOrUpdate", put, identityPath + "/{identity}", identityAction + "write", limitNone, ofNetworks(putIdentity)},
		{"UserAssignedIdentities_Delete", del, identityPath + "/{identity}", identityAction + "delete", limitNone, ofNetworks(deleteIdentity)},
		{"UserAssignedIdentities_ListAssociatedResources", post, identityPath + "/{identity}/listAssociatedResources", identityAction + "listAssociatedResources/action", limitNone, ofNetworks(listAssociated)},
	}
}

func routesOfAuthorization() []route {
	return []route{
		{"Permissions_ListForResource", get, authorizationPath + "permissions", authorizationAction + "permissions/read", limitNone, inScope(listPermissions)},
		{"RoleDefinitions_List", get, authorizationPath + "roleDefinitions", authorizationAction + "roleDefinitions/read", limitNone, inScope(listRoleDefinitions)},
		{"RoleDefinitions_Get", get, authorizationPath + "roleDefinitions/{role}", authorizationAction + "roleDefinitions/read", limitNone, inScope(getRoleDefinition)},
		{"RoleDefinitions_CreateOrUpdate", put, authorizationPath + "roleDefinitions/{role}", authorizationAction + "roleDefinitions/write", limitNone, inScope(putRoleDefinition)},
		{"RoleDefinitions_Delete", del, authorizationPath + "roleDefinitions/{role}", authorizationAction + "roleDefinitions/delete", limitNone, inScope(deleteRoleDefinition)},
		{"RoleAssignments_ListForScope", get, authorizationPath + "roleAssignments", authorizationAction + "roleAssignments/read", limitNone, inScope(listRoleAssignments)},
		{"RoleAssignments_Get", get, authorizationPath + "roleAssignments/{assignment}", authorizationAction + "roleAssignments/read", limitNone, inScope(getRoleAssignment)},
		{"RoleAssignments_Create", put, authorizationPath + "roleAssignments/{assignment}", authorizationAction + "roleAssignments/write", limitNone, inScope(putRoleAssignment)},
		{"RoleAssignments_Delete", del, authorizationPath + "roleAssignments/{assignment}", authorizationAction + "roleAssignments/delete", limitNone, inScope(deleteRoleAssignment)},
		{"ManagementLocks_ListByScope", get, authorizationPath + "locks", authorizationAction + "locks/read", limitNone, inScope(listLocks)},
		{"ManagementLocks_GetByScope", get, authorizationPath + "locks/{lock}", authorizationAction + "locks/read", limitNone, inScope(getLock)},
		{"ManagementLocks_CreateOrUpdateByScope", put, authorizationPath + "locks/{lock}", authorizationAction + "locks/write", limitNone, inScope(putLock)},
		{"ManagementLocks_DeleteByScope", del, authorizationPath + "locks/{lock}", authorizationAction + "locks/delete", limitNone, inScope(deleteLock)},
	}
}
