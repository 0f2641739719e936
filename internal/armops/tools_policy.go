package armops

// What others have put on a scale set, or around it, that adds, removes or refuses
// instances: only doctor reads it.
const (
	ListStandbyPools = "StandbyVirtualMachinePools_ListByResourceGroup"

	ListPolicyAssignments       = "PolicyAssignments_ListForResourceGroup"
	ListPolicyExemptions        = "PolicyExemptions_ListForResourceGroup"
	GetPolicyDefinition         = "PolicyDefinitions_Get"
	GetBuiltInPolicyDefinition  = "PolicyDefinitions_GetBuiltIn"
	GetManagementGroupPolicy    = "PolicyDefinitions_GetAtManagementGroup"
	GetPolicySet                = "PolicySetDefinitions_Get"
	GetBuiltInPolicySet         = "PolicySetDefinitions_GetBuiltIn"
	GetManagementGroupPolicySet = "PolicySetDefinitions_GetAtManagementGroup"
)

const (
	managementGroup = "/providers/Microsoft.Management/managementGroups/{managementGroup}"

	standbyVersion = "2024-03-01" // recording 26
	policyVersion  = "2023-04-01"

	exemptionVersion = "2022-07-01-preview" // exemptions have no other
)

// addPolicies adds definitions at each of the places where they can be: Azure's own are in
// no subscription.
func addPolicies(add adder) {
	const standby, action = "Microsoft.StandbyPool/standbyVirtualMachinePools", "Microsoft.Authorization/"
	add(ListStandbyPools, "GET", group+"/providers/"+standby, standbyVersion, standby+"/read")
	add(ListPolicyAssignments, "GET", group+authorization+"policyAssignments", policyVersion, action+"policyAssignments/read")
	add(ListPolicyExemptions, "GET", group+authorization+"policyExemptions", exemptionVersion, action+"policyExemptions/read")
	for _, at := range []struct{ place, definition, set string }{
		{subscription, GetPolicyDefinition, GetPolicySet},
		{"", GetBuiltInPolicyDefinition, GetBuiltInPolicySet},
		{managementGroup, GetManagementGroupPolicy, GetManagementGroupPolicySet},
	} {
		add(at.definition, "GET", at.place+authorization+"policyDefinitions/{definition}", policyVersion, action+"policyDefinitions/read")
		add(at.set, "GET", at.place+authorization+"policySetDefinitions/{definition}", policyVersion, action+"policySetDefinitions/read")
	}
}
