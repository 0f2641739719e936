package setup

import (
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Actions are the permissions that the plugin needs in a mode, and no others.
func Actions(mode string) []string {
	var all []string
	for _, o := range armops.In(armops.Mode(mode)) {
		all = append(all, o.Action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// RoleDefinition is the custom role, as `az role definition create` takes it.
func (s *Spec) RoleDefinition() any {
	return struct {
		Name, Description string
		Actions           []string
		AssignableScopes  []string
	}{s.RoleName(), roleDescription, Actions(s.Mode), []string{s.GroupID()}}
}

const roleDescription = "Scale one virtual machine scale set for GitLab Runner."

// accessSteps make an identity, the role, and its assignment at the resource group.
func (s *Spec) accessSteps() (steps []step) {
	if s.Identity == "" && s.Principal == "" {
		return nil
	}
	if s.Identity != "" {
		steps = append(steps, step{id: s.identityID(), get: armops.GetIdentity, put: armops.PutIdentity, want: object{"location": s.Location, "tags": s.tags()}})
	}
	steps = append(steps, step{id: s.roleID(), get: armops.GetRole, put: armops.PutRole, unmarked: true, label: "role " + s.RoleName(), want: object{"properties": object{
		"roleName": s.RoleName(), "description": roleDescription, "type": "CustomRole",
		"permissions":      list{object{"actions": anyList(Actions(s.Mode)), "notActions": list{}}},
		"assignableScopes": list{s.GroupID()},
	}}})
	return append(steps, step{assigns: true, unmarked: true})
}

// assignment is the step that gives a principal the role. Azure knows the principal of a
// new identity only after a while; principalType tells it not to look it up (the CLI does
// the same).
func (s *Spec) assignment(principal string) step {
	return step{id: s.assignmentID(principal), get: armops.GetAssignment, put: armops.PutAssignment, unmarked: true, label: "assignment of the role to " + principal, want: object{"properties": object{
		"roleDefinitionId": s.roleReference(), "principalId": principal, "principalType": "ServicePrincipal",
	}}}
}

func anyList(texts []string) list {
	all := make(list, len(texts))
	for n, text := range texts {
		all[n] = text
	}
	return all
}
