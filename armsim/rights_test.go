package armsim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const authorization = "/providers/Microsoft.Authorization/"

// roleID finds a role by its name, as a client does.
func (s *sim) roleID(t tb, scope, name string) string {
	t.Helper()
	all := s.list(t, scope+authorization+"roleDefinitions?api-version=2022-04-01&$filter="+url.QueryEscape("roleName eq '"+name+"'"))
	require.Len(t, all, 1, name)
	return get(all[0], "id").(string)
}

// assign gives a principal a role; principalType may be left out.
func (s *sim) assign(t tb, scope, name, role, principal string, principalType ...string) reply {
	t.Helper()
	p := object{"roleDefinitionId": s.roleID(t, scope, role), "principalId": principal}
	if len(principalType) > 0 {
		p["principalType"] = principalType[0]
	}
	return s.send(t, "PUT", scope+authorization+"roleAssignments/"+name+"?api-version=2022-04-01", object{"properties": p})
}

// as is the simulator with the token of one more principal that may log in.
func (s *sim) as(t *testing.T, p armsim.Principal) *sim {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.ClientID}, "client_secret": {p.Secret}, "scope": {"https://management.azure.com/.default"}}
	response, err := s.client.PostForm(s.Endpoint+"/"+armsim.DefaultTenantID+"/oauth2/v2.0/token", form)
	require.NoError(t, err)
	token := decode(t, response)
	copied := *s
	copied.bearer, _ = get(token, "access_token").(string)
	require.NotEmpty(t, copied.bearer, token)
	return &copied
}

var (
	owner  = armsim.Principal{ClientID: "owner", Secret: "a"}
	nobody = armsim.Principal{ClientID: "nobody", Secret: "b", ObjectID: "nobodys-object", NoRights: true}
	rgOnly = armsim.Principal{ClientID: "rg", Secret: "c", Roles: []armsim.Role{{Name: "Contributor", Scope: "/resourceGroups/ci"}}}
	vmOnly = armsim.Principal{ClientID: "vm", Secret: "d", Roles: []armsim.Role{{Name: "virtual machine contributor"}}}
)

func withPrincipals(t *testing.T, c armsim.Config) *sim {
	c.Principals = []armsim.Principal{owner, nobody, rgOnly, vmOnly}
	return virtual(t, c)
}

func TestAssignmentsDecide(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{})
	n, group := s.as(t, nobody), s.ResourcePath("")
	r := n.get(t, group)
	assert.Equal(t, []any{http.StatusForbidden, "AuthorizationFailed"}, []any{r.status, r.code()})
	assert.Contains(t, r.message(), "object id 'nobodys-object' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourceGroups/read'")
	assert.Equal(t, "gateway", r.header.Get("x-ms-failure-cause"))
	assert.Empty(t, n.list(t, group+authorization+"permissions?api-version=2022-04-01"))

	made := s.assign(t, group, "one", "Reader", "nobodys-object", "ServicePrincipal")
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	assert.Equal(t, http.StatusOK, n.get(t, group).status)
	assert.Equal(t, http.StatusForbidden, n.get(t, subscriptionOf+"/providers").status, "it is above the scope")
	assert.Equal(t, http.StatusCreated, s.send(t, "PUT", subscriptionOf+"/resourceGroups/hidden", object{"location": "x"}).status)
	assert.Len(t, n.list(t, subscriptionOf+"/resourceGroups"), 1)
	assert.Equal(t, http.StatusForbidden, n.send(t, "PUT", s.network("natGateways/x"), object{"location": "x"}).status)
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", made.text("id"), nil).status)
	assert.Equal(t, http.StatusForbidden, n.get(t, group).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", made.text("id"), nil).status)

	rg := s.as(t, rgOnly)
	assert.Equal(t, http.StatusForbidden, rg.send(t, "PUT", subscriptionOf+"/resourceGroups/other", object{"location": "x"}).status)
	assert.Equal(t, http.StatusForbidden, rg.assign(t, group, "two", "Owner", "rg").status, "a contributor gives no rights")
	up := rg.make(t, s.network("networkSecurityGroups/nsg"), object{})
	assert.Equal(t, "Succeeded", rg.status(t, up), "operations are the subscription's")
	assert.Equal(t, http.StatusOK, rg.get(t, subscriptionOf).status)
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{})
	rg := s.as(t, rgOnly)
	for _, scope := range []string{s.ResourcePath(""), s.network("virtualNetworks/ci"), s.network("virtualNetworks/ci/subnets/x")} {
		all := rg.list(t, scope+authorization+"permissions?api-version=2015-07-01")
		require.Len(t, all, 1)
		assert.Equal(t, []any{"*"}, get(all[0], "actions"))
		assert.Contains(t, get(all[0], "notActions"), "Microsoft.Authorization/*/Write")
	}
	assert.Empty(t, rg.list(t, subscriptionOf+authorization+"permissions?api-version=2015-07-01"))
	assert.Equal(t, "ResourceGroupNotFound", rg.get(t, subscriptionOf+"/resourceGroups/none"+authorization+"permissions?api-version=2015-07-01").code())

	strict := withPrincipals(t, armsim.Config{Unknowns: unknown(t, "permissions-need-role")})
	path := strict.ResourcePath("") + authorization + "permissions?api-version=2015-07-01"
	assert.Equal(t, "AuthorizationFailed", strict.as(t, nobody).get(t, path).code())
	assert.Equal(t, http.StatusOK, strict.as(t, rgOnly).get(t, path).status)
}

func TestRoleAssignments(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{})
	group, query := s.ResourcePath(""), "?api-version=2022-04-01"
	vnetScope := s.network("virtualNetworks/ci")
	require.Equal(t, http.StatusCreated, s.assign(t, group, "one", "Reader", "p", "User").status)
	require.Equal(t, http.StatusCreated, s.assign(t, vnetScope, "two", "Network Contributor", "p", "User").status)
	assert.Equal(t, "RoleAssignmentExists", s.assign(t, group, "three", "Reader", "p", "User").code())
	assert.Equal(t, http.StatusCreated, s.assign(t, group, "one", "Reader", "p", "User").status, "the same again")
	assert.Equal(t, "RoleAssignmentUpdateNotPermitted", s.assign(t, group, "one", "Owner", "p", "User").code())
	assert.Equal(t, "p", s.get(t, group+authorization+"roleAssignments/one"+query).text("properties.principalId"))
	assert.Equal(t, "RoleAssignmentNotFound", s.get(t, group+authorization+"roleAssignments/none"+query).code())
	count := func(scope, filter string) int {
		return len(s.list(t, scope+authorization+"roleAssignments"+query+"&$filter="+url.QueryEscape(filter)))
	}
	assert.Equal(t, 2, count(subscriptionOf, "principalId eq 'p'"))
	assert.Equal(t, 2, count(group, "assignedTo('p')"))
	assert.Equal(t, 1, count(group, "atScope() and assignedTo('p')"))
	assert.Equal(t, 4, count(group, "atScope()"), "those of the configuration, too")
	assert.Equal(t, 2, count(subscriptionOf, "atScope()"))
	missing := object{"properties": object{"roleDefinitionId": "x/none", "principalId": "p"}}
	assert.Equal(t, "RoleDefinitionDoesNotExist", s.send(t, "PUT", group+authorization+"roleAssignments/four"+query, missing).code())
}

func TestRoleDefinitions(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{})
	query, role := "?api-version=2022-04-01", subscriptionOf+authorization+"roleDefinitions/0b7ba53d-6f38-4ef1-9d6f-a4e24ba7b1b1"
	reader := s.roleID(t, subscriptionOf, "reader")
	assert.Equal(t, "Reader", s.get(t, reader+query).text("properties.roleName"))
	for _, name := range []string{"Owner", "Contributor", "Virtual Machine Contributor", "Network Contributor", "Managed Identity Operator", "User Access Administrator"} {
		s.roleID(t, s.ResourcePath(""), name)
	}
	assert.Equal(t, "RoleDefinitionDoesNotExist", s.get(t, role+query).code())
	body := object{"properties": object{
		"roleName": "Fleeting", "assignableScopes": []any{s.ResourcePath("")},
		"permissions": []any{object{"actions": []any{"Microsoft.Compute/*"}, "notActions": []any{"Microsoft.Compute/*/delete"}}}}}
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", role+query, body).status)
	assert.Equal(t, "RoleDefinitionWithSameNameExists", s.send(t, "PUT", role+"2"+query, body).code())
	assert.Equal(t, "RoleDefinitionUpdateNotPermitted", s.send(t, "PUT", reader+query, body).code())
	assert.Equal(t, "CustomRole", s.get(t, role+query).text("properties.type"))
	assert.Equal(t, "InvalidRoleDefinition", s.send(t, "PUT", role+query, object{}).code())
	assert.Empty(t, s.list(t, subscriptionOf+authorization+"roleDefinitions"+query+"&$filter=roleName+eq+'fleeting'"), "it is the group's")

	require.Equal(t, http.StatusCreated, s.assign(t, s.ResourcePath(""), "one", "Fleeting", "nobodys-object").status)
	n := s.as(t, nobody)
	assert.Equal(t, http.StatusOK, n.get(t, s.ResourcePath("/providers/Microsoft.Compute/virtualMachineScaleSets")).status)
	assert.Equal(t, http.StatusForbidden, n.send(t, "DELETE", s.ScaleSetPath("ci"), nil).status, "notActions")
	assert.Equal(t, "RoleDefinitionHasAssignments", s.send(t, "DELETE", role+query, nil).code())
	assert.Equal(t, "RoleDefinitionDeleteNotPermitted", s.send(t, "DELETE", reader+query, nil).code())
	s.send(t, "DELETE", s.ResourcePath("")+authorization+"roleAssignments/one"+query, nil)
	assert.Equal(t, "Fleeting", s.send(t, "DELETE", role+query, nil).text("properties.roleName"))
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", role+query, nil).status)
}

// TestLinkedScopes: who may write a scale set may not thereby join a subnet, or
// assign an identity.
func TestLinkedScopes(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{owner, {ClientID: "sets", Secret: "s", Actions: []string{"Microsoft.Compute/*", "Microsoft.Network/natGateways/*"}}}})
	s.makeNetwork(t)
	s.make(t, identityOf(s, "id"), object{})
	limited := s.as(t, armsim.Principal{ClientID: "sets", Secret: "s"})
	refused := func(path string, body object, action, scope string) {
		t.Helper()
		r := limited.send(t, "PUT", path, body)
		assert.Equal(t, []any{http.StatusForbidden, "LinkedAuthorizationFailed"}, []any{r.status, r.code()}, r.raw)
		assert.Contains(t, r.message(), "does not have permission to perform action '"+action+"' on the linked scope(s) '"+scope+"'")
	}
	spec := func(subnet string, identity object) object {
		config := object{"name": "c", "properties": object{"subnet": ref(subnet)}}
		nic := object{"name": "n", "properties": object{"primary": true, "ipConfigurations": []any{config}}}
		return object{"location": "westeurope", "sku": object{"name": "Standard_D2s_v5", "capacity": 0}, "identity": identity, "properties": object{
			"upgradePolicy": object{"mode": "Manual"}, "virtualMachineProfile": object{
				"osProfile": object{"adminUsername": "azureuser"}, "storageProfile": object{"imageReference": urn("Canonical", "ubuntu-24_04-lts", "server", "latest")},
				"networkProfile": object{"networkInterfaceConfigurations": []any{nic}}}}}
	}
	subnet := s.network("virtualNetworks/ci/subnets/runners")
	refused(s.ScaleSetPath("a"), spec(subnet, nil), "Microsoft.Network/virtualNetworks/subnets/join/action", subnet)
	refused(s.ScaleSetPath("a"), spec("/subscriptions/elsewhere", object{"type": "UserAssigned", "userAssignedIdentities": object{identityOf(s, "id"): object{}}}),
		"Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", identityOf(s, "id"))
	refused(s.network("natGateways/mine"), object{"location": "x", "properties": object{"publicIpAddresses": []any{ref(s.network("publicIPAddresses/pip"))}}},
		"Microsoft.Network/publicIPAddresses/join/action", s.network("publicIPAddresses/pip"))
	assert.Equal(t, http.StatusCreated, limited.send(t, "PUT", s.ScaleSetPath("a"), spec("/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/z/subnets/none", nil)).status)
	require.Equal(t, http.StatusCreated, s.assign(t, subnet, "one", "Network Contributor", "sets").status)
	assert.Equal(t, http.StatusCreated, limited.send(t, "PUT", s.ScaleSetPath("b"), spec(subnet, nil)).status)
}

// TestImagesAreLinkedScopes: who may write a scale set needs to read the image
// that it names.
func TestImagesAreLinkedScopes(t *testing.T) {
	t.Parallel()
	sets := armsim.Principal{ClientID: "sets", Secret: "s", Actions: []string{"Microsoft.Compute/virtualMachineScaleSets/*"}}
	s := virtual(t, armsim.Config{Polite: true, Principals: []armsim.Principal{owner, sets}})
	model := s.get(t, s.scaleSet(t, armsim.ScaleSetSpec{Name: "model"})).body
	gallery, managed := s.makeImages(t)
	limited := s.as(t, sets)
	for id, action := range map[string]string{
		managed:                                  "images/read",
		gallery + "/images/i":                    "galleries/images/read",
		gallery + "/images/i/versions/1.0.0":     "galleries/images/versions/read",
		gallery + "/images/i/versions/latest":    "galleries/images/versions/read",
		strings.ToUpper(gallery) + "/images/I":   "galleries/images/read",
		compute(s, "/images/none"):               "",
		gallery + "/images/i/versions/9.9.9":     "",
		strings.Replace(managed, "ci", "no", 1):  "",
		strings.Replace(gallery, "/g", "/no", 1): "",
	} {
		setImage(object{"id": id})(model)
		r := limited.send(t, "PUT", s.ScaleSetPath("b"), model)
		if action == "" {
			assert.NotEqual(t, http.StatusForbidden, r.status, id)
			continue
		}
		assert.Equal(t, []any{http.StatusForbidden, "LinkedAuthorizationFailed"}, []any{r.status, r.code()}, "%s: %s", id, r.raw)
		assert.Contains(t, r.message(), "'Microsoft.Compute/"+action+"'", id)
	}
	setImage(object{"id": managed})(model)
	require.Equal(t, http.StatusCreated, s.assign(t, managed, "one", "Reader", "sets").status)
	r := limited.send(t, "PUT", s.ScaleSetPath("b"), model)
	assert.Equal(t, http.StatusCreated, r.status, r.raw)
}

func TestLocks(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	query := "?api-version=2016-09-01"
	group := s.ResourcePath("")
	lock := func(scope, name, level string) reply {
		return s.send(t, "PUT", scope+authorization+"locks/"+name+query, object{"properties": object{"level": level, "notes": "n"}})
	}
	refused := func(method, path string, body any) {
		t.Helper()
		r := s.send(t, method, path, body)
		assert.Equal(t, []any{http.StatusConflict, "ScopeLocked"}, []any{r.status, r.code()}, r.raw)
	}
	assert.Equal(t, "InvalidLockLevel", lock(group, "x", "Never").code())
	require.Equal(t, http.StatusCreated, lock(set, "keep", "CanNotDelete").status)
	assert.Equal(t, http.StatusOK, lock(set, "keep", "CanNotDelete").status)
	refused("DELETE", set, nil)
	refused("DELETE", group, nil)
	refused("DELETE", set+"/virtualMachines/0", nil)
	refused("POST", set+"/delete", object{"instanceIds": []any{"0"}})
	assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 3).status, "it is no deletion")
	assert.Equal(t, "CanNotDelete", s.get(t, set+authorization+"locks/keep"+query).text("properties.level"))
	assert.Len(t, s.list(t, group+authorization+"locks"+query), 1)
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", set+authorization+"locks/keep"+query, nil).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", set+authorization+"locks/keep"+query, nil).status)
	assert.Equal(t, "LockNotFound", s.get(t, set+authorization+"locks/keep"+query).code())

	require.Equal(t, http.StatusCreated, lock(group, "read", "ReadOnly").status)
	refused("PATCH", set, object{"sku": object{"capacity": 1}})
	refused("PUT", s.network("natGateways/x"), object{"location": "x"})
	refused("POST", set+"/start", nil)
	assert.Equal(t, http.StatusOK, s.get(t, set).status)
	assert.Equal(t, http.StatusForbidden, s.as(t, rgOnly).send(t, "DELETE", group+authorization+"locks/read"+query, nil).status, "a contributor removes no lock")
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", group+authorization+"locks/read"+query, nil).status)
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", group, nil).status)
}

func TestRolesOfConfigMustExist(t *testing.T) {
	t.Parallel()
	_, err := armsim.New(armsim.Config{InProcess: true, Principals: []armsim.Principal{{ClientID: "x", Roles: []armsim.Role{{Name: "King"}}}}})
	assert.ErrorContains(t, err, `role "King"`)
}

func TestAssignmentComesLate(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{Subscription: armsim.Subscription{AssignmentDelay: settled}})
	group, n := s.ResourcePath(""), s.as(t, nobody)
	assert.Equal(t, http.StatusOK, s.as(t, rgOnly).get(t, group).status, "there from the start")
	require.Equal(t, http.StatusCreated, s.assign(t, group, "one", "Reader", "nobodys-object").status)
	assert.Equal(t, http.StatusForbidden, n.get(t, group).status)
	s.Advance(settled / 2)
	require.Equal(t, http.StatusCreated, s.assign(t, group, "one", "Reader", "nobodys-object").status, "the same again")
	s.Advance(settled / 2)
	assert.Equal(t, http.StatusOK, n.get(t, group).status)
	assert.Len(t, n.list(t, group+authorization+"permissions?api-version=2022-04-01"), 1)
}
