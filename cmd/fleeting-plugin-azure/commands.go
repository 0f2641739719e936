package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

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
	root.AddCommand(newSetupCommand(), newTeardownCommand(), newDoctorCommand(), newStatusCommand(), newMigrateCommand(), newAdviseCommand())
	for _, c := range root.Commands() {
		completeFlags(c)
	}
	return root
}

// addCompletion adds cobra's command of that name, which keeps the root's output of this
// moment. By itself cobra would do so later, and that command takes any argument for none.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.RunE = func(*cobra.Command, []string) error { return errors.New("name a shell: bash, zsh, fish or powershell") }
	}
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
		return true // these are added where they run
	}
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
}

// misspelt is the error of a person who mistyped a command; nil: it is none like ours, or
// the runner started this process.
func misspelt(args []string) error {
	if len(args) == 0 || os.Getenv(cookieVariable) != "" {
		return nil
	}
	root := newRootCommand()
	root.SuggestionsMinimumDistance = 2
	like := root.SuggestionsFor(args[0])
	if len(like) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q; did you mean %s?", args[0], strings.Join(like, " or "))
}

func execute(root *cobra.Command, args []string) int {
	addCompletion(root)
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
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
