package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// furtherOfAssignment are properties of a role assignment that are kept as they
// were written; a condition does not limit anything here.
var furtherOfAssignment = []string{"description", "condition", "conditionVersion", "delegatedManagedIdentityResourceId"}

func (c scoped) roleAssignment(one *world.RoleAssignment) object {
	p := object{
		"roleDefinitionId": c.roleDefinitionID(one.Role), "principalId": one.PrincipalID, "principalType": one.PrincipalType, "scope": one.Scope,
		"createdOn": zulu(one.Created), "updatedOn": zulu(one.Updated), "createdBy": orNull(one.CreatedBy), "updatedBy": orNull(one.CreatedBy),
	}
	for _, key := range furtherOfAssignment {
		p[key] = one.Further[key]
	}
	return object{"id": one.ID, "type": "Microsoft.Authorization/roleAssignments", "name": one.Name, "properties": p}
}

// listRoleAssignments are those at, above and below the scope; atScope() leaves
// out those below (the REST reference).
func listRoleAssignments(c scoped) (*response, *problem) {
	f, p := c.filter("principalid", "assignedto", "atscope")
	if p != nil {
		return nil, p
	}
	all := slices.DeleteFunc(c.world.Access.Assignments(), func(one *world.RoleAssignment) bool {
		above, below := world.Within(one.Scope, c.scope()), world.Within(c.scope(), one.Scope)
		return !above && (!below || f.has("atscope")) || !f.matches("principalid", one.PrincipalID) || !f.matches("assignedto", one.PrincipalID)
	})
	return page(c.pager, all, func(one *world.RoleAssignment) string { return strings.ToLower(one.ID) }, c.roleAssignment)
}

func (c scoped) assignment() *world.RoleAssignment {
	return c.world.Access.Assignment(world.AssignmentID(c.scope(), c.param("assignment")))
}

func getRoleAssignment(c scoped) (*response, *problem) {
	one := c.assignment()
	if one == nil {
		return nil, noRoleAssignment(c.param("assignment"))
	}
	return &response{Status: http.StatusOK, Body: c.roleAssignment(one)}, nil
}

func putRoleAssignment(c scoped) (*response, *problem) {
	access, p := c.world.Access, c.body
	role := access.Definition(jsonmap.Text(p, "properties.roleDefinitionId"))
	one := &world.RoleAssignment{
		Name: c.param("assignment"), Scope: c.canonicalScope(), Role: role, PrincipalID: jsonmap.Text(p, "properties.principalId"),
		PrincipalType: jsonmap.Text(p, "properties.principalType"), Further: object{}, CreatedBy: c.principal,
	}
	if p := c.checkAssignment(one); p != nil {
		return nil, p
	}
	for _, key := range furtherOfAssignment {
		one.Further[key] = jsonmap.At(p, "properties."+key)
	}
	if one.PrincipalType == "" {
		one.PrincipalType = "ServicePrincipal"
	}
	access.PutAssignment(one)
	body := c.roleAssignment(one)
	body["properties"].(object)["createdBy"] = nil // so in the response to a PUT
	return &response{Status: http.StatusCreated, Body: body}, nil
}

// canonicalScope is the scope as its resource group was named when it was made.
func (c scoped) canonicalScope() string {
	g := c.world.Group(c.param("group"))
	if g == nil {
		return c.scope()
	}
	return g.ID + c.scope()[min(len(g.ID), len(c.scope())):]
}

func (c scoped) checkAssignment(one *world.RoleAssignment) *problem {
	access := c.world.Access
	if one.Role == nil {
		return noRoleDefinition(roleName(jsonmap.Text(c.body, "properties.roleDefinitionId")))
	}
	if one.PrincipalID == "" {
		return badRequestOf("InvalidPrincipalId", "The principal ID is missing.")
	}
	if !assignableAt(one.Role, one.Scope) {
		return badRequestOf("RoleDefinitionNotAssignableAtScope", "The role '%s' is not assignable at scope '%s'.", one.Role.RoleName, one.Scope)
	}
	if p := c.checkPrincipal(one); p != nil {
		return p
	}
	if was := access.SameAssignment(one); was != nil && !strings.EqualFold(was.Name, one.Name) {
		return roleAssignmentExists()
	}
	was := c.assignment()
	if was != nil && (was.Role != one.Role || !strings.EqualFold(was.PrincipalID, one.PrincipalID)) {
		return badRequestOf("RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
	}
	return nil
}

// checkPrincipal refuses a principal that role assignments do not know, or not
// yet. With a principalType it is not looked at (Microsoft's page on
// troubleshooting role assignments).
func (c scoped) checkPrincipal(one *world.RoleAssignment) *problem {
	exists, replicated := c.world.Access.PrincipalKnown(one.PrincipalID)
	typed := one.PrincipalType != ""
	if typed && c.world.Unknowns().PrincipalTypeIgnored {
		typed = !exists // who is new is looked at all the same
	}
	if typed || replicated {
		return nil
	}
	return principalNotFound(one.PrincipalID, c.front.config.TenantID)
}

// roleName is the GUID at the end of a role definition's ID.
func roleName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func deleteRoleAssignment(c scoped) (*response, *problem) {
	one := c.assignment()
	if one == nil {
		return &response{Status: http.StatusNoContent}, nil
	}
	c.world.Access.DeleteAssignment(one)
	return &response{Status: http.StatusOK, Body: c.roleAssignment(one)}, nil
}

// Locks (recording 31).

func renderLock(l *world.Lock) object {
	p := object{"level": l.Level}
	if l.Notes != "" {
		p["notes"] = l.Notes
	}
	return object{"id": l.ID, "type": "Microsoft.Authorization/locks", "name": l.Name, "properties": p}
}

// listLocks are those at the scope and above it; that of a group those below it,
// too, unless the filter is atScope().
func listLocks(c scoped) (*response, *problem) {
	f, p := c.filter("atscope")
	if p != nil {
		return nil, p
	}
	all := slices.DeleteFunc(c.world.Access.Locks(), func(l *world.Lock) bool {
		return !world.Within(l.Scope, c.scope()) && (f.has("atscope") || !world.Within(c.scope(), l.Scope))
	})
	return page(c.pager, all, func(l *world.Lock) string { return strings.ToLower(l.ID) }, renderLock)
}

func (c scoped) lock() *world.Lock {
	return c.world.Access.Lock(world.LockID(c.scope(), c.param("lock")))
}

func getLock(c scoped) (*response, *problem) {
	l := c.lock()
	if l == nil {
		return nil, noLock(c.param("lock"))
	}
	return &response{Status: http.StatusOK, Body: renderLock(l)}, nil
}

func putLock(c scoped) (*response, *problem) {
	l := &world.Lock{
		Name: c.param("lock"), Scope: c.canonicalScope(), Level: jsonmap.Text(c.body, "properties.level"), Notes: jsonmap.Text(c.body, "properties.notes"),
	}
	if l.Level != world.LockCannotDelete && l.Level != world.LockReadOnly {
		return nil, badRequestOf("InvalidLockLevel", "The lock level '%s' is invalid: it is CanNotDelete or ReadOnly.", l.Level)
	}
	status := http.StatusOK
	if c.world.Access.PutLock(l) {
		status = http.StatusCreated
	}
	return &response{Status: status, Body: renderLock(l)}, nil
}

func deleteLock(c scoped) (*response, *problem) {
	l := c.lock()
	if l == nil {
		return &response{Status: http.StatusNoContent}, nil
	}
	c.world.Access.DeleteLock(l)
	return &response{Status: http.StatusOK}, nil
}
