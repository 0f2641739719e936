package config_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const (
	sub    = "11111111-2222-3333-4444-555555555555"
	other  = "99999999-2222-3333-4444-555555555555"
	id     = "/subscriptions/" + sub + "/resourceGroups/ci/providers/Microsoft.Compute/virtualMachineScaleSets/set"
	secret = "abc8Q~planted-secret-value-0123456789AB"
)

// with returns a good configuration with some keys replaced; nil removes one.
func with(changes map[string]any) []byte {
	m := map[string]any{"name": "set", "subscription_id": sub, "resource_group_name": "ci"}
	for k, v := range changes {
		m[k] = v
		if v == nil {
			delete(m, k)
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return raw
}

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(key string) string { return m[key] }
}

func abs(path string) string {
	if runtime.GOOS == "windows" {
		return `C:` + filepath.FromSlash(path)
	}
	return path
}

func good() config.Config {
	return config.Config{
		Name: "set", SubscriptionID: sub, ResourceGroupName: "ci",
		Cloud: config.Cloud{Name: "AzurePublic"}, Credential: "default", CreationLimit: "25m", FailedGrace: "2m", SSHKeyType: "ed25519", SuspendMode: "auto", WarmPoolSize: "0", UseResourceGraph: "false",
	}
}

type accepted struct {
	raw  []byte
	env  map[string]string
	want func(*config.Config)
}

func checkAccepted(t *testing.T, tests map[string]accepted) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := good()
			tt.want(&want)
			getenv := func(key string) string { return tt.env[key] }
			got, err := config.Parse(tt.raw, getenv)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assertRoundTrip(t, got, getenv)
		})
	}
}

func TestParseAcceptsPlaces(t *testing.T) {
	t.Parallel()
	table := map[string]any{
		"authority_host":            "https://login.example.com/",
		"resource_manager_endpoint": "https://arm.example.com:8443/base",
		"resource_manager_audience": "api://arm",
	}
	checkAccepted(t, map[string]accepted{
		"plain":              {raw: with(nil), want: func(*config.Config) {}},
		"empty strings":      {raw: with(map[string]any{"cloud": "", "tenant_id": "", "client_secret_file": ""}), want: func(*config.Config) {}},
		"resource ID":        {raw: []byte(`{"name":"` + id + `"}`), want: func(*config.Config) {}},
		"resource ID, upper": {raw: []byte(`{"name":"` + strings.ToUpper(id) + `"}`), want: func(c *config.Config) { c.Name, c.ResourceGroupName = "SET", "CI" }},
		"resource ID agrees": {raw: with(map[string]any{"name": id, "resource_group_name": "CI"}), want: func(c *config.Config) { c.ResourceGroupName = "CI" }},
		"64 characters":      {raw: with(map[string]any{"name": strings.Repeat("a", 64)}), want: func(c *config.Config) { c.Name = strings.Repeat("a", 64) }},
		"group":              {raw: with(map[string]any{"resource_group_name": "Gruppe_(é)-1.x"}), want: func(c *config.Config) { c.ResourceGroupName = "Gruppe_(é)-1.x" }},
		"cloud in any case":  {raw: with(map[string]any{"cloud": "azureusGOVERNMENT"}), want: func(c *config.Config) { c.Cloud.Name = "AzureUSGovernment" }},
		"cloud table": {raw: with(map[string]any{"cloud": table}), want: func(c *config.Config) {
			c.Cloud = config.Cloud{
				AuthorityHost: "https://login.example.com/", ResourceManagerEndpoint: "https://arm.example.com:8443/base",
				ResourceManagerAudience: "api://arm",
			}
		}},
	})
}

func TestParseAcceptsCredentials(t *testing.T) {
	t.Parallel()
	application := map[string]string{"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": other, "AZURE_CLIENT_SECRET": secret}
	checkAccepted(t, map[string]accepted{
		"managed identity": {
			raw: with(map[string]any{"credential": "managed_identity"}), env: application,
			want: func(c *config.Config) { c.Credential = "managed_identity" },
		},
		"user-assigned identity": {
			raw:  with(map[string]any{"credential": "managed_identity", "client_id": sub}),
			want: func(c *config.Config) { c.Credential, c.ClientID = "managed_identity", sub },
		},
		"workload identity": {
			raw: with(map[string]any{"credential": "workload_identity", "client_id": sub}), env: application,
			want: func(c *config.Config) { c.Credential, c.TenantID, c.ClientID = "workload_identity", "contoso.com", sub },
		},
		"client secret from the environment": {
			raw: with(map[string]any{"credential": "client_secret"}), env: application,
			want: func(c *config.Config) { c.Credential, c.TenantID, c.ClientID = "client_secret", "contoso.com", other },
		},
		"client certificate": {
			raw: with(map[string]any{
				"credential": "client_certificate", "tenant_id": sub, "client_id": sub, "client_certificate_file": abs("/etc/c.pem"),
			}),
			want: func(c *config.Config) {
				c.Credential, c.TenantID, c.ClientID, c.ClientCertificateFile = "client_certificate", sub, sub, abs("/etc/c.pem")
			},
		},
	})
}

func assertRoundTrip(t assert.TestingT, c config.Config, getenv func(string) string) {
	raw, err := json.Marshal(c)
	assert.NoError(t, err)
	again, err := config.Parse(raw, getenv)
	assert.NoError(t, err, "%s", raw)
	assert.Equal(t, c, again)
}

func TestParseReportsAllMistakesInOneLine(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte(`{"resource_group":"ci","name":"a b\n","credential":"client_secret","tenant_id":7}`), nil)
	var problems config.Problems
	require.ErrorAs(t, err, &problems)
	assert.Len(t, problems, 7)
	assert.NotContains(t, err.Error(), "\n")
	for _, part := range []string{
		`plugin_config: unknown key "resource_group"; did you mean "resource_group_name"?; plugin_config: name "a b\n" contains ' '; use the scale`,
		`plugin_config: tenant_id is a number, expected a string; use a GUID or a domain name such as contoso.onmicrosoft.com; plugin_config: `,
		`plugin_config: subscription_id is missing; use a GUID such as 00000000-0000-0000-0000-000000000000; plugin_config: `,
		`plugin_config: resource_group_name is missing; use 1 to 90 letters`,
		`plugin_config: client_id is missing and credential "client_secret" needs it; use a GUID such as 00000000-0000-0000-0000-000000000000, or set AZURE_CLIENT_ID in the runner's environment`,
		`plugin_config: client_secret_file is missing and credential "client_secret" needs it; use the absolute path of a file with the client secret, or set AZURE_CLIENT_SECRET in the runner's environment`,
	} {
		assert.Contains(t, err.Error(), part)
	}
}

func TestParseBoundsItsError(t *testing.T) {
	t.Parallel()
	m := map[string]any{}
	for i := range 500 {
		m[fmt.Sprintf("%d%s", i, strings.Repeat("k", 100))] = 1
	}
	_, err := config.Parse(with(m), nil)
	require.ErrorContains(t, err, "; plugin_config: and 480 more")
	assert.Less(t, len(err.Error()), 10_000)
	_, err = config.Parse(with(map[string]any{"client_id": strings.Repeat("x", 50_000)}), nil)
	require.ErrorContains(t, err, `xxx…" is not a GUID`)
	assert.Less(t, len(err.Error()), 500)
}

func TestEnvironmentMistakesNameTheVariable(t *testing.T) {
	t.Parallel()
	getenv := env("AZURE_TENANT_ID", "-", "AZURE_CLIENT_ID", secret, "AZURE_CLIENT_SECRET", secret)
	_, err := config.Parse(with(map[string]any{"credential": "client_secret"}), getenv)
	require.ErrorContains(t, err, `AZURE_TENANT_ID "-" is neither a GUID nor a domain name; use`)
	require.ErrorContains(t, err, `AZURE_CLIENT_ID (value not shown) is not a GUID; use`)
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, err.Error(), "missing")
}
