package doctor

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Azure's own definitions that can be judged here, by their names (github.com/Azure/
// azure-policy: AllowedLocations_Deny.json, VMSkusAllowed_Deny.json).
const (
	allowedLocations = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
	allowedSizes     = "cccc23c7-8427-4f53-ad12-b6a63eb452b3" // of virtual machines, not of scale sets (azure-policy#589)
)

// judge is what a rule with these parameters means for the scale set.
func (p *policies) judge(id string, d *policyDefinition, given parameters) []Finding {
	rule := d.Properties.Rule
	if !denies(given.resolve(rule.Then.Effect, d.Properties.Parameters)) || !p.concerns(rule.If) {
		return nil
	}
	switch strings.ToLower(path.Base(id)) {
	case allowedLocations:
		allowed := texts(given.get("listOfAllowedLocations", d.Properties.Parameters))
		if slices.ContainsFunc(allowed, func(one string) bool { return offer.SameLocation(one, p.model.Location) }) {
			return nil
		}
		return []Finding{p.refuses("the scale set's region "+p.model.Location, allowed)}
	case allowedSizes:
		allowed := texts(given.get("listOfAllowedSKUs", d.Properties.Parameters))
		for _, size := range p.model.sizes() {
			if !slices.ContainsFunc(allowed, func(one string) bool { return strings.EqualFold(one, size) }) {
				return []Finding{p.refuses("the size "+size, allowed)}
			}
		}
		return nil
	}
	return []Finding{warning(0, p.title()+" may refuse instances (RequestDisallowedByPolicy): its rule cannot be judged here", p.fix(fmt.Sprintf("see what it demands: az policy assignment show --name %s --scope %s", p.assignment.Name, p.scope())))}
}

func (p *policies) refuses(what string, allowed []string) Finding {
	return fault(0, fmt.Sprintf("%s does not allow %s (RequestDisallowedByPolicy)", p.title(), what), p.fix("one that it allows: "+strings.Join(allowed, ", ")))
}

func (p *policies) scope() string { return scopeOf(p.assignment.ID) }

func scopeOf(id string) string {
	scope, _, _ := strings.Cut(id, "/providers/Microsoft.Authorization/")
	return scope
}

func (p *policies) fix(first string) string {
	return first + "; or ask its owner for: az policy exemption create --name " + p.config.Name + " --exemption-category Waiver --scope " + p.exemptible() + " --policy-assignment " + p.assignment.ID
}

// concerns reports whether a rule is about what new instances are. One that names types of
// resources is about these alone. That the VMs which a Flexible set makes are judged as
// others are is assumed.
func (p *policies) concerns(condition any) bool {
	own := []string{"microsoft.compute/virtualmachinescalesets"}
	if p.set.Mode == vmss.Flexible { // whose instances are resources of the group
		own = append(own, "microsoft.compute/virtualmachines", "microsoft.compute/disks", "microsoft.network/networkinterfaces", "microsoft.network/publicipaddresses")
	}
	named := namedTypes(condition)
	return len(named) == 0 || slices.ContainsFunc(own, func(kind string) bool { return matchesAny(named, kind) })
}

// namedTypes are the types that a rule's condition asks for; empty: it may hold for any.
// What stands within a "not" is no such.
func namedTypes(condition any) (types []string) {
	o, _ := condition.(map[string]any)
	for key, value := range o {
		list, _ := value.([]any)
		switch strings.ToLower(key) {
		case "allof":
			for _, one := range list {
				types = append(types, namedTypes(one)...)
			}
		case "anyof":
			types = append(types, typesOfAny(list)...)
		case "equals", "like", "in":
			if field, _ := o["field"].(string); strings.EqualFold(field, "type") {
				types = append(types, texts(value)...)
			}
		}
	}
	return types
}

// typesOfAny: where one condition may hold for any type, so may all of them together.
func typesOfAny(conditions []any) (types []string) {
	for _, one := range conditions {
		named := namedTypes(one)
		if len(named) == 0 {
			return nil
		}
		types = append(types, named...)
	}
	return types
}

// texts are a text, or those of a list.
func texts(value any) (all []string) {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	list, _ := value.([]any)
	for _, one := range list {
		all = append(all, texts(one)...)
	}
	return all
}
