package load

import (
	"errors"
	"fmt"
	"os"

	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// fromConfig reads the one runner of a config.toml that uses the plugin.
func fromConfig(path string) (*settings, error) {
	file, err := runnerconfig.Read(path)
	if err != nil {
		return nil, err
	}
	var found []*runnerconfig.Autoscaler
	for n := range file.Runners {
		if a := file.Runners[n].Autoscaler; a != nil && a.PluginName() == "fleeting-plugin-azure" {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("read %s: %d runners use this plugin, and the jobs need one", path, len(found))
	}
	s, err := fromAutoscaler(found[0])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	s.title = fmt.Sprintf("scale set %q of %s; at most %d instances, %s", found[0].PluginConfig["name"], path, s.maxInstances, s.uses())
	return s, nil
}

func fromAutoscaler(a *runnerconfig.Autoscaler) (*settings, error) {
	c := a.Connector
	s := &settings{
		plugin: a.PluginConfig, ready: a.InstanceReadyCommand, dial: connector.DialOptions{UseExternalAddr: c.UseExternalAddr},
		capacityPerInstance: a.CapacityPerInstance, maxUseCount: a.MaxUseCount, maxInstances: a.MaxInstances,
		connector: provider.ConnectorConfig{
			OS: c.OS, Protocol: provider.Protocol(c.Protocol), ProtocolPort: c.ProtocolPort, Username: c.Username, Password: c.Password,
			UseStaticCredentials: c.UseStaticCredentials, Timeout: c.Timeout,
		},
	}
	for n := range a.Policies {
		p := &a.Policies[n]
		if p.Preemptive() {
			return nil, errors.New("a policy has preemptive_mode on, and these jobs do not wait for an idle instance before they are taken; fix: preemptive_mode = false")
		}
		s.schedules = append(s.schedules, scheduleOf(p))
	}
	if c.KeyPath == "" {
		return s, nil
	}
	var err error
	s.connector.Key, err = os.ReadFile(c.KeyPath)
	return s, err
}

// uses is how many jobs an instance gets, for people.
func (s *settings) uses() string {
	if s.maxUseCount == 0 {
		return "used for any number of jobs"
	}
	return fmt.Sprintf("used for %d jobs each", s.maxUseCount)
}

func scheduleOf(p *runnerconfig.Policy) taskscaler.Schedule {
	s := taskscaler.Schedule{
		Periods: p.Periods, Timezone: p.Timezone, IdleCount: p.IdleCount, ScaleFactor: p.ScaleFactor, ScaleFactorLimit: p.ScaleFactorLimit,
	}
	if p.IdleTime != nil {
		s.IdleTime = *p.IdleTime
	}
	return s
}
