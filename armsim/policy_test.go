package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestPolicies: a group's list has what is assigned above it, and, without a filter, below
// it; an assignment refuses nothing.
func TestPolicies(t *testing.T) {
	t.Parallel()
	s := withPrincipals(t, armsim.Config{PageSize: 1})
	const query, locations = "?api-version=2023-04-01", "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c"
	group, assignments := s.ResourcePath(""), authorization+"policyAssignments"
	body := object{"properties": object{"displayName": "No regions", "policyDefinitionId": locations, "parameters": object{"listOfAllowedLocations": object{"value": []any{"nowhere"}}}}}
	for _, scope := range []string{subscriptionOf, group, s.ScaleSetPath("ci")} {
		made := s.send(t, "PUT", scope+assignments+"/one"+query, body)
		require.Equal(t, http.StatusCreated, made.status, made.raw)
		assert.Equal(t, scope, made.text("properties.scope"))
		assert.Equal(t, "Default", made.text("properties.enforcementMode"))
	}
	assert.Equal(t, "No regions", s.get(t, group+assignments+"/ONE"+query).text("properties.displayName"))
	assert.Len(t, s.list(t, group+assignments+query), 3)
	assert.Len(t, s.list(t, group+assignments+query+"&$filter=atScope()"), 2)
	assert.Len(t, s.list(t, group+assignments+query+"&$filter=atExactScope()"), 1)
	assert.Empty(t, s.list(t, group+assignments+query+"&$filter=policyDefinitionId%20eq%20'x'"))
	assert.Equal(t, http.StatusForbidden, s.as(t, nobody).get(t, group+assignments+query).status)
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})

	assert.Equal(t, "deny", s.get(t, locations+query).text("properties.policyRule.then.effect"))
	assert.Equal(t, http.StatusOK, s.as(t, rgOnly).get(t, locations+query).status, "it is in no subscription")
	assert.Equal(t, "PolicyDefinitionNotFound", s.get(t, authorization+"policyDefinitions/none"+query).code())
	assert.Equal(t, "PolicySetDefinitionNotFound", s.get(t, authorization+"policySetDefinitions/none"+query).code())
	assert.Equal(t, "InvalidCreatePolicyAssignmentRequest", s.send(t, "PUT", group+assignments+"/bad"+query, object{}).code())

	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", group+assignments+"/one"+query, nil).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", group+assignments+"/one"+query, nil).status)
	assert.Equal(t, "PolicyAssignmentNotFound", s.get(t, group+assignments+"/one"+query).code())
	s.send(t, "DELETE", group, nil)
	s.Advance(settled)
	assert.Len(t, s.list(t, subscriptionOf+assignments+query), 1, "those of the group went with it")
}

// TestPolicyExemptions are listed as assignments are.
func TestPolicyExemptions(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 1})
	const query = "?api-version=2022-07-01-preview"
	group, exemptions := s.ResourcePath(""), authorization+"policyExemptions"
	assignment := group + authorization + "policyAssignments/one"
	for _, scope := range []string{subscriptionOf, group, s.ScaleSetPath("ci")} {
		made := s.send(t, "PUT", scope+exemptions+"/mine"+query, object{"properties": object{"policyAssignmentId": assignment, "exemptionCategory": "Waiver"}})
		require.Equal(t, http.StatusCreated, made.status, made.raw)
		assert.Equal(t, assignment, s.get(t, scope+exemptions+"/MINE"+query).text("properties.policyAssignmentId"))
	}
	assert.Len(t, s.list(t, group+exemptions+query), 3)
	assert.Len(t, s.list(t, group+exemptions+query+"&$filter=atScope()"), 2)
	assert.Empty(t, s.list(t, group+exemptions+query+"&$filter=policyAssignmentId%20eq%20'x'"))
	assert.Equal(t, "InvalidCreatePolicyExemptionRequest", s.send(t, "PUT", group+exemptions+"/bad"+query, object{}).code())
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", group+exemptions+"/mine"+query, nil).status)
	assert.Equal(t, "PolicyExemptionNotFound", s.get(t, group+exemptions+"/mine"+query).code())
}

func TestPolicyDefinitions(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	const query = "?api-version=2023-04-01"
	for kind, body := range map[string]object{
		"policyDefinitions":    {"properties": object{"policyRule": object{"then": object{"effect": "deny"}}}},
		"policySetDefinitions": {"properties": object{"policyDefinitions": []any{}}},
	} {
		path := subscriptionOf + authorization + kind + "/own" + query
		require.Equal(t, http.StatusCreated, s.send(t, "PUT", path, body).status)
		assert.Equal(t, "Custom", s.get(t, path).text("properties.policyType"))
		assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", path, object{}).status)
		assert.Equal(t, http.StatusOK, s.send(t, "DELETE", path, nil).status)
		assert.Equal(t, http.StatusNotFound, s.get(t, path).status)
	}
}
