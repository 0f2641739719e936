package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Azure Policy: assignments at a scope, exemptions from them, definitions and sets of
// them, by the REST specification (Microsoft.Authorization, 2023-04-01; of exemptions
// 2022-07-01-preview). They are kept, and refuse nothing. Management groups are not
// simulated.

// policyKind is a type of theirs.
type policyKind struct {
	kind  string // as policyAssignments
	title string // in errors' codes
	words string // in errors
	param string // of the path, that names one
}

var (
	policyAssignments = policyKind{"policyAssignments", "PolicyAssignment", "policy assignment", "assignment"}
	policyExemptions  = policyKind{"policyExemptions", "PolicyExemption", "policy exemption", "exemption"}
	policyDefinitions = policyKind{"policyDefinitions", "PolicyDefinition", "policy definition", "definition"}
	policySets        = policyKind{"policySetDefinitions", "PolicySetDefinition", "policy set definition", "definition"}
)

func (k policyKind) id(scope, name string) string {
	return scope + "/providers/Microsoft.Authorization/" + k.kind + "/" + name
}

// notFound has believed codes and words.
func (k policyKind) notFound(name string) *problem {
	return azhttp.NewProblem(http.StatusNotFound, k.title+"NotFound", "The %s '%s' could not be found.", k.words, name)
}

func (k policyKind) render(p *world.Policy) object {
	body := jsonmap.CloneObject(p.Body)
	body["id"], body["name"], body["type"] = p.ID, p.Name, "Microsoft.Authorization/"+k.kind
	properties := jsonmap.Ensure(body, "properties")
	switch k {
	case policyAssignments:
		properties["scope"] = p.Scope
		jsonmap.SetDefault(properties, "enforcementMode", "Default")
	case policyDefinitions, policySets:
		jsonmap.SetDefault(properties, "policyType", "Custom")
	}
	return body
}

func (k policyKind) get(c scoped) (*response, *problem) {
	p := c.world.Policies.Find(k.id(c.canonicalScope(), c.param(k.param)))
	if p == nil {
		return nil, k.notFound(c.param(k.param))
	}
	return &response{Status: http.StatusOK, Body: k.render(p)}, nil
}

func (k policyKind) put(c scoped) (*response, *problem) {
	needed := "properties.policyRule"
	switch k {
	case policyAssignments:
		needed = "properties.policyDefinitionId"
	case policyExemptions:
		needed = "properties.policyAssignmentId"
	case policySets:
		needed = "properties.policyDefinitions"
	}
	if jsonmap.At(c.body, needed) == nil {
		return nil, badRequestOf("InvalidCreate"+k.title+"Request", "The request content is invalid: '%s' is required.", needed)
	}
	scope := c.canonicalScope()
	p := &world.Policy{ID: k.id(scope, c.param(k.param)), Name: c.param(k.param), Scope: scope, Body: jsonmap.CloneObject(c.body)}
	c.world.Policies.Put(p)
	return &response{Status: http.StatusCreated, Body: k.render(p)}, nil
}

func (k policyKind) delete(c scoped) (*response, *problem) {
	p := c.world.Policies.Find(k.id(c.canonicalScope(), c.param(k.param)))
	if p == nil {
		return &response{Status: http.StatusNoContent}, nil
	}
	c.world.Policies.Drop(p)
	return &response{Status: http.StatusOK, Body: k.render(p)}, nil
}

// listPolicyAssignments may be limited to those of a definition.
func listPolicyAssignments(c scoped) (*response, *problem) {
	return policyAssignments.list(c, "policyDefinitionId")
}

// listPolicyExemptions may be limited to those from an assignment.
func listPolicyExemptions(c scoped) (*response, *problem) {
	return policyExemptions.list(c, "policyAssignmentId")
}

// list has those at the scope, above it, and, without a filter, below it (the
// specification of the lists).
func (k policyKind) list(c scoped, property string) (*response, *problem) {
	f, p := c.filter("atscope", "atexactscope", strings.ToLower(property))
	if p != nil {
		return nil, p
	}
	var all []*world.Policy
	for _, one := range c.world.Policies.OfKind(k.kind) {
		above := world.Within(one.Scope, c.scope())
		exact := above && world.Within(c.scope(), one.Scope)
		below := world.Within(c.scope(), one.Scope) && len(f) == 0
		named := f.matches(strings.ToLower(property), jsonmap.Text(one.Body, "properties."+property))
		if named && (exact || above && !f.has("atexactscope") || below) {
			all = append(all, one)
		}
	}
	return page(c.pager, all, func(one *world.Policy) string { return strings.ToLower(one.ID) }, k.render)
}

// builtInPolicies are a few of Azure's own, by their names, which are GUIDs that
// Microsoft publishes with the rules (github.com/Azure/azure-policy, 1.0.x).
func builtInPolicies() map[string]object {
	parameter := func(name string) object { return object{name: object{"type": "Array"}} }
	condition := func(field, operator string, value any) object { return object{"field": field, operator: value} }
	rule := func(title, parameters string, conditions ...any) object {
		return object{
			"displayName": title, "policyType": "BuiltIn", "mode": "Indexed", "parameters": parameter(parameters),
			"policyRule": object{"if": object{"allOf": conditions}, "then": object{"effect": "deny"}},
		}
	}
	return map[string]object{
		"e56962a6-4747-49cd-b67b-bf8b01975c4c": rule("Allowed locations", "listOfAllowedLocations",
			condition("location", "notIn", "[parameters('listOfAllowedLocations')]"), condition("location", "notEquals", "global"),
			condition("type", "notEquals", "Microsoft.AzureActiveDirectory/b2cDirectories")),
		"cccc23c7-8427-4f53-ad12-b6a63eb452b3": rule("Allowed virtual machine size SKUs", "listOfAllowedSKUs",
			condition("type", "equals", "Microsoft.Compute/virtualMachines"),
			object{"not": condition("Microsoft.Compute/virtualMachines/sku.name", "in", "[parameters('listOfAllowedSKUs')]")}),
	}
}

func getBuiltInPolicy(c *call) (*response, *problem) {
	name := strings.ToLower(c.param("definition"))
	properties, there := builtInPolicies()[name]
	if !there {
		return nil, policyDefinitions.notFound(name)
	}
	return &response{Status: http.StatusOK, Body: object{
		"id": policyDefinitions.id("", name), "name": name, "type": "Microsoft.Authorization/policyDefinitions", "properties": properties,
	}}, nil
}

// getBuiltInPolicySet: there are none of Azure's own here.
func getBuiltInPolicySet(c *call) (*response, *problem) {
	return nil, policySets.notFound(c.param("definition"))
}
