package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Microsoft.Authorization: rights, roles and their assignments (recording 30).

// scoped is a call on what a scope has: the subscription, a group or a resource.
type scoped struct{ *call }

// inScope refuses a scope in a group that there is not.
func inScope(handle func(scoped) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		if c.param("group") != "" {
			if _, p := c.group(); p != nil {
				return nil, p
			}
		}
		return handle(scoped{c})
	}
}

func (c scoped) scope() string { return c.param("scope") }

func listPermissions(c scoped) (*response, *problem) {
	value := []any{}
	for _, one := range c.world.Access.Permissions(c.principal, c.scope()) {
		shown := object{"actions": texts(one.Actions), "notActions": texts(one.NotActions)}
		if c.apiVersion >= "2018" { // the first to know data actions
			shown["dataActions"], shown["notDataActions"] = texts(one.DataActions), texts(one.NotDataActions)
		}
		value = append(value, shown)
	}
	return &response{Status: http.StatusOK, Body: object{"value": value}}, nil
}

func texts(list []string) []any {
	all := make([]any, len(list))
	for n, s := range list {
		all[n] = s
	}
	return all
}

func stringsOf(v any) []string {
	list, _ := v.([]any)
	all := make([]string, 0, len(list))
	for _, one := range list {
		if s, ok := one.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

func (c scoped) roleDefinition(d *world.RoleDefinition) object {
	kind := "CustomRole"
	if d.BuiltIn {
		kind = "BuiltInRole"
	}
	permissions := []any{}
	for _, p := range d.Permissions {
		permissions = append(permissions, object{
			"actions": texts(p.Actions), "notActions": texts(p.NotActions), "dataActions": texts(p.DataActions), "notDataActions": texts(p.NotDataActions),
		})
	}
	return object{
		"id": c.roleDefinitionID(d), "type": "Microsoft.Authorization/roleDefinitions", "name": d.Name,
		"properties": object{
			"roleName": d.RoleName, "type": kind, "description": d.Description, "assignableScopes": texts(d.Scopes), "permissions": permissions,
			"createdOn": zulu(d.Created), "updatedOn": zulu(d.Updated), "createdBy": orNull(d.CreatedBy), "updatedBy": orNull(d.CreatedBy),
		},
	}
}

// roleDefinitionID is the subscription's, whatever the scope that was asked at.
func (c scoped) roleDefinitionID(d *world.RoleDefinition) string {
	return "/subscriptions/" + c.front.config.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + d.Name
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func listRoleDefinitions(c scoped) (*response, *problem) {
	f, p := c.filter("rolename", "type", "atscope")
	if p != nil {
		return nil, p
	}
	all := slices.DeleteFunc(c.world.Access.Definitions(), func(d *world.RoleDefinition) bool {
		kind := "CustomRole"
		if d.BuiltIn {
			kind = "BuiltInRole"
		}
		return !assignableAt(d, c.scope()) || !f.matches("rolename", d.RoleName) || !f.matches("type", kind)
	})
	return page(c.pager, all, func(d *world.RoleDefinition) string { return strings.ToLower(d.Name) }, c.roleDefinition)
}

func assignableAt(d *world.RoleDefinition, scope string) bool {
	return slices.ContainsFunc(d.Scopes, func(one string) bool { return world.Within(one, scope) })
}

func getRoleDefinition(c scoped) (*response, *problem) {
	d := c.world.Access.Definition(c.param("role"))
	if d == nil {
		return nil, noRoleDefinition(c.param("role"))
	}
	return &response{Status: http.StatusOK, Body: c.roleDefinition(d)}, nil
}

func putRoleDefinition(c scoped) (*response, *problem) {
	access, p := c.world.Access, jsonmap.At(c.body, "properties")
	d := &world.RoleDefinition{
		Name: c.param("role"), RoleName: jsonmap.Text(p, "roleName"), Description: jsonmap.Text(p, "description"),
		Scopes: stringsOf(jsonmap.At(p, "assignableScopes")), CreatedBy: c.principal,
	}
	for _, one := range jsonmap.List(p, "permissions") {
		d.Permissions = append(d.Permissions, world.Permission{
			Actions: stringsOf(jsonmap.At(one, "actions")), NotActions: stringsOf(jsonmap.At(one, "notActions")),
			DataActions: stringsOf(jsonmap.At(one, "dataActions")), NotDataActions: stringsOf(jsonmap.At(one, "notDataActions")),
		})
	}
	was, same := access.Definition(d.Name), access.RoleNamed(d.RoleName)
	switch {
	case d.RoleName == "" || len(d.Scopes) == 0 || len(d.Permissions) == 0:
		return nil, badRequestOf("InvalidRoleDefinition", "The role definition needs a roleName, permissions and assignableScopes.")
	case was != nil && was.BuiltIn:
		return nil, badRequestOf("RoleDefinitionUpdateNotPermitted", "The built-in role '%s' cannot be changed.", was.RoleName)
	case same != nil && !strings.EqualFold(same.Name, d.Name):
		return nil, conflictOf("RoleDefinitionWithSameNameExists", "A role definition cannot be updated with a name that already exists.")
	}
	access.PutDefinition(d)
	body := c.roleDefinition(access.Definition(d.Name))
	body["properties"].(object)["createdBy"] = nil // so in the response to a PUT
	return &response{Status: http.StatusCreated, Body: body}, nil
}

// deleteRoleDefinition responds with what was deleted, and 204 where there was
// nothing.
func deleteRoleDefinition(c scoped) (*response, *problem) {
	access := c.world.Access
	d := access.Definition(c.param("role"))
	switch {
	case d == nil:
		return &response{Status: http.StatusNoContent}, nil
	case d.BuiltIn:
		return nil, badRequestOf("RoleDefinitionDeleteNotPermitted", "The built-in role '%s' cannot be deleted.", d.RoleName)
	case access.Assigned(d):
		return nil, badRequestOf("RoleDefinitionHasAssignments", "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)")
	}
	access.DeleteDefinition(d)
	return &response{Status: http.StatusOK, Body: c.roleDefinition(d)}, nil
}
