package doctor_test

import (
	"maps"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
)

const (
	builtIn   = "/providers/Microsoft.Authorization/policyDefinitions/"
	locations = builtIn + "e56962a6-4747-49cd-b67b-bf8b01975c4c"
	sizes     = builtIn + "cccc23c7-8427-4f53-ad12-b6a63eb452b3"
)

// assigned assigns a policy at the resource group.
func assigned(definition func(*place) string, parameters body, more body) step {
	return func(p *place) error {
		properties := body{"displayName": "Ours alone", "policyDefinitionId": definition(p), "parameters": parameters}
		for key, value := range more {
			properties[key] = value
		}
		return p.do("PUT", p.group()+"/providers/Microsoft.Authorization/policyAssignments/ours", "2023-04-01", body{"properties": properties})
	}
}

func unassigned(p *place) error {
	return p.do("DELETE", p.group()+"/providers/Microsoft.Authorization/policyAssignments/ours", "2023-04-01", nil)
}

func azures(id string) func(*place) string { return func(*place) string { return id } }

func (p *place) policy(kind string) string {
	return "/subscriptions/" + p.setup.Spec.Subscription + "/providers/Microsoft.Authorization/" + kind + "/own"
}

func ownPolicy(p *place) string { return p.policy("policyDefinitions") }
func ownSet(p *place) string    { return p.policy("policySetDefinitions") }

// defined writes a definition whose effect is a parameter, "deny" where none is given.
func defined(condition body) step {
	return func(p *place) error {
		return p.do("PUT", ownPolicy(p), "2023-04-01", body{"properties": body{
			"parameters": body{"effect": body{"type": "String", "defaultValue": "deny"}},
			"policyRule": body{"if": condition, "then": body{"effect": "[parameters('effect')]"}},
		}})
	}
}

// gathered writes a set of a definition, with parameters of the set's own.
func gathered(definition func(*place) string, given body) step {
	return func(p *place) error {
		return p.do("PUT", ownSet(p), "2023-04-01", body{"properties": body{
			"parameters":        body{"what": body{"type": "Array", "defaultValue": []any{"northeurope"}}, "effect": body{"type": "String", "defaultValue": "Deny"}},
			"policyDefinitions": []any{body{"policyDefinitionReferenceId": "first", "policyDefinitionId": definition(p), "parameters": given}},
		}})
	}
}

// exempted exempts what is at a scope from the assignment.
func exempted(scope func(*place) string, more body) step {
	return func(p *place) error {
		properties := body{"policyAssignmentId": p.group() + "/providers/Microsoft.Authorization/policyAssignments/ours", "exemptionCategory": "Waiver"}
		maps.Copy(properties, more)
		return p.do("PUT", scope(p)+"/providers/Microsoft.Authorization/policyExemptions/mine", "2022-07-01-preview", body{"properties": properties})
	}
}

func value(v any) body { return body{"value": v} }

var noTag = body{"field": "[concat('tags[', 'cost', ']')]", "exists": "false"}

// othersCases are about what others have put on the scale set, or around it.
func othersCases() map[string]cloudCase {
	autoscale := func(on bool) step {
		return func(p *place) error {
			return p.do("PUT", p.group()+"/providers/Microsoft.Insights/autoscaleSettings/cpu", "2022-10-01", body{
				"location": "westeurope", "properties": body{"enabled": on, "targetResourceUri": p.setup.Spec.ScaleSetID()},
			})
		}
	}
	pool := func(p *place) string {
		return p.group() + "/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/warm"
	}
	allowed := func(v ...any) body { return body{"listOfAllowedLocations": value(v)} }
	allowedSizes := func(v ...any) body { return body{"listOfAllowedSKUs": value(v)} }
	group, set := (*place).group, func(p *place) string { return p.setup.Spec.ScaleSetID() }
	return map[string]cloudCase{
		"an exemption that has expired": {
			broken: steps(defined(noTag), assigned(ownPolicy, nil, nil), exempted(set, body{"expiresOn": "1999-12-31T00:00:00Z"})), fixed: exempted(set, nil),
			check: "azure-policy", level: doctor.Warning, text: "may refuse instances", fix: "/virtualMachineScaleSets/ci --policy-assignment",
		},
		"an exemption of a scale set whose VMs are not in it": {
			spec: onFlexible, broken: steps(assigned(azures(sizes), allowedSizes("standard_d4s_v5"), nil), exempted(set, nil)), fixed: exempted(group, nil),
			check: "azure-policy", level: doctor.Fault, text: "does not allow the size", fix: "resourceGroups/runners --policy-assignment",
		},
		"an exemption from another member": {
			broken: steps(gathered(azures(locations), nil), assigned(ownSet, nil, nil), exempted(group, body{"policyDefinitionReferenceIds": []any{"second"}})),
			fixed:  exempted(group, body{"policyDefinitionReferenceIds": []any{"First"}}),
			check:  "azure-policy", level: doctor.Fault, text: "does not allow the scale set's region", fix: "az policy exemption create",
		},
		"an exemption of some resources": {
			broken: steps(defined(noTag), assigned(ownPolicy, nil, nil), exempted(set, body{"resourceSelectors": []any{body{"name": "some"}}})), fixed: unassigned,
			check: "azure-policy", level: doctor.Warning, text: "may refuse instances", fix: "az policy exemption create",
		},
		"autoscale": {
			broken: autoscale(true), fixed: autoscale(false),
			check: "autoscale", level: doctor.Warning, text: "Azure autoscale is attached (cpu) and will delete instances", fix: "disable or delete these autoscale settings",
		},
		"a standby pool": {
			spec: onFlexible,
			broken: func(p *place) error {
				return p.do("PUT", pool(p), "2024-03-01", body{"location": "westeurope", "properties": body{
					"attachedVirtualMachineScaleSetId": p.setup.Spec.ScaleSetID(), "virtualMachineState": "Deallocated", "elasticityProfile": body{"maxReadyCapacity": 3},
				}})
			},
			fixed: func(p *place) error { return p.do("DELETE", pool(p), "2024-03-01", nil) },
			check: "standby", level: doctor.Warning, text: `the standby pool "warm" is attached: it keeps up to 3 VMs (Deallocated)`, fix: "az standby-vm-pool delete --resource-group runners --name warm",
		},
		"a policy on regions": {
			broken: assigned(azures(locations), allowed("northeurope", "West US"), nil), fixed: assigned(azures(locations), allowed("northeurope", "West Europe"), nil),
			check: "azure-policy", level: doctor.Fault, text: `the policy "Ours alone" does not allow the scale set's region westeurope`, fix: "one that it allows: northeurope, West US; or",
		},
		"a policy on sizes": {
			spec: onFlexible, broken: assigned(azures(sizes), allowedSizes("standard_d4s_v5"), nil), fixed: sized("Standard_D4s_v5"),
			check: "azure-policy", level: doctor.Fault, text: "does not allow the size Standard_D2s_v5", fix: "one that it allows: standard_d4s_v5",
		},
		"a policy on tags": {
			broken: steps(defined(noTag), assigned(ownPolicy, nil, nil)), fixed: assigned(ownPolicy, nil, body{"enforcementMode": "DoNotEnforce"}),
			check: "azure-policy", level: doctor.Warning, text: `the policy "Ours alone" may refuse instances`, fix: "az policy assignment show --name ours --scope ",
		},
		"a policy at the scale set": {
			broken: steps(defined(noTag), func(p *place) error {
				return p.do("PUT", p.setup.Spec.ScaleSetID()+"/providers/Microsoft.Authorization/policyAssignments/ours", "2023-04-01", body{"properties": body{"policyDefinitionId": ownPolicy(p)}})
			}),
			fixed: func(p *place) error {
				return p.do("DELETE", p.setup.Spec.ScaleSetID()+"/providers/Microsoft.Authorization/policyAssignments/ours", "2023-04-01", nil)
			},
			check: "azure-policy", level: doctor.Warning, text: `the policy "ours" may refuse instances`, fix: "--scope ",
		},
		"a policy that leaves the group out": {
			broken: steps(defined(noTag), assigned(ownPolicy, nil, nil)),
			fixed:  func(p *place) error { return assigned(ownPolicy, nil, body{"notScopes": []any{p.group()}})(p) },
			check:  "azure-policy", level: doctor.Warning, text: "may refuse instances", fix: "az policy exemption create",
		},
		"an initiative": {
			broken: steps(gathered(azures(locations), body{"listOfAllowedLocations": value("[parameters('what')]")}), assigned(ownSet, nil, nil)),
			fixed:  assigned(ownSet, body{"WHAT": value([]any{"westeurope"})}, nil),
			check:  "azure-policy", level: doctor.Fault, text: "does not allow the scale set's region", fix: "northeurope",
		},
		"an initiative that audits": {
			broken: steps(defined(noTag), gathered(ownPolicy, body{"effect": value("[parameters('effect')]")}), assigned(ownSet, nil, nil)),
			fixed:  assigned(ownSet, body{"effect": value("Audit")}, nil),
			check:  "azure-policy", level: doctor.Warning, text: "may refuse instances", fix: "see what it demands",
		},
		"a policy on scale sets": {
			broken: steps(defined(body{"allOf": []any{body{"field": "type", "in": []any{"Microsoft.Compute/virtualMachineScaleSets"}}, noTag}}), assigned(ownPolicy, nil, nil)), fixed: unassigned,
			check: "azure-policy", level: doctor.Warning, text: "may refuse instances", fix: "see what it demands",
		},
	}
}
