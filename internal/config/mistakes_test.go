package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"

type mistake struct {
	change map[string]any
	want   string // the whole error after "plugin_config: ", or its beginning up to "…"
}

func checkMistakes(t *testing.T, mistakes []mistake) {
	t.Helper()
	for _, m := range mistakes {
		got, err := config.Parse(with(m.change), nil)
		if !assert.Error(t, err, "%v", m.change) {
			continue
		}
		assert.Empty(t, got)
		want, part := strings.CutSuffix("plugin_config: "+m.want, "…")
		if part {
			assert.True(t, strings.HasPrefix(err.Error(), want), "got  %s\nwant %s", err, want)
			assert.Len(t, err, 1, "%s", err)
			continue
		}
		assert.Equal(t, want, err.Error())
	}
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	for written, meant := range map[string]string{
		"resource_group": "resource_group_name", "subscription": "subscription_id", "scale_set": "name",
		"vmss": "name", "vmss_name": "name", "environment": "cloud", "Subscription_ID": "subscription_id",
		"subscriptionId": "subscription_id", "subscripton_id": "subscription_id", "Client_Secret_File": "client_secret_file",
		"metrics_address": "metrics_listen", "metric_listen": "metrics_listen", "NAME": "name", "cluod": "cloud", "credentials": "credential", "client_certificate": "client_certificate_file",
	} {
		_, err := config.Parse(with(map[string]any{written: "x"}), nil)
		assert.EqualError(t, err, `plugin_config: unknown key "`+written+`"; did you mean "`+meant+`"?`)
	}
	checkMistakes(t, []mistake{
		{map[string]any{"max_size": 3}, `unknown key "max_size"; use name, scale_sets, subscription_id, resource_group_name, creation_limit, failed_grace, ssh_key_file, ssh_key_type, suspend_mode, warm_pool_size, use_resource_graph, metrics_listen, cloud, ` +
			`api_version, credential, tenant_id, client_id, client_secret_file or client_certificate_file`},
		{map[string]any{"a\nb": 3}, `unknown key "a\nb"; use name, …`},
	})
}

// TestCase16NeighbouringKeys: what belongs elsewhere in config.toml, or was a flag of
// docker-machine, gets its key or its place.
func TestCase16NeighbouringKeys(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"azure-subscription-id": `unknown key "azure-subscription-id"; did you mean "subscription_id"?`,
		"azure-client-id":       `unknown key "azure-client-id"; did you mean "client_id"?`,
		"azure-resource-group":  `unknown key "azure-resource-group"; did you mean "resource_group_name"?`,
		"azure-environment":     `unknown key "azure-environment"; did you mean "cloud"?`,
		"azure-client-secret":   `"azure-client-secret" is a secret and must not be in config.toml; put it in a file readable only by the runner's user and name it in client_secret_file, or set AZURE_CLIENT_SECRET in the runner's environment`,
		"azure-location":        `key "azure-location" is a flag of docker-machine; here it is in the scale set, which you create: az vmss create --location`,
		"azure-image":           `key "azure-image" is a flag of docker-machine; here it is in the scale set, which you create: az vmss create --image`,
		"azure-ssh-user":        `key "azure-ssh-user" is a flag of docker-machine; here it is username in [runners.autoscaler.connector_config]`,
		"MaxBuilds":             `key "MaxBuilds" is max_use_count in [runners.autoscaler]; write it there`,
		"MachineOptions":        `key "MachineOptions" belongs to [runners.machine] of docker-machine, which the plugin replaces; remove it`,
		"max_instances":         `key "max_instances" belongs to [runners.autoscaler], the table above; move it there`,
		"IdleCount":             `key "IdleCount" belongs to [[runners.autoscaler.policy]]; move it there`,
		"key_path":              `key "key_path" belongs to [runners.autoscaler.connector_config]; move it there`,
		"password":              `"password" is a secret and must not be in config.toml; put it in a file readable only by the runner's user and name it in client_secret_file, or set AZURE_CLIENT_SECRET in the runner's environment; that of instances goes into [runners.autoscaler.connector_config]`,
		"executor":              `key "executor" belongs to [[runners]]; move it there`,
		"concurrent":            `key "concurrent" belongs to the top of config.toml; move it there`,
	} {
		_, err := config.Parse(with(map[string]any{written: "hunter2"}), nil)
		assert.EqualError(t, err, "plugin_config: "+want)
	}
}

func TestNameMistakes(t *testing.T) {
	t.Parallel()
	vm := strings.Replace(id, "ScaleSets", "s", 1)
	checkMistakes(t, []mistake{
		{map[string]any{"name": nil}, "name is missing; use the scale set's name (1 to 64 characters…"},
		{map[string]any{"name": "_a"}, `name "_a" starts with _; use the scale set's name…`},
		{map[string]any{"name": "a-"}, `name "a-" ends in -; …`},
		{map[string]any{"name": "a."}, `name "a." ends in .; …`},
		{map[string]any{"name": "a b"}, `name "a b" contains ' '; …`},
		{map[string]any{"name": "a\\b"}, `name "a\\b" contains '\\'; …`},
		{map[string]any{"name": "a&b"}, `name "a&b" contains '&'; …`},
		{map[string]any{"name": strings.Repeat("é", 65)}, `name "` + strings.Repeat("é", 65) + `" is longer than 64 characters; …`},
		{map[string]any{"name": vm}, `name "` + vm + `" is a resource ID of type "Microsoft.Compute/virtualMachines", not of a scale set; …`},
		{map[string]any{"name": id + "/virtualMachines/0"}, `name "` + id + `/virtualMac…`},
		{map[string]any{"name": id[1:], "subscription_id": nil}, `name "` + id[1:] + `" is not a well-formed resource ID; use …`},
		{map[string]any{"name": "/" + id}, `name "/` + id + `" is not a well-formed resource ID; use …`},
		{map[string]any{"name": strings.Replace(id, sub, "x", 1)}, `name "` + strings.Replace(id, sub, "x", 1) +
			`" contains a subscription ID that is not a GUID; …`},
		{map[string]any{"name": strings.Replace(id, "/ci/", "/c i/", 1)}, `name "` + strings.Replace(id, "/ci/", "/c i/", 1) +
			`" contains a resource group name that Azure does not allow; …`},
		{map[string]any{"name": id + "-"}, `name "` + id + `-" contains a scale set name that ends in -; …`},
		{map[string]any{"name": "/subscriptions/" + sub + id[strings.Index(id, "/providers"):]}, `name "/subscriptions/` + sub +
			id[strings.Index(id, "/providers"):] + `" is not the resource ID of a scale set in a resource group; …`},
		{map[string]any{"name": "https://portal.azure.com/#@contoso/resource" + id}, `name (value not shown) is not a well-formed…`},
		{map[string]any{"name": id, "subscription_id": other}, `subscription_id "` + other + `" differs from "` + sub +
			`" in the resource ID given as name; remove subscription_id or make them agree`},
		{map[string]any{"name": id, "resource_group_name": "cd"}, `resource_group_name "cd" differs from "ci" in the resource ID given as name; ` +
			`remove resource_group_name or make them agree`},
	})
	_, err := config.Parse([]byte(`{"name":"`+vm+`"}`), nil)
	require.Len(t, err, 1, "what a right ID fills in is not missing")
	assert.ErrorContains(t, err, "/providers/Microsoft.Compute/virtualMachineScaleSets/<name>")
}

func TestPlaceMistakes(t *testing.T) {
	t.Parallel()
	const groupRule = "; use 1 to 90 letters, digits or any of _ ( ) - . with no period at the end"
	checkMistakes(t, []mistake{
		{map[string]any{"subscription_id": "Prod"}, `subscription_id "Prod" is not a GUID; use a GUID such as 00000000-0000-0000-0000-000000000000`},
		{map[string]any{"subscription_id": "{" + sub + "}"}, `subscription_id "{` + sub + `}" is not a GUID; …`},
		{map[string]any{"resource_group_name": "ci."}, `resource_group_name "ci." ends in a period` + groupRule},
		{map[string]any{"resource_group_name": "c i"}, `resource_group_name "c i" contains ' '` + groupRule},
		{map[string]any{"resource_group_name": strings.Repeat("a", 91)}, `resource_group_name "` + strings.Repeat("a", 91) +
			`" is longer than 90 characters` + groupRule},
	})
}

func TestVersionAndTimeMistakes(t *testing.T) {
	t.Parallel()
	const versionRule = "; use a version of Microsoft.Compute from 2023-09-01 on, such as 2024-07-01"
	const limitRule = "; use a duration from 1m to 24h such as 45m or 1h30m"
	checkMistakes(t, []mistake{
		{map[string]any{"api_version": "latest"}, `api_version "latest" is not an api-version` + versionRule},
		{map[string]any{"api_version": "2020-06-01"}, `api_version "2020-06-01" is older than the plugin supports, as scale sets have no ETag there` + versionRule},
		{map[string]any{"api-version": "2024-07-01"}, `unknown key "api-version"; did you mean "api_version"?`},
		{map[string]any{"creation_limit": "40"}, `creation_limit "40" is not a duration` + limitRule},
		{map[string]any{"creation_limit": 40}, `creation_limit is a number, expected a string` + limitRule},
		{map[string]any{"creation_limit": "30s"}, `creation_limit "30s" is too short` + limitRule},
		{map[string]any{"creation_limit": "25h"}, `creation_limit "25h" is too long` + limitRule},
		{map[string]any{"failed_grace": "-1s"}, `failed_grace "-1s" is too short; use a duration from 0s to 24h such as 2m`},
		{map[string]any{"creation_timeout": "1h"}, `unknown key "creation_timeout"; did you mean "creation_limit"?`},
	})
	c, err := config.Parse(with(map[string]any{"creation_limit": "1h30m", "failed_grace": "0s", "api_version": "2024-07-01"}), nil)
	require.NoError(t, err)
	assert.Equal(t, 90*time.Minute, c.CreationLimit.Std())
	assert.Zero(t, c.FailedGrace.Std())
	assert.Equal(t, "2024-07-01", c.APIVersion)
	c, err = config.Parse(with(nil), nil)
	require.NoError(t, err)
	assert.Equal(t, 25*time.Minute, c.CreationLimit.Std())
	assert.Equal(t, 2*time.Minute, c.FailedGrace.Std())
	assert.Zero(t, config.Duration("x").Std())
}

func TestCloudMistakes(t *testing.T) {
	t.Parallel()
	table := func(key string, value any) map[string]any {
		m := map[string]any{
			"authority_host": "https://a.example", "resource_manager_endpoint": "https://b.example", "resource_manager_audience": "https://c.example",
		}
		m[key] = value
		return map[string]any{"cloud": m}
	}
	const hostRule = "; use an https URL such as https://login.microsoftonline.com/"
	checkMistakes(t, []mistake{
		{map[string]any{"cloud": "AzurePublik"}, `cloud "AzurePublik" is not known; did you mean "AzurePublic"?`},
		{map[string]any{"cloud": "AzureGovernment"}, `cloud "AzureGovernment" is not known; did you mean "AzureUSGovernment"?`},
		{map[string]any{"cloud": "AWS"}, `cloud "AWS" is not known; use AzurePublic, AzureChina or AzureUSGovernment`},
		{map[string]any{"cloud": 1}, `cloud is a number, expected a string or a table; use …`},
		{map[string]any{"cloud": []string{"x"}}, `cloud is an array, expected a string or a table; use …`},
		{table("authority_host", ""), "cloud.authority_host is missing" + hostRule},
		{table("authority_host", "http://a.example"), `cloud.authority_host "http://a.example" is not an https URL` + hostRule},
		{table("authority_host", "https://u:p@a.example"), `cloud.authority_host (value not shown) must not contain a user, a query or a fragment` + hostRule},
		{table("authority_host", "https:///x"), `cloud.authority_host "https:///x" has no host` + hostRule},
		{table("authority_host", "https://a\x7f"), `cloud.authority_host "https://a\x7f" is not a URL` + hostRule},
		{table("authority_host", true), "cloud.authority_host is a boolean, expected a string" + hostRule},
		{table("resource_manager_audience", "management"), `cloud.resource_manager_audience "management" is not an absolute URI; …`},
		{table("resource_manager_audience", "a b:c"), `cloud.resource_manager_audience "a b:c" is not a URI; …`},
		{table("resource_manager_audience", "https://c.example/?sig=x"), `cloud.resource_manager_audience (value not shown) must not contain…`},
		{table("authority", "x"), `unknown key "cloud.authority"; did you mean "cloud.authority_host"?`},
		{table("Authority_Host", "x"), `unknown key "cloud.Authority_Host"; did you mean "cloud.authority_host"?`},
		{table("client_secret", secret), `"cloud.client_secret" is a secret and must not be in config.toml; …`},
	})
	_, err := config.Parse(with(map[string]any{"cloud": map[string]any{}}), nil)
	assert.Len(t, err, 3)
}

func TestCredentialMistakes(t *testing.T) {
	t.Parallel()
	file := abs("/etc/x")
	checkMistakes(t, []mistake{
		{map[string]any{"credential": "Default"}, `credential "Default" is not known; did you mean "default"?`},
		{map[string]any{"credential": "manged_identity", "client_secret_file": file}, `credential "manged_identity" is not known; did you mean "managed_identity"?`},
		{map[string]any{"credential": "cli"}, `credential "cli" is not known; did you mean "azure_cli"?`},
		{map[string]any{"credential": "kerberos"}, `credential "kerberos" is not known; use default, environment, managed_identity, ` +
			`workload_identity, client_secret, client_certificate or azure_cli`},
		{map[string]any{"tenant_id": "common"}, `tenant_id "common" is neither a GUID nor a domain name; …`},
		{map[string]any{"client_id": "app"}, `client_id "app" is not a GUID; …`},
		{map[string]any{"client_id": nil, "tenant_id": []int{}}, "tenant_id is an array, expected a string; …"},
		{map[string]any{"client_secret_file": file}, `client_secret_file is not used by credential "default"; ` +
			`set credential to "client_secret" or remove client_secret_file`},
		{map[string]any{"client_certificate_file": file, "credential": "azure_cli"}, `client_certificate_file is not used by credential "azure_cli"; ` +
			`set credential to "client_certificate" or remove client_certificate_file`},
		{map[string]any{"credential": "client_certificate", "tenant_id": sub, "client_id": sub}, `client_certificate_file is missing and ` +
			`credential "client_certificate" needs it; use the absolute path of a file with the certificate and its private key`},
	})
}

func TestSecretsAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"client_secret", "secret", "password", "client_secret_value", "access_key", "token", "client_certificate_password",
		"Client-Secret", "my_secret_thing", "db_passwd", "azure_client_secret", "clientSecret",
	} {
		_, err := config.Parse(with(map[string]any{key: "hunter2hunter2"}), nil)
		require.Len(t, err, 1, "%s", err)
		require.ErrorContains(t, err, `plugin_config: "`+key+`" is a secret and must not be in config.toml; `+
			`put it in a file readable only by the runner's user and name it in client_`)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	application := map[string]any{"credential": "client_secret", "tenant_id": sub, "client_id": sub}
	for value, reason := range map[string]string{
		secret: "contains the secret itself", pem: "contains the secret itself", abs("/x") + pem: "contains the secret itself",
		"hunter2": "is not an absolute path", abs("/a\nb"): "is not a path", abs("/") + strings.Repeat("a", 5000): "is not a path",
	} {
		application["client_secret_file"] = value
		_, err := config.Parse(with(application), nil)
		assert.EqualError(t, err, "plugin_config: client_secret_file (value not shown) "+reason+
			"; use the absolute path of a file with the client secret")
	}
	_, err := config.Parse(with(map[string]any{"client_id": secret, secret: 1, "cloud": pem, "name": "/" + secret}), nil)
	require.Len(t, err, 4, "%s", err)
	assert.NotContains(t, err.Error(), "planted")
	assert.NotContains(t, err.Error(), "MIIE")
}

func TestShapeMistakes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                             "it is empty; set at least name, subscription_id and resource_group_name",
		" \n":                          "it is empty; set at least name, subscription_id and resource_group_name",
		"null":                         "it is empty; set at least name, subscription_id and resource_group_name",
		"[1]":                          "found an array, expected a table of options",
		`"` + secret + `"`:             "found a string, expected a table of options",
		`{"name":`:                     "not valid JSON at byte 8: unexpected end of JSON input",
		`{} {}`:                        "not valid JSON at byte 4: invalid character '{' after top-level value",
		"{\"a\":\"\n\"}":               "not valid JSON at byte 7: invalid character '\\n' in string literal",
		strings.Repeat(" ", 70000):     "70000 bytes are too many; keep it under 65536",
		strings.Repeat("[", 20000):     "not valid JSON at byte 10001: invalid character '[' exceeded max depth",
		string(with(nil)[:9]) + "\xff": "not valid JSON at byte 10: unexpected end of JSON input",
	} {
		_, err := config.Parse([]byte(raw), nil)
		assert.EqualError(t, err, "plugin_config: "+want)
	}
	twice := strings.Replace(string(with(nil)), "{", `{"name":"set","name":"`+secret+`",`, 1)
	_, err := config.Parse([]byte(twice), nil)
	require.EqualError(t, err, `plugin_config: key "name" is given more than once; keep one`)
	_, err = config.Parse([]byte(strings.Replace(twice, "name", "NAME", 1)), nil)
	require.ErrorContains(t, err, `unknown key "NAME"; did you mean "name"?`)
	_, err = config.Parse([]byte(strings.Replace(string(with(nil)), `"`+sub+`"`, "null", 1)), nil)
	require.ErrorContains(t, err, "subscription_id is null, expected a string; use a GUID")
}
