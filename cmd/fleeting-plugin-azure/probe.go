package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	plugin "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/probe"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/status"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

// probe tries the scale set of one runner, or of several the first that has room.
func (o *doctorOptions) probe(c *cobra.Command, where doctor.Options) ([]probe.Step, error) {
	configs, err := doctor.Configs(where, o.runner)
	if err != nil {
		return nil, err
	}
	if len(configs) != 1 {
		return nil, fmt.Errorf("--probe is for one runner, and %d use this plugin; fix: --runner NAME", len(configs))
	}
	azure, err := resources(configs[0])
	if err != nil {
		return nil, err
	}
	sets := configs[0].Sets()
	for _, set := range sets {
		if err := o.notManaged(c.Context(), azure, set); err != nil {
			return nil, err
		}
	}
	options, err := probeOptions(where.File, configs[0], o.runner)
	if err != nil {
		return nil, err
	}
	t, done := terminalOf(c), func() {}
	options.Begin = func(title string) {
		done()
		done = t.Spin(title)
	}
	steps, err := probe.Run(c.Context(), options)
	done()
	for _, set := range sets {
		err = errors.Join(err, release(c.Context(), azure, set))
	}
	return steps, err
}

// release takes the name of this process off the scale set, by which the plugin says that
// it manages it: the next probe would respect it. Plugins take an empty one for none.
func release(ctx context.Context, azure *armapi.Resources, cfg config.Config) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	id := cfg.ScaleSetID()
	var set struct {
		Tags map[string]string `json:"tags"`
	}
	if err := azure.Get(ctx, armops.GetScaleSet, id, nil, &set); err != nil {
		return err
	}
	if !strings.Contains(set.Tags[status.LeaseTag], fmt.Sprintf(" process %d since ", os.Getpid())) {
		return nil
	}
	set.Tags[status.LeaseTag] = "" // whether Azure drops tags that a PATCH leaves out is not documented
	return azure.Write(ctx, armops.UpdateScaleSet, id, map[string]any{"tags": set.Tags}, nil)
}

// notManaged refuses a scale set that a plugin manages: that one would take the probe for
// a second manager, and do nothing any more.
func (o *doctorOptions) notManaged(ctx context.Context, azure *armapi.Resources, cfg config.Config) error {
	set, err := status.Read(ctx, azure, cfg)
	if err != nil || set.Manager == "" || o.force {
		return err
	}
	return fmt.Errorf("the scale set is managed by %s, which would stop working if a probe took it over; fix: stop that runner, and run this with --force", set.Manager)
}

// probeOptions are the runner's own settings.
func probeOptions(file *runnerconfig.File, cfg config.Config, name string) (o probe.Options, err error) {
	for n := range file.Runners {
		r := &file.Runners[n]
		if r.Autoscaler == nil || name != "" && r.Name != name || r.Autoscaler.PluginName() != "fleeting-plugin-azure" {
			continue
		}
		c := r.Autoscaler.Connector
		o.Settings.ConnectorConfig = provider.ConnectorConfig{
			OS: c.OS, Protocol: provider.Protocol(c.Protocol), ProtocolPort: c.ProtocolPort, Username: c.Username, Password: c.Password,
			UseStaticCredentials: c.UseStaticCredentials, Timeout: c.Timeout,
		}
		o.External, o.Docker = c.UseExternalAddr, r.Executor == "docker-autoscaler"
		if c.KeyPath != "" {
			if o.Settings.Key, err = os.ReadFile(c.KeyPath); err != nil {
				return o, err
			}
		}
		group := &plugin.InstanceGroup{}
		raw, err := json.Marshal(cfg)
		if err == nil {
			err = group.UnmarshalJSON(raw)
		}
		o.Group = group
		return o, err
	}
	return o, errors.New("no runner")
}

func printSteps(t terminal.Terminal, steps []probe.Step) {
	fmt.Fprintln(t.Out, "probe")
	for _, s := range steps {
		style, mark := terminal.Good, "ok"
		if s.Error != "" {
			style, mark = terminal.Bad, "fault"
		}
		fmt.Fprintf(t.Out, "  %s %-22s %s", t.Paint(style, fmt.Sprintf("%-7s", mark)), s.Title, s.Took.Round(100*time.Millisecond))
		if s.Error != "" {
			fmt.Fprint(t.Out, ": "+s.Error)
		}
		fmt.Fprintln(t.Out)
		if s.Fix != "" {
			fmt.Fprintln(t.Out, t.Paint(terminal.Faint, "          fix: ")+s.Fix)
		}
	}
}
