package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// responses are Azure's, by resource ID: management groups are not simulated.
type responses map[string]string

func (r responses) Token(context.Context) (token string, expires time.Time, err error) {
	return "", time.Time{}, nil
}

func (r responses) Get(_ context.Context, operation, id string, _ url.Values, out any) error {
	if operation == "" || armops.ByName(operation).Method != "GET" || r[id] == "" {
		return errors.New("none of that ID")
	}
	return json.Unmarshal([]byte(r[id]), out)
}

func (r responses) Each(_ context.Context, _, id string, query url.Values, f func(json.RawMessage) error) error {
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(r[id]), &all); err != nil {
		return err
	}
	for _, one := range all {
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// TestPoliciesOfManagementGroups: the worst that an initiative does is told, once.
func TestPoliciesOfManagementGroups(t *testing.T) {
	const above = "/providers/Microsoft.Management/managementGroups/all/providers/Microsoft.Authorization/"
	const builtIn = "/providers/Microsoft.Authorization/policyDefinitions/"
	c := &cloud{subject: &subject{}}
	c.config.SubscriptionID, c.config.ResourceGroupName, c.config.Name, c.model.Location = "s", "g", "ci", "westeurope"
	exemptions := c.groupID() + "/providers/Microsoft.Authorization/policyExemptions"
	azure := responses{
		exemptions: "[]",
		c.groupID() + "/providers/Microsoft.Authorization/policyAssignments": `[
			{"id": "` + above + `policyAssignments/one", "name": "one", "properties": {"policyDefinitionId": "` + above + `policySetDefinitions/set", "parameters": {"where": {"value": ["eastus"]}}}},
			{"id": "` + above + `policyAssignments/two", "name": "two", "properties": {"policyDefinitionId": "` + above + `policyDefinitions/gone"}}]`,
		above + "policySetDefinitions/set": `{"properties": {"policyDefinitions": [
			{"policyDefinitionId": "` + above + `policyDefinitions/tags"},
			{"policyDefinitionId": "` + above + `policyDefinitions/gone"},
			{"policyDefinitionId": "` + above + `policyDefinitions/gone", "parameters": {"effect": {"value": "AuditIfNotExists"}}},
			{"policyDefinitionId": "` + builtIn + allowedLocations + `", "parameters": {"listOfAllowedLocations": {"value": "[parameters('where')]"}}}]}}`,
		above + "policyDefinitions/tags": `{"properties": {"policyRule": {"if": {"field": "tags['a']", "exists": "false"}, "then": {"effect": "Deny"}}}}`,
		builtIn + allowedLocations:       `{"properties": {"policyRule": {"if": {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"}, "then": {"effect": "deny"}}}}`,
	}
	c.azure = azure
	found, err := c.checkPolicies(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, Fault, found[0].Level)
	assert.Contains(t, found[0].Text, `the policy "one" does not allow the scale set's region westeurope`)
	assert.Contains(t, found[0].Fix, "--policy-assignment "+above+"policyAssignments/one")
	assert.Equal(t, Skipped, found[1].Level)
	assert.Contains(t, found[1].Text, `the policy "two" cannot be looked at`)

	const set = above + "policySetDefinitions/set"
	azure[set] = `{"properties": {"policyDefinitions": [{"policyDefinitionId": "` + above + `policyDefinitions/gone", "parameters": {"effect": {"value": "AuditIfNotExists"}}}]}}`
	found, err = c.checkPolicies(t.Context())
	require.NoError(t, err)
	assert.Len(t, found, 1, "what audits is not read: Azure's own initiatives have hundreds of these")

	azure[set] = `{"properties": {"policyDefinitions": [{"policyDefinitionId": "` + above + `policyDefinitions/tags"}]}}`
	found, err = c.checkPolicies(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Warning, found[0].Level)
	assert.Contains(t, found[0].Fix, "--name one --scope /providers/Microsoft.Management/managementGroups/all;")

	delete(azure, exemptions)
	found, err = c.checkPolicies(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Warning, found[0].Level)
	assert.Contains(t, found[len(found)-1].Text, "exemptions from policies cannot be looked at")

	azure[exemptions] = `[{"id": "` + above + `policyExemptions/ours", "properties": {"policyAssignmentId": "` + above + `policyAssignments/one"}}]`
	found, err = c.checkPolicies(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Text, `the policy "two"`)
}
