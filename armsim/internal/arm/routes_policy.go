package arm

// The routes of what others put on a scale set or around it.

func routesOfPolicies() []route {
	const (
		assignments, exemptions = authorizationAction + "policyAssignments/", authorizationAction + "policyExemptions/"
		definitions, sets       = authorizationAction + "policyDefinitions/", authorizationAction + "policySetDefinitions/"

		tenantPath     = "/providers/Microsoft.Authorization/"
		assignmentPath = authorizationPath + "policyAssignments"
		exemptionPath  = authorizationPath + "policyExemptions"
		definitionPath = authorizationPath + "policyDefinitions/{definition}"
		policySetPath  = authorizationPath + "policySetDefinitions/{definition}"
	)
	return []route{
		{"PolicyAssignments_ListForResourceGroup", get, assignmentPath, assignments + "read", limitNone, inScope(listPolicyAssignments)},
		{"PolicyAssignments_Get", get, assignmentPath + "/{assignment}", assignments + "read", limitNone, inScope(policyAssignments.get)},
		{"PolicyAssignments_Create", put, assignmentPath + "/{assignment}", assignments + "write", limitNone, inScope(policyAssignments.put)},
		{"PolicyAssignments_Delete", del, assignmentPath + "/{assignment}", assignments + "delete", limitNone, inScope(policyAssignments.delete)},
		{"PolicyExemptions_ListForResourceGroup", get, exemptionPath, exemptions + "read", limitNone, inScope(listPolicyExemptions)},
		{"PolicyExemptions_Get", get, exemptionPath + "/{exemption}", exemptions + "read", limitNone, inScope(policyExemptions.get)},
		{"PolicyExemptions_CreateOrUpdate", put, exemptionPath + "/{exemption}", exemptions + "write", limitNone, inScope(policyExemptions.put)},
		{"PolicyExemptions_Delete", del, exemptionPath + "/{exemption}", exemptions + "delete", limitNone, inScope(policyExemptions.delete)},
		{"PolicyDefinitions_GetBuiltIn", get, tenantPath + "policyDefinitions/{definition}", definitions + "read", limitNone, getBuiltInPolicy},
		{"PolicyDefinitions_Get", get, definitionPath, definitions + "read", limitNone, inScope(policyDefinitions.get)},
		{"PolicyDefinitions_CreateOrUpdate", put, definitionPath, definitions + "write", limitNone, inScope(policyDefinitions.put)},
		{"PolicyDefinitions_Delete", del, definitionPath, definitions + "delete", limitNone, inScope(policyDefinitions.delete)},
		{"PolicySetDefinitions_GetBuiltIn", get, tenantPath + "policySetDefinitions/{definition}", sets + "read", limitNone, getBuiltInPolicySet},
		{"PolicySetDefinitions_Get", get, policySetPath, sets + "read", limitNone, inScope(policySets.get)},
		{"PolicySetDefinitions_CreateOrUpdate", put, policySetPath, sets + "write", limitNone, inScope(policySets.put)},
		{"PolicySetDefinitions_Delete", del, policySetPath, sets + "delete", limitNone, inScope(policySets.delete)},
	}
}
