package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/spf13/cobra"
)

// Exit codes of commands. Cobra's own errors are about the command line.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// exitError is an error of a command that ran, as opposed to one of its usage.
type exitError struct {
	code int
	err  error // nil: everything has been said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed makes the error of a command that ran.
func failed(err error) error { return &exitError{exitFailed, err} }

// newRootCommand holds the commands for people. What the runner calls is not among
// them: plugin.Main of fleeting does that.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "fleeting-plugin-azure",
		Short:         "Scale an Azure Virtual Machine Scale Set for GitLab Runner",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newSetupCommand(), newTeardownCommand(), newDoctorCommand(), newStatusCommand(), newMigrateCommand())
	return root
}

// runCommand runs one of our commands. Anything else is not handled.
func runCommand(args []string) (code int, handled bool) {
	root := newRootCommand()
	if len(args) == 0 || !hasCommand(root, args[0]) {
		return exitOK, false
	}
	return execute(root, args), true
}

func hasCommand(root *cobra.Command, name string) bool {
	switch name {
	case "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return true // cobra adds these while it runs
	}
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
}

func execute(root *cobra.Command, args []string) int {
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	switch {
	case !errors.As(err, &exit):
		fmt.Fprintf(root.ErrOrStderr(), "%s: %v; see %s --help\n", command.CommandPath(), err, command.CommandPath())
		return exitUsage
	case exit.err != nil:
		fmt.Fprintf(root.ErrOrStderr(), "%s: %v\n", command.CommandPath(), exit.err)
	}
	return exit.code
}
