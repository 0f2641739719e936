package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const otherID = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/north/providers/Microsoft.Compute/virtualMachineScaleSets/ci"

func TestScaleSets(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(with(map[string]any{"name": nil, "scale_sets": []string{"ci-spot", otherID}}), nil)
	require.NoError(t, err)
	assert.Empty(t, c.Name)
	sets := c.Sets()
	require.Len(t, sets, 2)
	assert.Equal(t, c.GroupID()+"/providers/Microsoft.Compute/virtualMachineScaleSets/ci-spot", sets[0].ScaleSetID())
	assert.Equal(t, otherID, sets[1].ScaleSetID())
	for _, set := range sets {
		assert.Empty(t, set.ScaleSets)
		assert.Equal(t, c.Credential, set.Credential)
	}
	assertRoundTrip(t, c, nil)

	c, err = config.Parse(with(map[string]any{"name": nil, "subscription_id": nil, "resource_group_name": nil, "scale_sets": []string{otherID}}), nil)
	require.NoError(t, err, "its resource ID says all")
	assert.Equal(t, "ci", c.Sets()[0].Name)

	c, err = config.Parse(with(map[string]any{"scale_sets": []string{}}), nil)
	require.NoError(t, err, "an empty array is an absent key")
	assert.Equal(t, []config.Config{c}, c.Sets())
}

func TestScaleSetsThatAreWrong(t *testing.T) {
	t.Parallel()
	many := make([]string, 11)
	for n := range many {
		many[n] = "ci-" + string(rune('a'+n))
	}
	for want, settings := range map[string]map[string]any{
		"name and scale_sets are both given; remove name":                                       {"scale_sets": []string{"a"}},
		"name is missing; use":                                                                  {"name": nil},
		`scale_sets names the scale set "A" more than once; keep one`:                           {"name": nil, "scale_sets": []string{"a", "b", "A"}},
		`scale_sets holds "b c", which contains ' '; use 1 to 10`:                               {"name": nil, "scale_sets": []string{"a", "b c"}},
		`scale_sets holds "/x", which is not a well-formed resource ID`:                         {"name": nil, "scale_sets": []string{"/x"}},
		"scale_sets holds something else than strings; use 1 to 10":                             {"name": nil, "scale_sets": []any{"a", 3}},
		"scale_sets is a string, expected an array of strings; use 1 to 10":                     {"name": nil, "scale_sets": "a"},
		"scale_sets holds more than 10 scale sets":                                              {"name": nil, "scale_sets": many},
		"subscription_id is missing":                                                            {"name": nil, "subscription_id": nil, "scale_sets": []string{"a", otherID}},
		`unknown key "scale_set_names"; did you mean "scale_sets"?`:                             {"scale_set_names": []string{"a"}},
		`name is an array, expected a string; use the scale set's name (1 to 64 characters, no`: {"name": []string{"a"}},
	} {
		raw := with(settings)
		_, err := config.Parse(raw, nil)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err := config.Parse(with(map[string]any{"name": nil, "subscription_id": nil, "resource_group_name": nil, "scale_sets": []string{"/x"}}), nil)
	assert.Len(t, err, 1, "a corrected ID would give the rest")
}

func TestListIsWrittenAsArray(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(config.Config{ScaleSets: `["a","b"]`})
	require.NoError(t, err)
	assert.JSONEq(t, `{"scale_sets":["a","b"]}`, string(raw))
	raw, err = json.Marshal(config.Config{ScaleSets: "a"})
	require.NoError(t, err)
	_, err = config.Parse(raw, nil)
	require.ErrorContains(t, err, "scale_sets is a string")
}
