package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// policyAssignment is what the doctor needs of one (Microsoft.Authorization, 2023-04-01).
type policyAssignment struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		Title      string     `json:"displayName"`
		Definition string     `json:"policyDefinitionId"` // or a set's
		Parameters parameters `json:"parameters"`
		Mode       string     `json:"enforcementMode"`
		NotScopes  []string   `json:"notScopes"`
	} `json:"properties"`
}

// policyDefinition is a definition, or a set of them.
type policyDefinition struct {
	Properties struct {
		Title      string     `json:"displayName"`
		Parameters parameters `json:"parameters"`
		Rule       struct {
			If   any `json:"if"`
			Then struct {
				Effect any `json:"effect"`
			} `json:"then"`
		} `json:"policyRule"`
		Members []struct {
			Reference  string     `json:"policyDefinitionReferenceId"`
			Definition string     `json:"policyDefinitionId"`
			Parameters parameters `json:"parameters"`
		} `json:"policyDefinitions"`
	} `json:"properties"`
}

// parameters are values by name, or the defaults of a definition.
type parameters map[string]struct {
	Value   any `json:"value"`
	Default any `json:"defaultValue"`
}

// get is a parameter's value, in any case of its name, else its default; nil: none.
func (p parameters) get(name string, defaults parameters) any {
	for key, one := range p {
		if strings.EqualFold(key, name) && one.Value != nil {
			return one.Value
		}
	}
	for key, one := range defaults {
		if strings.EqualFold(key, name) {
			return one.Default
		}
	}
	return nil
}

// resolve replaces "[parameters('x')]" by what it stands for.
func (p parameters) resolve(value any, defaults parameters) any {
	text, _ := value.(string)
	if name, ok := strings.CutPrefix(text, "[parameters('"); ok {
		return p.get(strings.TrimSuffix(name, "')]"), defaults)
	}
	return value
}

// denies reports whether an effect refuses requests. denyAction refuses deletions.
func denies(effect any) bool {
	text, _ := effect.(string)
	return strings.EqualFold(text, "deny") || strings.EqualFold(text, "denyAction")
}

// policies reads the definitions that assignments lead to, each once: of Azure's own
// initiatives there are hundreds.
type policies struct {
	*cloud
	exemptions []policyExemption
	assignment policyAssignment
	read       map[string]*policyDefinition
}

// checkPolicies looks for assignments of Azure Policy that refuse new instances. Of rules
// that it does not know it cannot tell whether they would.
func (c *cloud) checkPolicies(ctx context.Context) (found []Finding, _ error) {
	p := policies{cloud: c, read: map[string]*policyDefinition{}}
	id := c.groupID() + "/providers/Microsoft.Authorization/policyAssignments"
	var all []policyAssignment
	err := c.azure.Each(ctx, armops.ListPolicyAssignments, id, nil, func(raw json.RawMessage) error {
		var one policyAssignment
		err := json.Unmarshal(raw, &one)
		all = append(all, one)
		return err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	unread := p.readExemptions(ctx)
	for _, p.assignment = range all {
		if p.inForce() && !p.isExempt("") {
			found = append(found, p.examine(ctx)...)
		}
	}
	if len(found) > 0 && unread != nil {
		found = append(found, Finding{Level: Skipped, Text: "exemptions from policies cannot be looked at: " + unread.Error()})
	}
	return found, nil
}

// inForce reports whether the assignment counts for the scale set. The list has those of
// the group's other resources, too.
func (p *policies) inForce() bool {
	a := p.assignment.Properties
	if scope := strings.ToLower(p.scope()); strings.HasPrefix(scope, "/subscriptions/") && !strings.HasPrefix(strings.ToLower(p.setID())+"/", scope+"/") {
		return false
	}
	return !strings.EqualFold(a.Mode, "DoNotEnforce") && !slices.ContainsFunc(a.NotScopes, func(scope string) bool {
		return strings.EqualFold(scope, p.groupID()) || strings.EqualFold(scope, p.setID()) || strings.EqualFold(scope, "/subscriptions/"+p.config.SubscriptionID)
	})
}

// examine is one finding at most about the assignment: the worst.
func (p *policies) examine(ctx context.Context) []Finding {
	a := p.assignment.Properties
	definition, err := p.definition(ctx, a.Definition)
	if err != nil {
		return []Finding{p.unread(err)}
	}
	if len(definition.Properties.Members) == 0 {
		return p.judge(a.Definition, definition, a.Parameters)
	}
	var all []Finding
	for _, member := range definition.Properties.Members {
		given := parameters{}
		for name, one := range member.Parameters {
			one.Value = a.Parameters.resolve(one.Value, definition.Properties.Parameters)
			given[name] = one
		}
		if effect := given.get("effect", nil); effect != nil && !denies(effect) || p.isExempt(member.Reference) {
			continue
		}
		rule, err := p.definition(ctx, member.Definition)
		if err != nil {
			all = append(all, p.unread(err))
			continue
		}
		all = append(all, p.judge(member.Definition, rule, given)...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return rank(b.Level) - rank(a.Level) })
	return all[:min(len(all), 1)]
}

func (p *policies) title() string {
	return fmt.Sprintf("the policy %q", cmp.Or(p.assignment.Properties.Title, p.assignment.Name))
}

func (p *policies) unread(err error) Finding {
	return Finding{Level: Skipped, Text: p.title() + " cannot be looked at: " + err.Error()}
}

func (p *policies) definition(ctx context.Context, id string) (*policyDefinition, error) {
	key := strings.ToLower(id)
	if p.read[key] == nil {
		var d policyDefinition
		if err := p.azure.Get(ctx, armops.Match("GET", id), id, nil, &d); err != nil {
			return nil, err
		}
		p.read[key] = &d
	}
	return p.read[key], nil
}
