package template

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The forms are those of Microsoft's pages on the iteration of properties, variables and outputs.

func TestLoopsOfProperties(t *testing.T) {
	t.Parallel()
	type o = map[string]any
	for name, c := range map[string]struct {
		properties string
		want       o
	}{
		"as the portal": {`{"networkProfile": {"copy": [{"name": "nics", "count": 1, "input": {"name": "nic", "properties": {"primary": true}}}]}}`,
			o{"networkProfile": o{"nics": []any{o{"name": "nic", "properties": o{"primary": true}}}}}},
		"index":           {`{"copy": [{"name": "a", "count": "[parameters('n')]", "input": "[copyIndex('A')]"}]}`, o{"a": []any{0.0, 1.0}}},
		"offset":          {`{"copy": [{"name": "a", "count": 2, "input": "[copyIndex('a', 5)]"}]}`, o{"a": []any{5.0, 6.0}}},
		"of the resource": {`{"copy": [{"name": "a", "count": 1, "input": "[concat(copyIndex(), copyIndex('r', 1), copyIndex('a'))]"}]}`, o{"a": []any{"120"}}},
		"several":         {`{"x": 1, "copy": [{"name": "a", "count": 0, "input": 1}, {"name": "b", "count": 1, "input": null}]}`, o{"x": 1.0, "a": []any{}, "b": []any{nil}}},
		"no loop":         {`{"copy": {"name": "a", "count": 2}}`, o{"copy": o{"name": "a", "count": 2.0}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := planned(t, `{"parameters": {"n": {"type": "int"}}, "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "[concat('x', copyIndex())]",
				"copy": {"name": "r", "count": 2}, "properties": `+c.properties+`}]}`, `{"n": {"value": 2}}`)
			require.NoError(t, err)
			body, err := p.Body(p.Resources[1], nil)
			require.NoError(t, err)
			assert.Equal(t, o{"properties": c.want}, body)
		})
	}
}

func TestLoopsOfVariablesAndOutputs(t *testing.T) {
	t.Parallel()
	p, err := planned(t, `{
		"variables": {"all": "[concat(variables('names'), variables('held').in)]", "held": {"copy": [{"name": "in", "count": 1, "input": "z"}]},
			"copy": [{"name": "names", "count": 2, "input": "[concat('n', copyIndex('names', 1))]"}]},
		"outputs": {"many": {"type": "array", "copy": {"count": "[length(variables('all'))]", "input": "[concat(variables('all')[copyIndex()], copyIndex(7), reference('x'))]"}}}}`, `{}`)
	require.NoError(t, err)
	outputs, err := p.Outputs(Scope{"reference": func([]any) (any, error) { return "!", nil }})
	require.NoError(t, err)
	assert.Equal(t, []Output{{"many", "array", []any{"n17!", "n28!", "z9!"}}}, outputs)
}

func TestLoopsThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ properties, want string }{
		"no name":      {`{"copy": [{"count": 1, "input": 1}]}`, "needs a name, a count and an input"},
		"no count":     {`{"copy": [{"name": "a", "input": 1}]}`, "needs a name, a count and an input"},
		"no input":     {`{"copy": [{"name": "a", "count": 1}]}`, "needs a name, a count and an input"},
		"no object":    {`{"copy": [1]}`, "needs a name, a count and an input"},
		"too many":     {`{"copy": [{"name": "a", "count": 801, "input": 1}]}`, "count from 0 to 800"},
		"below 0":      {`{"copy": [{"name": "a", "count": -1, "input": 1}]}`, "count from 0 to 800"},
		"no number":    {`{"copy": [{"name": "a", "count": "2", "input": 1}]}`, "count from 0 to 800"},
		"a reference":  {`{"copy": [{"name": "a", "count": "[reference('x').n]", "input": 1}]}`, "'reference' is not expected at this location"},
		"twice":        {`{"a": 1, "copy": [{"name": "a", "count": 1, "input": 1}]}`, "a property of this name"},
		"within":       {`{"copy": [{"name": "a", "count": 1, "input": [{"copy": [{"name": "b", "count": 1, "input": 1}]}]}]}`, "a copy within the copy of 'a'"},
		"no loop":      {`{"copy": [{"name": "a", "count": 1, "input": "[copyIndex()]"}]}`, "'copyIndex' is not expected at this location"},
		"another loop": {`{"copy": [{"name": "a", "count": 1, "input": "[copyIndex('b')]"}]}`, "'copyIndex' is not expected at this location"},
		"its input":    {`{"copy": [{"name": "a", "count": 1, "input": "[div(1, 0)]"}]}`, "Division by zero"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := planned(t, `{"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "a", "properties": `+c.properties+`}]}`, `{}`)
			require.NoError(t, err)
			_, err = p.Body(p.Resources[0], Scope{"reference": func([]any) (any, error) { return map[string]any{"n": 1.0}, nil }})
			require.ErrorContains(t, err, c.want)
		})
	}
	for text, want := range map[string]string{
		`{"variables": {"copy": [{"name": "a", "count": 1}]}}`:                                                    "needs a name, a count and an input",
		`{"variables": {"copy": [{"name": "a", "count": 2, "input": "[copyIndex()]"}]}}`:                          "'copyIndex' is not expected",
		`{"variables": {"copy": [{"name": "a", "count": 2, "input": "[pickZones('a')]"}]}}`:                       "'pickZones' is not valid",
		`{"variables": {"copy": [{"name": "a", "count": 1, "input": "[variables('a')]"}]}}`:                       "refers to itself",
		`{"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "a", "copy": {"name": "l", "count": 801}}]}`: "count from 0 to 800",
	} {
		_, err := planned(t, text, `{}`)
		require.ErrorContains(t, err, want, text)
	}
	p, err := planned(t, `{"outputs": {"a": {"type": "array", "copy": {"count": 1, "input": {"copy": [{"name": "b", "count": 1, "input": 1}]}}}}}`, `{}`)
	require.NoError(t, err)
	_, err = p.Outputs(nil)
	require.ErrorContains(t, err, "a copy within the copy of 'a'")
}

func TestNestedDeploymentInAnotherGroup(t *testing.T) {
	t.Parallel()
	p, err := planned(t, `{"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "a", "resourceGroup": "other", "subscriptionId": "SUB"}]}`, `{}`)
	require.NoError(t, err)
	assert.Equal(t, "/subscriptions/SUB/resourceGroups/other/providers/Microsoft.Resources/deployments/a", p.Resources[0].ID)
}
