package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// settings are what a runner's configuration says of the plugin and its scaler.
type settings struct {
	title     string // of the scale set, for people
	plugin    any    // plugin_config
	connector provider.ConnectorConfig
	dial      connector.DialOptions
	ready     string // command that an instance must pass before it gets jobs; empty: none

	capacityPerInstance, maxUseCount, maxInstances int

	schedules []taskscaler.Schedule
}

// settings are those of the configuration that the options name, or of one for the
// simulator's own scale set.
func (o *Options) settings(env map[string]string) (*settings, error) {
	if o.Config != "" {
		return fromConfig(o.Config)
	}
	s := &settings{
		title:  fmt.Sprintf("a %s scale set; at most %d instances, %d kept idle; one job per instance", o.modeName(), o.MaxInstances, o.IdleCount),
		plugin: pluginConfig(env), capacityPerInstance: 1, maxUseCount: 1, maxInstances: o.MaxInstances,
		connector: provider.ConnectorConfig{Timeout: 30 * time.Second}, // no login: the plugin has a key of its own
		schedules: keep(o.IdleCount),
	}
	var err error
	s.connector.ProtocolPort, err = strconv.Atoi(env["ARMSIM_SSH_PORT"])
	return s, err
}

// pluginConfig is what plugin_config in config.toml would be.
func pluginConfig(env map[string]string) map[string]any {
	return map[string]any{
		"name":                env["ARMSIM_SCALE_SET"],
		"subscription_id":     env["AZURE_SUBSCRIPTION_ID"],
		"resource_group_name": env["AZURE_RESOURCE_GROUP"],
		"credential":          "environment",
		"ssh_key_file":        filepath.Join(filepath.Dir(env["ARMSIM_SSH_KEY_FILE"]), "own", "id"), // kept as long as the simulator
		"cloud": map[string]any{
			"authority_host":            env["AZURE_AUTHORITY_HOST"],
			"resource_manager_endpoint": env["ARMSIM_ENDPOINT"],
			"resource_manager_audience": env["ARMSIM_AUDIENCE"],
		},
	}
}

// options set taskscaler up as GitLab Runner does, with shorter intervals.
func (s *settings) options(log hclog.Logger) []taskscaler.Option {
	return []taskscaler.Option{
		taskscaler.WithLogger(log),
		taskscaler.WithCapacityPerInstance(s.capacityPerInstance),
		taskscaler.WithMaxUseCount(s.maxUseCount),
		taskscaler.WithMaxInstances(s.maxInstances),
		taskscaler.WithAcquireDelay(100 * time.Millisecond),
		taskscaler.WithUpdateInterval(time.Second),
		taskscaler.WithUpdateIntervalWhenExpecting(2 * time.Second),
		taskscaler.WithInstanceUpFunc(s.up),
		taskscaler.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: s.connector}),
	}
}

// readyTimeout bounds the command that an instance must pass.
const readyTimeout = time.Minute

// up is what GitLab Runner does with an instance that has come up (instanceReadyUp in its
// executors/internal/autoscaler): it refuses those that were there before it and of which
// it kept no state, as a job may have run there, and those that fail
// instance_ready_command.
func (s *settings) up(_ taskscaler.Taskscaler, i taskscaler.UpFuncInstance) error {
	if i.Cause == fleeting.CausePreexisted && !i.Restored {
		return errors.New("no data on pre-existing instance so removing for safety")
	}
	if s.ready == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	err := connector.Run(ctx, i.Info, connector.ConnectorOptions{RunOptions: connector.RunOptions{Command: s.ready}, DialOptions: s.dial})
	if err != nil {
		return fmt.Errorf("instance_ready_command: %w", err)
	}
	return nil
}

// keep keeps count instances ready, or removes all.
func keep(count int) []taskscaler.Schedule {
	if count == 0 {
		return []taskscaler.Schedule{{IdleTime: time.Nanosecond}}
	}
	return []taskscaler.Schedule{{IdleCount: count, IdleTime: 10 * time.Second}}
}
