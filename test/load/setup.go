package load

import (
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

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

// scalerOptions set taskscaler up as GitLab Runner does for
// capacity_per_instance = 1 and max_use_count = 1, with shorter intervals.
func scalerOptions(env map[string]string, log hclog.Logger, maxInstances int) ([]taskscaler.Option, error) {
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
		taskscaler.WithInstanceUpFunc(refusePreexisting),
		taskscaler.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: provider.ConnectorConfig{
			Key: key, UseStaticCredentials: true, Username: "azureuser", ProtocolPort: port, Timeout: 30 * time.Second,
		}}),
	}, nil
}

// refusePreexisting is what GitLab Runner does with instances that were there
// before it and of which it kept no state: a job may have run there.
func refusePreexisting(_ taskscaler.Taskscaler, i taskscaler.UpFuncInstance) error {
	if i.Cause == fleeting.CausePreexisted && !i.Restored {
		return errors.New("no data on pre-existing instance so removing for safety")
	}
	return nil
}

// schedule keeps count instances ready, or removes all.
func schedule(count int) taskscaler.Schedule {
	if count == 0 {
		return taskscaler.Schedule{IdleTime: time.Nanosecond}
	}
	return taskscaler.Schedule{IdleCount: count, IdleTime: 10 * time.Second}
}
