package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// Beside names a file next to this program, where the Makefile puts the others.
func Beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}

// StartPlugin starts the plugin's binary for the scale set of a simulator, whose
// environment is env; the process inherits ours.
func StartPlugin(binary string, env map[string]string, log hclog.Logger) (*fleeting.Runner, error) {
	config, err := json.Marshal(pluginConfig(env))
	if err != nil {
		return nil, err
	}
	runner, err := fleeting.RunPlugin(binary, config, fleeting.WithPluginLogger(log))
	if err != nil {
		return nil, fmt.Errorf("start plugin: %w", err)
	}
	return runner, nil
}

// pluginConfig is what plugin_config in config.toml would be.
func pluginConfig(env map[string]string) map[string]any {
	return map[string]any{
		"name":                env["ARMSIM_SCALE_SET"],
		"subscription_id":     env["AZURE_SUBSCRIPTION_ID"],
		"resource_group_name": env["AZURE_RESOURCE_GROUP"],
		"credential":          "environment",
		"cloud": map[string]any{
			"authority_host":            env["AZURE_AUTHORITY_HOST"],
			"resource_manager_endpoint": env["ARMSIM_ENDPOINT"],
			"resource_manager_audience": env["ARMSIM_AUDIENCE"],
		},
	}
}

// ScalerOptions set taskscaler up as GitLab Runner does for
// capacity_per_instance = 1 and max_use_count = 1, in more of a hurry.
func ScalerOptions(env map[string]string, log hclog.Logger, maxInstances int) ([]taskscaler.Option, error) {
	key, err := os.ReadFile(env["ARMSIM_SSH_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(env["ARMSIM_SSH_PORT"])
	if err != nil {
		return nil, err
	}
	return []taskscaler.Option{
		taskscaler.WithLogger(log),
		taskscaler.WithCapacityPerInstance(1),
		taskscaler.WithMaxUseCount(1),
		taskscaler.WithMaxInstances(maxInstances),
		taskscaler.WithAcquireDelay(100 * time.Millisecond),
		taskscaler.WithUpdateInterval(time.Second),
		taskscaler.WithUpdateIntervalWhenExpecting(2 * time.Second),
		taskscaler.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: provider.ConnectorConfig{
			Key: key, UseStaticCredentials: true, Username: "azureuser", ProtocolPort: port, Timeout: 30 * time.Second,
		}}),
	}, nil
}
