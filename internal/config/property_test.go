package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

var guid = rapid.StringMatching(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

func drawConfig(t *rapid.T) config.Config {
	c := config.Config{
		Name:              rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9]`).Draw(t, "name"),
		SubscriptionID:    guid.Draw(t, "subscription"),
		ResourceGroupName: rapid.StringMatching(`[a-zA-Z0-9_().-]{0,89}[a-zA-Z0-9_()-]`).Draw(t, "group"),
		Credential: rapid.SampledFrom([]string{
			"default", "environment", "managed_identity", "workload_identity", "client_secret", "client_certificate", "azure_cli",
		}).Draw(t, "credential"),
		TenantID:         rapid.OneOf(guid, rapid.StringMatching(`([a-z0-9]{1,10}\.){1,3}[a-z]{2,8}`)).Draw(t, "tenant"),
		ClientID:         guid.Draw(t, "client"),
		APIVersion:       rapid.SampledFrom([]string{"", "2023-09-01", "2026-04-01", "2024-03-01-preview"}).Draw(t, "version"),
		WarmPoolSize:     config.Number(rapid.SampledFrom([]string{"0", "1", "1000"}).Draw(t, "pool")),
		SuspendMode:      rapid.SampledFrom([]string{"auto", "deallocate", "hibernate", "off"}).Draw(t, "suspend mode"),
		UseResourceGraph: config.Switch(rapid.SampledFrom([]string{"true", "false"}).Draw(t, "graph")),
		CreationLimit:    config.Duration(rapid.StringMatching(`[1-9][0-9]?m`).Draw(t, "limit")),
		FailedGrace:      config.Duration(rapid.StringMatching(`[0-9]{1,4}s`).Draw(t, "grace")),
	}
	c.SSHKeyType = rapid.SampledFrom([]string{"ed25519", "rsa-3072"}).Draw(t, "type of key")
	c.Cloud.Name = rapid.SampledFrom([]string{"", "AzurePublic", "AzureChina", "AzureUSGovernment"}).Draw(t, "cloud")
	if c.Cloud.Name == "" {
		url := rapid.StringMatching(`https://[a-z]{1,20}(\.[a-z]{2,9}){0,2}(:[1-9][0-9]{1,3})?(/[a-z]{0,5}){0,2}`)
		c.Cloud = config.Cloud{
			AuthorityHost: url.Draw(t, "authority"), ResourceManagerEndpoint: url.Draw(t, "endpoint"),
			ResourceManagerAudience: rapid.OneOf(url, rapid.StringMatching(`(api|urn):[a-z][a-z/]{0,19}`)).Draw(t, "audience"),
		}
	}
	file := abs("/" + rapid.StringMatching(`[a-zA-Zé <>&"./_-]{0,40}`).Filter(
		func(s string) bool { return !strings.Contains(s, "-----BEGIN") }).Draw(t, "file"))
	switch c.Credential {
	case "client_secret":
		c.ClientSecretFile = file
	case "client_certificate":
		c.ClientCertificateFile = file
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		assertRoundTrip(t, drawConfig(t), nil)
	})
}

// TestNoSecretLeaks plants secrets of any shape where secrets belong to be
// refused, and one that Entra ID could have made anywhere at all.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	keys := []string{"client_secret", "password", "client_certificate_password", "x_secret_y", "token", "client_secret_file", "client_certificate_file"}
	rapid.Check(t, func(t *rapid.T) {
		planted := rapid.StringMatching(`[A-Za-z0-9+=~\n"]{12,80}`).Draw(t, "secret")
		anywhere := rapid.SampledFrom([]string{"name", "cloud", "credential", "tenant_id", "client_id", "resource_group_name", "zone", secret}).Draw(t, "key")
		raw := with(map[string]any{
			rapid.SampledFrom(keys).Draw(t, "secret key"): planted,
			anywhere: rapid.String().Draw(t, "before") + secret + rapid.String().Draw(t, "after"),
		})
		_, err := config.Parse(raw, env("AZURE_CLIENT_SECRET", planted))
		assert.Error(t, err)
		assert.NotContains(t, err.Error(), planted)
		assert.NotContains(t, err.Error(), "planted-secret")
		assert.NotContains(t, err.Error(), "\n")
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []map[string]any{
		nil,
		{"name": id, "subscription_id": nil, "resource_group_name": nil},
		{"credential": "client_secret", "client_secret": secret, "client_secret_file": secret},
		{"credential": "client_certificate", "client_certificate_file": abs("/etc/c.pem"), "tenant_id": "contoso.com", "client_id": sub},
		{"cloud": map[string]any{"authority_host": "https://" + secret + "/", "endpoint": nil}, "name": secret, secret: secret},
		{"cloud": map[string]any{
			"authority_host": "https://a/", "resource_manager_endpoint": "https://b/", "resource_manager_audience": "api:c",
		}},
		{"Name": "a\nb", "nope": []any{1, nil, true}},
	} {
		f.Add(with(seed))
	}
	f.Add([]byte(`{"name":"a","name":null} x`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := config.Parse(raw, nil)
		if err == nil {
			assertRoundTrip(t, c, nil)
			return
		}
		assert.NotContains(t, err.Error(), "\n")
		assert.NotContains(t, err.Error(), secret)
		assert.True(t, strings.HasPrefix(err.Error(), "plugin_config: "))
		assert.Empty(t, c)
		assertPlantedStaysHidden(t, raw)
	})
}

// assertPlantedStaysHidden plants the secret under every key of a fuzzed object.
func assertPlantedStaysHidden(t *testing.T, raw []byte) {
	t.Helper()
	var object map[string]any
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return
	}
	for key := range object {
		object[key] = secret
	}
	planted, err := json.Marshal(object)
	assert.NoError(t, err)
	if _, err = config.Parse(planted, nil); err != nil {
		assert.NotContains(t, err.Error(), secret)
	}
}
