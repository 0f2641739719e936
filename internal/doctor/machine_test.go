package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestUnreadableConfigurations: each is one line with the place, and is read once it is
// corrected.
func TestUnreadableConfigurations(t *testing.T) {
	for name, c := range map[string]struct{ right, wrong, text string }{
		"open text":       {`executor = "docker-autoscaler"`, `executor = "docker-autoscaler`, "line 4: "},
		"open table":      {"[runners.autoscaler]", "[runners.autoscaler", "line 6: "},
		"twice":           {"max_instances = 10", "max_instances = 10\n    max_instances = 11", "line 9: "},
		"table twice":     {"    [runners.autoscaler.connector_config]", "    [runners.autoscaler.plugin_config]\n    [runners.autoscaler.connector_config]", "line 14: "},
		"no value":        {"max_instances = 10", "max_instances =", "line 8: "},
		"text for number": {"max_instances = 10", `max_instances = "10"`, "max_instances"},
		"words":           {"concurrent = 10", "concurrent 10", "line 1: "},
		"one policy":      {"[[runners.autoscaler.policy]]\n      periods", "[runners.autoscaler.policy]\n      periods", "policy"},
	} {
		require.Contains(t, sound, c.right, name)
		path := filepath.Join(t.TempDir(), "config.toml")
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(sound, c.right, c.wrong, 1)), 0o600))
		_, err := runnerconfig.Read(path)
		require.ErrorContains(t, err, c.text, name)
		require.ErrorContains(t, err, "read "+path+": ", name)
		assert.NotContains(t, err.Error(), "\n", name)
		require.NoError(t, os.WriteFile(path, []byte(sound), 0o600))
		_, err = runnerconfig.Read(path)
		assert.NoError(t, err, name)
	}
}

// TestProxy: a managed identity's tokens come from an address that no proxy can reach.
func TestProxy(t *testing.T) {
	env := map[string]string{"HTTPS_PROXY": "http://proxy.example.com"}
	s := &subject{Options: Options{Getenv: func(key string) string { return env[key] }}}
	s.config.Credential = "managed_identity"
	found := checkProxy(s)
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Fix, "NO_PROXY=169.254.169.254")
	env["NO_PROXY"] = "example.com"
	found = checkProxy(s)
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Fix, "NO_PROXY=example.com,169.254.169.254 ")
	env["NO_PROXY"] = "example.com,169.254.169.254"
	assert.Empty(t, checkProxy(s))
	env["NO_PROXY"], s.config.Credential = "", "client_secret"
	assert.Empty(t, checkProxy(s))
}

// TestComputerNames: Azure does not create what Windows would not take, so that these are
// not made in the table of broken clouds.
func TestComputerNames(t *testing.T) {
	for _, c := range []struct {
		system, prefix, text string
	}{
		{"Windows", "runners-1", ""}, {"Windows", "runners-10", "Windows takes 9"}, {"Windows", "12345", "digits alone"},
		{"Linux", "12345", ""}, {"Linux", strings.Repeat("a", 57), ""}, {"Linux", strings.Repeat("a", 58), "63 at most on Linux"}, {"", "", ""},
	} {
		one := &cloud{set: vmss.ScaleSet{Model: vmss.Model{OSType: c.system}}}
		one.model.Properties.Profile.OS.Prefix = c.prefix
		found, err := one.checkNames(t.Context())
		require.NoError(t, err)
		if c.text == "" {
			assert.Empty(t, found, c.prefix)
			continue
		}
		require.Len(t, found, 1, c.prefix)
		assert.Contains(t, found[0].Text, c.text)
		assert.NotEmpty(t, found[0].Fix)
	}
}

// TestZoneWithoutTheSize: the simulator has each size in all zones of a region.
func TestZoneWithoutTheSize(t *testing.T) {
	var size offer.Size
	require.NoError(t, json.Unmarshal([]byte(`{"name": "Standard_X", "locationInfo": [{"zones": ["1", "3"]}]}`), &size))
	c := &cloud{subject: &subject{}, sizes: map[string]offer.Size{"standard_x": size}}
	c.model.SKU.Name, c.model.Location = "Standard_X", "westeurope"
	for zone, want := range map[string]int{"1": 0, "2": 1} {
		c.model.Zones = []string{zone}
		found, err := c.checkSizes(t.Context())
		require.NoError(t, err)
		require.Len(t, found, want)
		if want > 0 {
			assert.Contains(t, found[0].Text, "is not offered in zone 2 of westeurope")
			assert.Contains(t, found[0].Fix, "--vm-sku SIZE")
		}
	}
}

func TestSubnetCapacity(t *testing.T) {
	for _, c := range []struct {
		prefix   string
		prefixes []string
		want     int
	}{
		{"10.0.0.0/29", nil, 3}, {"10.0.0.0/24", []string{"10.0.0.0/24"}, 251}, {"", []string{"10.0.0.0/29", "10.0.1.0/28"}, 14},
		{"", []string{"10.0.0.0/29", "fd00::/64"}, 3}, {"10.0.0.0/8", nil, 1 << 24}, {"", nil, 0},
	} {
		var s subnet
		s.Properties.Prefix, s.Properties.Prefixes = c.prefix, c.prefixes
		assert.Equal(t, c.want, s.capacity(), c)
	}
}

// TestPatterns: * stands for anything, and Azure's own roles have /*/ for nothing, too.
func TestPatterns(t *testing.T) {
	const assign = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
	for pattern, want := range map[string]bool{
		"*": true, "*/read": false, "Microsoft.ManagedIdentity/*": true, "microsoft.managedidentity/userassignedidentities/assign/ACTION": true,
		"Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action": true, "Microsoft.ManagedIdentity/userAssignedIdentities/*/read": false, "*/assign": false,
	} {
		assert.Equal(t, want, matchesAny([]string{pattern}, assign), pattern)
	}
}

func TestNamedTypes(t *testing.T) {
	is := func(kind string) any { return map[string]any{"field": "type", "equals": kind} }
	tag := map[string]any{"field": "tags['a']", "exists": "false"}
	all := func(of ...any) any { return map[string]any{"allOf": of} }
	some := func(of ...any) any { return map[string]any{"anyOf": of} }
	for _, c := range []struct {
		condition any
		want      []string
	}{
		{is("a"), []string{"a"}}, {tag, nil}, {nil, nil}, {all(is("a"), tag), []string{"a"}}, {some(is("a"), is("b")), []string{"a", "b"}}, {some(is("a"), tag), nil},
		{all(map[string]any{"not": is("a")}, tag), nil}, {map[string]any{"field": "TYPE", "in": []any{"a", "b"}}, []string{"a", "b"}},
	} {
		assert.Equal(t, c.want, namedTypes(c.condition), c.condition)
	}
}
