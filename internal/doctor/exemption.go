package doctor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// policyExemption is what the doctor needs of one (Microsoft.Authorization,
// 2022-07-01-preview).
type policyExemption struct {
	ID         string `json:"id"`
	Properties struct {
		Assignment string     `json:"policyAssignmentId"`
		References []string   `json:"policyDefinitionReferenceIds"` // to members of an initiative; empty: all
		Expires    *time.Time `json:"expiresOn"`
		Selectors  []any      `json:"resourceSelectors"`
	} `json:"properties"`
}

func (p *policies) readExemptions(ctx context.Context) error {
	id := p.groupID() + "/providers/Microsoft.Authorization/policyExemptions"
	return p.azure.Each(ctx, armops.ListPolicyExemptions, id, nil, func(raw json.RawMessage) error {
		var one policyExemption
		err := json.Unmarshal(raw, &one)
		p.exemptions = append(p.exemptions, one)
		return err
	})
}

// isExempt reports whether new instances are exempt from the assignment, or from a member
// of its initiative.
func (p *policies) isExempt(reference string) bool {
	return slices.ContainsFunc(p.exemptions, func(e policyExemption) bool {
		of := e.Properties
		covers := len(of.References) == 0 || reference != "" && slices.ContainsFunc(of.References, func(one string) bool { return strings.EqualFold(one, reference) })
		return covers && strings.EqualFold(of.Assignment, p.assignment.ID) && p.covers(e)
	})
}

// covers reports whether an exemption is in force for new instances. One with selectors
// holds for some of the resources at its scope, which is not judged here.
func (p *policies) covers(e policyExemption) bool {
	scope := strings.ToLower(scopeOf(e.ID))
	above := !strings.HasPrefix(scope, "/subscriptions/") || strings.HasPrefix(strings.ToLower(p.exemptible())+"/", scope+"/")
	return above && len(e.Properties.Selectors) == 0 && (e.Properties.Expires == nil || e.Properties.Expires.After(time.Now()))
}

// exemptible is the scope that an exemption has to be at, or above.
func (p *policies) exemptible() string {
	if p.set.Mode == vmss.Flexible { // whose instances are resources of the group
		return p.groupID()
	}
	return p.setID()
}
