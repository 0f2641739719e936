package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/status"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

type setupOptions struct {
	azureFlags
	outputFlag
	priceFlags
	spec      setup.Spec
	runner    setup.Runner
	key       *sshKey
	cloudInit string
	dryRun    bool
	role      bool
}

func newSetupCommand() *cobra.Command {
	var o setupOptions
	c := &cobra.Command{
		Use:   "setup",
		Short: "Make at Azure what a runner needs, and print its configuration",
		Long: `Make a resource group, a network that nothing reaches from the internet, a scale set
without instances, and a role with least permissions for an identity, and print the
[[runners]] section for config.toml. Run again, it changes only what differs; broken off,
it goes on. It never touches what it did not make.

Exit codes: 0 done, or nothing to do; 1 something is in the way; 2 the command line is
wrong.`,
		Example: `  fleeting-plugin-azure setup --name ci --subscription ID --location westeurope --identity ci-runner --dry-run
  fleeting-plugin-azure setup --name ci --subscription ID --role-definition > role.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.azureFlags.add(c)
	o.outputFlag.add(c)
	o.priceFlags.add(c)
	o.addSpec(c)
	return c
}

func (o *setupOptions) addSpec(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.spec.Location, "location", "", "region, as westeurope")
	f.StringVar(&o.spec.Mode, "mode", "", "Uniform or Flexible; default: Uniform, or Flexible for several sizes")
	f.StringArrayVar(&o.spec.Sizes, "size", nil, "VM size; several make an instance mix, in order of preference (default "+setup.DefaultSize+")")
	f.StringSliceVar(&o.spec.Zones, "zones", nil, "availability zones, as 1,2,3")
	f.BoolVar(&o.spec.Spot, "spot", false, "Spot instances: cheaper, and Azure may take them away at any time")
	f.IntVar(&o.spec.Regular, "regular", 0, "regular instances that are kept beside Spot ones")
	f.BoolVar(&o.spec.Ephemeral, "ephemeral", false, "OS disk on the host: faster, and without cost of its own")
	f.StringVar(&o.spec.Image, "image", setup.DefaultImage, "URN, alias as Ubuntu2404, or ID of a gallery, community gallery or managed image")
	f.StringVar(&o.spec.User, "ssh-user", setup.DefaultUser, "user that the runner logs in as")
	f.StringVar(&o.runner.Key, "ssh-key", "", "private key that the runner logs in with; made if it does not exist (default: the plugin's own, which needs no key_path)")
	f.StringVar(&o.cloudInit, "cloud-init", "", "file for cloud-init, or none; default: it installs Docker")
	f.StringVar(&o.spec.SubnetID, "subnet", "", "ID of an existing subnet; default: a network is made")
	f.StringVar(&o.spec.Cidr, "network", "", "addresses of the network that is made (default 10.40.0.0/16)")
	f.StringVar(&o.spec.Identity, "identity", "", "name of a managed identity to make for the runner's machine")
	f.StringVar(&o.spec.Principal, "principal", "", "object ID of an identity that is there, to get the role")
	f.IntVar(&o.runner.Max, "max", 10, "max_instances in the configuration that is printed")
	f.StringVar(&o.runner.Executor, "executor", "docker-autoscaler", "docker-autoscaler or instance")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, and do nothing")
	f.BoolVar(&o.role, "role-definition", false, "print the role as JSON, and do nothing")
}

// complete makes a whole Spec of the flags. The error is one of usage.
func (o *setupOptions) complete() (err error) {
	if err := o.priceFlags.check(); err != nil {
		return err
	}
	if o.runner.Max < 1 {
		return fmt.Errorf("--max must be 1 or more, not %d", o.runner.Max)
	}
	if o.runner.Executor != "docker-autoscaler" && o.runner.Executor != "instance" {
		return fmt.Errorf("--executor is docker-autoscaler or instance, not %q", o.runner.Executor)
	}
	if o.cloudInit == "none" {
		o.spec.CloudInit = "-"
	} else if o.cloudInit != "" {
		text, err := os.ReadFile(o.cloudInit)
		if err != nil {
			return fmt.Errorf("--cloud-init: %w", err)
		}
		o.spec.CloudInit = string(text)
	}
	o.spec.Subscription, o.spec.Group, o.spec.Name = o.subscription, o.group, o.name
	if o.key, err = readKey(cmp.Or(o.runner.Key, o.ownKeyFile())); err != nil {
		return err
	}
	if o.spec.PublicKey = o.key.pair.Public; o.runner.Key == "" {
		host, _ := os.Hostname() // without one the comment is shorter
		o.spec.PublicKey = o.key.pair.Line(host)
	}
	if o.role {
		o.spec.Location = cmp.Or(o.spec.Location, "-") // a role has none
	}
	o.spec, err = o.spec.Complete()
	return err
}

// ownKeyFile is where the plugin looks for its own key, if it runs on this machine and as
// this user. Elsewhere it makes another, and adds that to the model.
func (o *setupOptions) ownKeyFile() string {
	cfg := config.Config{SubscriptionID: o.subscription, ResourceGroupName: cmp.Or(o.group, o.name), Name: o.name}
	return sshkeys.DefaultFile(cfg.ScaleSetID(), os.Getenv)
}

func (o *setupOptions) run(c *cobra.Command) error {
	if err := o.complete(); err != nil {
		return err
	}
	if o.role {
		return writeJSON(c, o.spec.RoleDefinition())
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	azure, err := resources(cfg)
	if err != nil {
		return failed(err)
	}
	o.runner.Cloud = cfg.Cloud
	t := terminalOf(c)
	s := &setup.Setup{Spec: o.spec, Azure: azure}
	done := t.Spin("comparing with what is there")
	plan, err := s.Plan(c.Context())
	done()
	if err != nil {
		return interrupted(c.Context(), err, "nothing was changed")
	}
	if err := o.showPlan(c, t, plan); err != nil || o.dryRun {
		return err
	}
	if err := o.key.save(); err != nil {
		return failed(err)
	}
	if err := apply(c.Context(), t, s, plan); err != nil {
		return err
	}
	return o.showBlock(c.Context(), t, s)
}

// showBlock prints the runner's configuration.
func (o *setupOptions) showBlock(ctx context.Context, t terminal.Terminal, s *setup.Setup) (err error) {
	if o.json() {
		return nil
	}
	if o.runner.ClientID, err = s.ClientID(ctx); err != nil {
		return failed(err)
	}
	fmt.Fprintf(t.Out, "\n%s", o.spec.Block(o.runner))
	return nil
}

// showPlan prints a plan. The error is what is in its way.
func (o *setupOptions) showPlan(c *cobra.Command, t terminal.Terminal, plan *setup.Plan) error {
	var err error
	if o.json() {
		err = writeJSON(c, plan)
	} else {
		printPlan(t, plan)
		o.printPrice(c.Context(), t)
	}
	if err = errors.Join(err, plan.Err()); err != nil {
		return failed(err)
	}
	return nil
}

// printPrice shows what one instance costs, and all that the runner may have.
func (o *setupOptions) printPrice(ctx context.Context, t terminal.Terminal) {
	one := []status.Instance{{Size: o.spec.Sizes[0], Spot: o.spec.Spot}}
	if price := o.priceFlags.of(ctx, o.spec.Location, false, one); price != nil {
		fmt.Fprintf(t.Out, "an instance costs %s; %d at once %.2f; none while there are no jobs, beside the NAT gateway and its address\n", price, o.runner.Max, price.Hourly*float64(o.runner.Max))
	}
}

func apply(ctx context.Context, t terminal.Terminal, s *setup.Setup, plan *setup.Plan) error {
	done := func() {}
	s.Progress = func(title string) {
		done()
		fmt.Fprintln(t.Err, title)
		done = t.Spin(title)
	}
	err := s.Apply(ctx, plan)
	done()
	return interrupted(ctx, err, "run setup again to go on from there")
}

var marks = map[setup.Action]string{setup.Create: "+", setup.Change: "~", setup.Keep: "=", setup.Remove: "-", setup.Foreign: "!"}

var planStyles = map[setup.Action]terminal.Style{setup.Create: terminal.Good, setup.Change: terminal.Doubtful, setup.Remove: terminal.Bad, setup.Foreign: terminal.Bad, setup.Keep: terminal.Faint}

// printPlan shows a plan as a diff.
func printPlan(t terminal.Terminal, p *setup.Plan) {
	for _, i := range p.Items {
		fmt.Fprintln(t.Out, t.Paint(planStyles[i.Action], marks[i.Action]+" "+i.Title))
		for _, d := range i.Differences {
			if i.Action == setup.Change {
				fmt.Fprintf(t.Out, "    %s: %v -> %v\n", d.Path, show(d.From), show(d.To))
			}
		}
	}
	for _, note := range p.Notes {
		fmt.Fprintln(t.Out, "note: "+note)
	}
	if !p.Changes() {
		fmt.Fprintln(t.Out, "nothing to do")
	}
}

func show(value any) string {
	if value == nil {
		return "nothing"
	}
	text := fmt.Sprint(value)
	if len(text) > 80 {
		text = strings.TrimSpace(text[:77]) + "…"
	}
	return text
}
