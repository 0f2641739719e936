package launch

import (
	"strings"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	// Patience is far longer than anything here takes, on a busy machine as well.
	Patience = 2 * time.Minute
	Tick     = 100 * time.Millisecond

	// InitLimit is under the runner's minute with room for the first Update.
	InitLimit = 25 * time.Second
)

// What principals of a simulator are given besides its default client ID.
const (
	ClientSecret  = "Xy18Q~armsim.armsim.armsim.armsim.armsi" // as Entra ID makes them
	OtherClientID = "00000000-0000-4000-8000-0000000000dd"
)

// Environment is what a process finds in its environment.
type Environment map[string]string

// EnvironmentOf is what a client of the simulator needs.
func EnvironmentOf(s *armsim.Server) Environment {
	env := Environment{}
	for _, variable := range s.Env() {
		key, value, _ := strings.Cut(variable, "=")
		env[key] = value
	}
	return env
}

// PluginConfig is a plugin_config as a user writes it.
type PluginConfig map[string]any

// ConfigFor is the plugin_config for a scale set of a simulator.
func ConfigFor(s *armsim.Server, name string) PluginConfig {
	env := EnvironmentOf(s)
	return PluginConfig{
		"name": name, "subscription_id": env["AZURE_SUBSCRIPTION_ID"], "resource_group_name": env["AZURE_RESOURCE_GROUP"],
		"credential": "environment",
		"cloud": PluginConfig{
			"authority_host": env["AZURE_AUTHORITY_HOST"], "resource_manager_endpoint": s.Endpoint, "resource_manager_audience": s.Audience,
		},
	}
}

// Login is a connector_config that Init accepts.
func Login() provider.Settings {
	return provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true, Timeout: Patience, Keepalive: time.Second,
	}}
}
