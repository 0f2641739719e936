package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// The errors of what a client sets up: rights, locks, registration, networks.

// byGateway marks an error of Resource Manager itself, which comes from its
// gateway, not from a provider (recordings 31 and 38).
func byGateway(p *azhttp.Problem) *azhttp.Problem {
	p.Header = http.Header{"X-Ms-Failure-Cause": {"gateway"}}
	return p
}

// linkedAuthorizationFailed has Azure's own words (cloud-provider-azure#1999).
func linkedAuthorizationFailed(client, principal, action, scope, linkedAction, linked string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusForbidden, "LinkedAuthorizationFailed",
		"The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action '%s' on the linked scope(s) '%s' or the linked scope(s) are invalid.",
		client, principal, action, scope, linkedAction, linked))
}

func scopeLocked(scope, verb string, locked []string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusConflict, "ScopeLocked",
		"The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.",
		scope, verb, strings.Join(locked, ",")))
}

func missingRegistration(namespace string) *azhttp.Problem {
	p := byGateway(azhttp.NewProblem(http.StatusConflict, "MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", namespace))
	p.Details = []azhttp.Problem{{Code: p.Code, Target: namespace, Message: p.Message}}
	return p
}

func invalidNamespace(namespace string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", namespace))
}

// invalidReference has the Network provider's words (MicrosoftDocs/azure-docs#81734).
func invalidReference(id, by string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "InvalidResourceReference",
		"Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", id, by))
}

// identityNotFound is what the Compute provider makes of the identity provider's
// refusal; its words are believed.
func identityNotFound(id, by string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "FailedIdentityOperation",
		"Identity operation for resource '%s' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{\"error\":{\"code\":\"BadRequest\",\"message\":\"Resource '%s' was not found.\"}}'.'.", by, id)
}

func filterNotSimulated(filter string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotImplemented, "NotImplemented", "armsim does not simulate the filter %q.", filter)
}

// The Network provider's errors have details, empty ones (recording 38).
func byNetwork(p *azhttp.Problem) *azhttp.Problem {
	p.Details = []azhttp.Problem{}
	return p
}

func interfaceInUse(id, user string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "NicInUse",
		"Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
		id, user))
}

func securityGroupInUse(id string, users []string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "InUseNetworkSecurityGroupCannotBeDeleted",
		"Network security group %s cannot be deleted because it is in use by the following resources: %s. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
		id, strings.Join(users, ", ")))
}

func subnetInUse(name string, users []string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "InUseSubnetCannotBeDeleted",
		"Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
		name, strings.Join(users, ", ")))
}

func publicAddressInUse(id string, users []string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "PublicIPAddressCannotBeDeleted",
		"Public IP address %s can not be deleted since it is still allocated to resource %s. In order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, see aka.ms/deletepublicip.",
		id, users[0]))
}

// natGatewayInUse is reported (Azure-Samples/Copilot-Studio-with-Azure-AI-Search#62).
func natGatewayInUse(id string, users []string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "CannotDeleteNatGatewayAssociatedToSubnet",
		"NAT Gateway %s is still configured on %d subnets. Remove NAT Gateway from all referenced subnets and then delete NAT Gateway.", id, len(users)))
}

// loadBalancerInUse has believed words.
func loadBalancerInUse(id string, users []string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "LoadBalancerInUseByVirtualMachineScaleSet",
		"Cannot delete load balancer %s since its child resources are in use by %s.", id, users[0]))
}

func natPortsNotNumbers(name, list string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "InvalidRequestFormat",
		"Cannot parse the request: ports of %s in %s must be integers.", name, list))
}

func anotherOperation(id string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusConflict, "AnotherOperationInProgress",
		"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: %s.", id))
}

func badSubnetPrefix(prefix, subnet string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "InvalidAddressPrefixFormat", "Address prefix %s of resource %s is not formatted correctly.", prefix, subnet))
}

func subnetOutside(subnet, network string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "NetcfgSubnetRangeOutsideVnet",
		"Subnet '%s' is not valid because its IP address range is outside the IP address range of virtual network '%s'.", subnet, network))
}

func subnetsOverlap(subnet, network string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusBadRequest, "NetcfgSubnetRangesOverlap",
		"Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '%s'.", subnet, network))
}

// Authorization's.

func noRoleDefinition(id string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "RoleDefinitionDoesNotExist",
		"The specified role definition with ID '%s' does not exist.", id)
}

func noRoleAssignment(name string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", name)
}

func roleAssignmentExists() *azhttp.Problem {
	return azhttp.NewProblem(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
}

func principalNotFound(principal, tenant string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "PrincipalNotFound",
		"Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
		strings.ReplaceAll(principal, "-", ""), tenant)
}

func badRequestOf(code, format string, args ...any) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, code, format, args...)
}

func conflictOf(code, format string, args ...any) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusConflict, code, format, args...)
}

func noLock(name string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "LockNotFound", "The lock '%s' could not be found.", name)
}
