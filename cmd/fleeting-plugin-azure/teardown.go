package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

type teardownOptions struct {
	azureFlags
	outputFlag
	yes bool
}

func newTeardownCommand() *cobra.Command {
	var o teardownOptions
	c := &cobra.Command{
		Use:   "teardown",
		Short: "Remove what setup made, and nothing else",
		Long: `Show what setup made for a scale set, and remove it after a confirmation: the scale set
with its instances, the network, the role and its assignments, the identity, and the
resource group, if setup made that and nothing else is left in it.

Exit codes: 0 done, or nothing to do; 1 something is in the way, or not confirmed; 2 the
command line is wrong.`,
		Example: "  fleeting-plugin-azure teardown --name ci --subscription ID",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.azureFlags.add(c)
	o.outputFlag.add(c)
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return c
}

func (o *teardownOptions) run(c *cobra.Command) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	azure, err := resources(cfg)
	if err != nil {
		return failed(err)
	}
	t := terminalOf(c)
	s := &setup.Setup{Azure: azure, Spec: setup.Spec{Subscription: cfg.SubscriptionID, Group: cfg.ResourceGroupName, Name: cfg.Name}}
	done := t.Spin("looking for what setup made")
	plan, err := s.PlanTeardown(c.Context())
	done()
	if err != nil {
		return interrupted(c.Context(), err, "nothing was removed")
	}
	if err := o.showPlan(c, t, plan); err != nil || len(plan.Items) == 0 {
		return err
	}
	if err := o.confirm(c); err != nil {
		return err
	}
	s.Progress = func(title string) { fmt.Fprintln(t.Err, "removing "+title) }
	return interrupted(c.Context(), s.Teardown(c.Context(), plan), "run teardown again to go on from there")
}

func (o *teardownOptions) showPlan(c *cobra.Command, t terminal.Terminal, plan *setup.Plan) error {
	if o.json() {
		return writeJSON(c, plan)
	}
	printPlan(t, plan)
	return nil
}

func (o *teardownOptions) confirm(c *cobra.Command) error {
	if o.yes {
		return nil
	}
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) { //nolint:gosec // a file descriptor fits
		return errors.New("nobody is there to confirm; fix: --yes")
	}
	fmt.Fprintf(c.ErrOrStderr(), "Remove all of that? Type the scale set's name, %s: ", o.name)
	line, _ := bufio.NewReader(in).ReadString('\n')
	if strings.TrimSpace(line) != o.name {
		return failed(errors.New("not confirmed; nothing was removed"))
	}
	return nil
}
