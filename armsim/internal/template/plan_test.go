package template

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var here = Place{"sub", "ci"}

func decoded(t testing.TB, text string) map[string]any {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	for key, value := range map[string]any{"$schema": "s", "contentVersion": "1.0.0.0", "resources": []any{}} {
		if doc[key] == nil {
			doc[key] = value
		}
	}
	return doc
}

func planned(t testing.TB, text, given string) (*Plan, error) {
	t.Helper()
	var parameters map[string]any
	require.NoError(t, json.Unmarshal([]byte(given), &parameters))
	return New(decoded(t, text), parameters, here, nil)
}

const network = `{
  "parameters": {
    "name": {"type": "string", "defaultValue": "[concat('ci', parameters('suffix'))]"},
    "suffix": {"type": "string"},
    "password": {"type": "securestring"}
  },
  "variables": {"vnet": "[concat(parameters('name'), 'VNET')]", "subnets": [{"name": "[variables('vnet')]"}]},
  "resources": [
    {"type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2023-03-01", "name": "[parameters('name')]", "location": "westeurope",
     "dependsOn": ["[concat('microsoft.network/VIRTUALNETWORKS/', variables('vnet'))]", "lb/rule", "ips"],
     "properties": {"password": "[parameters('password')]", "nothing": null, "subnet": "[resourceId('Microsoft.Network/virtualNetworks/subnets', variables('vnet'), 'a')]"}},
    {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2015-06-15", "name": "[variables('vnet')]", "properties": {"subnets": "[variables('subnets')]"},
     "resources": [{"type": "subnets", "apiVersion": "2015-06-15", "name": "b", "dependsOn": ["[variables('vnet')]"]}]},
    {"type": "Microsoft.Network/loadBalancers/inboundNatRules", "apiVersion": "2022-01-01", "name": "lb/rule", "properties": {"ip": "[reference('ip1').ipAddress]"}},
    {"type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2022-01-01", "name": "[concat('ip', copyIndex(1))]", "copy": {"name": "ips", "count": 2}, "sku": {"name": "[concat('s', copyIndex('ips'))]"}},
    {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2022-01-01", "name": "s", "condition": "[equals(parameters('suffix'), 'none')]"}
  ],
  "outputs": {"VMSS": {"type": "object", "value": "[reference(parameters('name'))]"}, "pw": {"type": "secureString", "value": "[parameters('password')]"}}
}`

func TestPlan(t *testing.T) {
	t.Parallel()
	p, err := planned(t, network, `{"SUFFIX": {"value": "1"}, "password": {"value": "secret"}}`)
	require.NoError(t, err)
	ids, depends := []string{}, map[string][]string{}
	for _, r := range p.Resources {
		ids = append(ids, r.ID)
		for _, other := range r.DependsOn {
			depends[r.Name] = append(depends[r.Name], other.Name)
		}
	}
	const below = "/subscriptions/sub/resourceGroups/ci/providers/Microsoft."
	assert.Equal(t, []string{
		below + "Compute/virtualMachineScaleSets/ci1", below + "Network/virtualNetworks/ci1VNET", below + "Network/virtualNetworks/ci1VNET/subnets/b",
		below + "Network/loadBalancers/lb/inboundNatRules/rule", below + "Network/publicIPAddresses/ip1", below + "Network/publicIPAddresses/ip2",
	}, ids)
	assert.Equal(t, map[string][]string{"ci1": {"ci1VNET", "lb/rule", "ip1", "ip2"}, "ci1VNET/b": {"ci1VNET"}, "lb/rule": {"ip1"}}, depends)

	body, err := p.Body(p.Resources[0], nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"location": "westeurope", "properties": map[string]any{
		"password": "secret", "subnet": below + "Network/virtualNetworks/ci1VNET/subnets/a"}}, body)
	body, err = p.Body(p.Resources[5], nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"sku": map[string]any{"name": "s1"}}, body)
	_, err = p.Outputs(nil)
	require.ErrorContains(t, err, "'reference' is not expected at this location")
	outputs, err := p.Outputs(Scope{"reference": func(args []any) (any, error) { return args[0], nil }})
	require.NoError(t, err)
	assert.Equal(t, []Output{{"VMSS", "object", "ci1"}, {"pw", "secureString", nil}}, outputs)
	assert.Equal(t, []string{"password"}, Secrets(decoded(t, network)))
}

func TestPlansThatAreWrong(t *testing.T) {
	t.Parallel()
	const resource = `"type": "Microsoft.Network/loadBalancers", "apiVersion": "2022-01-01"`
	for name, c := range map[string]struct{ text, given, want string }{
		"unknown function":      {`{"outputs": {"a": {"type": "string", "value": "[pickZones('a', 'b', 'c')]"}}}`, `{}`, "The template function 'pickZones' is not valid"},
		"in a name":             {`{"resources": [{` + resource + `, "name": "[reference('x')]"}]}`, `{}`, "'reference' is not expected"},
		"no value":              {`{"parameters": {"a": {"type": "string"}}}`, `{}`, "'a' is not provided"},
		"not declared":          {`{"parameters": {"a": {"type": "string", "defaultValue": ""}}}`, `{"b": {"value": 1}}`, "do not correspond to any parameters defined in the template: 'b'"},
		"wrong type":            {`{"parameters": {"a": {"type": "int"}}}`, `{"a": {"value": "1"}}`, "Expected 'int'. Actual 'string'"},
		"not allowed":           {`{"parameters": {"a": {"type": "string", "allowedValues": ["x", "y"]}}}`, `{"a": {"value": "z"}}`, "The value 'z' is not part of the allowed value(s): 'x,y'"},
		"not allowed, a secret": {`{"parameters": {"a": {"type": "securestring", "allowedValues": ["x"]}}}`, `{"a": {"value": "zzz"}}`, "The value '(secure)'"},
		"key vault":             {`{"parameters": {"a": {"type": "securestring"}}}`, `{"a": {"reference": {}}}`, "key vault"},
		"no such parameter":     {`{"variables": {"v": "[parameters('a')]"}}`, `{}`, "parameter 'a' is not found"},
		"no such variable":      {`{"variables": {"v": "[variables('a')]"}}`, `{}`, "variable 'a' is not found"},
		"variable of itself":    {`{"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}}`, `{}`, "refers to itself"},
		"no such dependency":    {`{"resources": [{` + resource + `, "name": "a", "dependsOn": ["b"]}]}`, `{}`, "The resource 'b' is not defined in the template"},
		"circle":                {`{"resources": [{` + resource + `, "name": "a", "dependsOn": ["b"]}, {` + resource + `, "name": "b", "dependsOn": ["a"]}]}`, `{}`, "Circular dependency"},
		"twice":                 {`{"resources": [{` + resource + `, "name": "a"}, {` + resource + `, "name": "A"}]}`, `{}`, "'Microsoft.Network/loadBalancers/A' is defined multiple times"},
		"segments":              {`{"resources": [{` + resource + `, "name": "a/b"}]}`, `{}`, "incorrect segment lengths"},
		"no name":               {`{"resources": [{` + resource + `}]}`, `{}`, "'name' must be a string"},
		"another subscription":  {`{"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "a", "subscriptionId": "other"}]}`, `{}`, "'a' to another subscription"},
		"loop too long":         {`{"resources": [{` + resource + `, "name": "a", "copy": {"name": "l", "count": 801}}]}`, `{}`, "count from 0 to 800"},
		"symbolic names":        {`{"resources": {}}`, `{}`, "symbolic names"},
		"user functions":        {`{"functions": []}`, `{}`, "does not simulate 'functions'"},
		"condition":             {`{"resources": [{` + resource + `, "name": "a", "condition": "[concat('x')]"}]}`, `{}`, "must be a boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := planned(t, c.text, c.given)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "zzz")
			var typed *Error
			require.True(t, errors.As(err, &typed))
		})
	}
	_, err := New(map[string]any{}, nil, here, nil)
	require.ErrorContains(t, err, "Required property '$schema' not found")
}

func TestNestedDeployment(t *testing.T) {
	t.Parallel()
	const text = `{"parameters": {"a": {"type": "string"}}, "resources": [
	  {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "outer", "properties": {"template": {"x": "[parameters('a')]"}}},
	  {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "properties": {
	    "expressionEvaluationOptions": {"scope": "Inner"}, "parameters": {"b": {"value": "[parameters('a')]"}}, "template": {"x": "[parameters('b')]"}}}]}`
	p, err := planned(t, text, `{"a": {"value": "1"}}`)
	require.NoError(t, err)
	outer, err := p.Body(p.Find("outer"), nil)
	require.NoError(t, err)
	assert.Equal(t, "1", outer["properties"].(map[string]any)["template"].(map[string]any)["x"])
	inner, err := p.Body(p.Find("inner"), nil)
	require.NoError(t, err)
	properties := inner["properties"].(map[string]any)
	assert.Equal(t, "[parameters('b')]", properties["template"].(map[string]any)["x"])
	assert.Equal(t, map[string]any{"b": map[string]any{"value": "1"}}, properties["parameters"])
}

func TestResourceIDs(t *testing.T) {
	t.Parallel()
	p := &Plan{place: here}
	for want, args := range map[string][]any{
		"/subscriptions/sub/resourceGroups/ci/providers/A.B/c/d":  {"A.B/c", "d"},
		"/subscriptions/sub/resourceGroups/g/providers/A.B/c/d":   {"g", "A.B/c", "d"},
		"/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f": {"s", "g", "A.B/c/e", "d", "f"},
	} {
		got, err := p.resourceID(args)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, args := range [][]any{{}, {"a"}, {"A.B/c"}, {1.0}, {"a", "b", "c", "A.B/c", "d"}} {
		_, err := p.resourceID(args)
		require.Error(t, err)
	}
	got, err := p.subscriptionResourceID([]any{"A.B/c", "d"})
	require.NoError(t, err)
	assert.Equal(t, "/subscriptions/sub/providers/A.B/c/d", got)
}

// FuzzNew finds that no template makes the planning panic.
func FuzzNew(f *testing.F) {
	f.Add(network)
	f.Add(`{"resources": [{"type": "a/b", "name": "c", "apiVersion": "1", "copy": {"name": "x", "count": 3}, "dependsOn": ["x"], "scope": "A.B/c/d"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var doc map[string]any
		if json.Unmarshal([]byte(text), &doc) != nil || doc == nil {
			return
		}
		doc["$schema"], doc["contentVersion"] = "s", "1"
		p, err := New(doc, map[string]any{"suffix": map[string]any{"value": "1"}, "password": map[string]any{"value": "s"}}, here, nil)
		if err != nil {
			return
		}
		for _, r := range p.Resources {
			_, _ = p.Body(r, nil)
		}
		_, _ = p.Outputs(nil)
	})
}

// TestReferenceNamesEveryFunction keeps the page of differences in step: those of
// this package, and those of its caller.
func TestReferenceNamesEveryFunction(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/reference/armsim-differences.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(page), "### Template functions\n")
	list, _, _ := strings.Cut(section, ". `format` knows")
	var documented []string
	for _, name := range strings.Split(list, ",") {
		documented = append(documented, strings.ToLower(strings.Trim(name, " `\n")))
	}
	known := []string{"if", "parameters", "variables", "copyindex", "resourceid", "subscriptionresourceid", "reference", "resourcegroup", "subscription", "deployment", "providers"}
	for name := range pure {
		known = append(known, name)
	}
	slices.Sort(known)
	assert.Equal(t, known, documented)
}
