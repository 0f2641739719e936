package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/status"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

type statusOptions struct {
	azureFlags
	outputFlag
	priceFlags
	config, runner string
	watch          bool
	every          time.Duration
}

func newStatusCommand() *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Show scale sets and their instances",
		Long: `Show the scale sets of a GitLab Runner configuration, or one by its name: each instance
with its state, age, zone, size and address, the capacity, and who manages it.

Exit codes: 0 shown; 1 it cannot be read; 2 the command line is wrong.`,
		Example: "  fleeting-plugin-azure status --watch\n  fleeting-plugin-azure status --name ci --subscription ID --resource-group ci",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.azureFlags.add(c)
	o.outputFlag.add(c)
	o.priceFlags.add(c)
	f := c.Flags()
	f.StringVar(&o.config, "config", defaultConfig, "configuration of GitLab Runner, where --name is not given")
	f.StringVar(&o.runner, "runner", "", "name of one runner of it")
	f.BoolVar(&o.watch, "watch", false, "show it again and again")
	f.DurationVar(&o.every, "every", 30*time.Second, "how often --watch reads; each time costs what an update of the plugin does")
	return c
}

func (o *statusOptions) run(c *cobra.Command) error {
	if o.watch && o.every < 5*time.Second {
		return errors.New("--every must be 5s or more: Azure limits how often a scale set may be read")
	}
	if err := o.priceFlags.check(); err != nil {
		return err
	}
	configs, err := o.configs()
	if err != nil {
		return err
	}
	t := terminalOf(c)
	if err := o.once(c, t, configs); err != nil || !o.watch {
		return o.ended(c.Context(), err)
	}
	for {
		select {
		case <-c.Context().Done():
			return nil
		case <-time.After(o.every):
		}
		if !o.json() && !t.Clear() {
			fmt.Fprintln(t.Out)
		}
		if err := o.once(c, t, configs); err != nil && c.Context().Err() == nil {
			fmt.Fprintf(t.Err, "%s: %v; it is read again in %s\n", c.CommandPath(), err, o.every)
		}
	}
}

// ended is the error at the end; Ctrl-C is how a watch ends.
func (o *statusOptions) ended(ctx context.Context, err error) error {
	if o.watch && ctx.Err() != nil {
		return nil
	}
	return interrupted(ctx, err, "")
}

func (o *statusOptions) once(c *cobra.Command, t terminal.Terminal, configs []config.Config) error {
	sets, err := readAll(c.Context(), t, configs)
	if err != nil {
		return err
	}
	return o.show(c, t, sets)
}

// configs are those of the scale sets to show.
func (o *statusOptions) configs() ([]config.Config, error) {
	if o.name != "" {
		cfg, err := o.azureFlags.config()
		return []config.Config{cfg}, err
	}
	file, err := runnerconfig.Read(o.config)
	if err != nil {
		return nil, failed(err)
	}
	configs, err := doctor.Configs(doctor.Options{File: file, Getenv: os.Getenv}, o.runner)
	if err != nil {
		return nil, failed(err)
	}
	var sets []config.Config
	for _, cfg := range configs {
		sets = append(sets, cfg.Sets()...)
	}
	return sets, nil
}

func readAll(ctx context.Context, t terminal.Terminal, configs []config.Config) (sets []shownSet, err error) {
	defer t.Spin("reading")()
	for _, cfg := range configs {
		azure, err := resources(cfg)
		if err != nil {
			return nil, err
		}
		set, err := status.Read(ctx, azure, cfg)
		if err != nil {
			return nil, err
		}
		s := shownSet{Set: set}
		s.readStarts(ctx, cfg)
		sets = append(sets, s)
	}
	return sets, nil
}

func (o *statusOptions) show(c *cobra.Command, t terminal.Terminal, sets []shownSet) error {
	for n, s := range sets {
		sets[n].Cost = o.priceFlags.of(c.Context(), s.Location, s.Windows, s.Running())
	}
	if o.json() {
		return writeJSON(c, sets)
	}
	for _, s := range sets {
		printSet(t, s)
	}
	return nil
}

// shownSet is a scale set with what it costs, and what its warm pool has served.
type shownSet struct {
	*status.Set
	Cost   *cost           `json:"cost,omitempty"`
	Starts *metrics.Starts `json:"starts,omitempty"`

	unknown error // why Starts is not there though there is a warm pool
}

// readStarts asks the plugin that runs what the pool has served: nothing at Azure says so.
func (s *shownSet) readStarts(ctx context.Context, cfg config.Config) {
	if cfg.WarmPoolSize.Int() == 0 || cfg.MetricsListen == "" {
		return
	}
	starts, err := metrics.Read(ctx, cfg.MetricsListen.Address(), metrics.Identity{ResourceGroup: cfg.ResourceGroupName, ScaleSet: cfg.Name})
	if err != nil {
		s.unknown = err
		return
	}
	s.Starts = &starts
}

func printStarts(t terminal.Terminal, s shownSet) {
	switch {
	case s.unknown != nil:
		fmt.Fprintf(t.Out, "what the warm pool has served is not known: %v\n", s.unknown)
	case s.Starts != nil && s.Starts.Took > 0 && s.Starts.Created > 0:
		fmt.Fprintf(t.Out, "the warm pool has served %d starts, in %s on average; a new instance takes %s\n", s.Starts.Warm, s.Starts.Took.Round(time.Second), s.Starts.Created.Round(time.Second))
	case s.Starts != nil:
		fmt.Fprintf(t.Out, "the warm pool has served %d starts\n", s.Starts.Warm)
	}
}

func printSet(t terminal.Terminal, s shownSet) {
	fmt.Fprintf(t.Out, "%s in %s, %s, %s, %s: capacity %d, %d instances\n", s.Name, s.Group, s.Location, s.Mode, s.State, s.Capacity, len(s.Instances))
	if s.Manager != "" {
		fmt.Fprintln(t.Out, "managed by "+s.Manager)
	}
	if s.Cost != nil {
		fmt.Fprintf(t.Out, "%d instances are paid for: %s\n", len(s.Running()), s.Cost)
	}
	if s.Quota != nil {
		fmt.Fprintf(t.Out, "quota %s: %d of %d vCPUs are used\n", s.Quota.Name, s.Quota.Used, s.Quota.Limit)
	}
	if asleep, warm := s.Kept("suspended"), s.Kept("warm"); asleep+warm > 0 {
		fmt.Fprintf(t.Out, "%d instances are suspended, %d are in the warm pool: their disks are paid for\n", asleep, warm)
	}
	printStarts(t, s)
	if s.Standby > 0 {
		fmt.Fprintf(t.Out, "and %d members of a standby pool\n", s.Standby)
	}
	if len(s.Instances) == 0 {
		return
	}
	w := table.NewWriter()
	w.SetOutputMirror(t.Out)
	w.SetStyle(table.StyleLight)
	w.AppendHeader(table.Row{"instance", "state", "power", "age", "zone", "size", "priority", "address", "model", "error"})
	for _, i := range s.Instances {
		w.AppendRow(table.Row{i.Name, i.State, t.Paint(powerStyle(i), i.Power), age(i.Created), i.Zone, i.Size, priority(i), i.Address, latest(i), i.Error})
	}
	w.Render()
}

func powerStyle(i status.Instance) terminal.Style {
	switch {
	case strings.EqualFold(i.State, "Failed"):
		return terminal.Bad
	case i.Power == "running":
		return terminal.Good
	}
	return terminal.Doubtful
}

func age(created time.Time) string {
	if created.IsZero() {
		return ""
	}
	return time.Since(created).Round(time.Second).String()
}

func priority(i status.Instance) string {
	if i.Spot {
		return "Spot"
	}
	return "Regular"
}

func latest(i status.Instance) string {
	switch {
	case i.Latest == nil:
		return ""
	case *i.Latest:
		return "latest"
	}
	return "older"
}
