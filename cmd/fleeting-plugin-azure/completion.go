package main

import (
	"regexp"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// fileFlags name files, which a shell completes by itself.
var fileFlags = []string{"config", "client-secret-file", "ssh-key", "cloud-init", "environment", "environment-out", "out", "jobs", "report", "token-file", "boot-from"}

// completeFlags has a shell offer the values that a flag takes, and files for those flags
// alone that name one.
func completeFlags(c *cobra.Command) {
	values := map[string][]cobra.Completion{
		"credential": choices("credential"), "cloud": choices("cloud"),
		"output": {"text", "json"}, "mode": {"Uniform", "Flexible"}, "executor": {"docker-autoscaler", "instance"},
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(fileFlags, f.Name) {
			return
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values[f.Name], cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	})
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
}

var firstSentence = regexp.MustCompile(`^[^.]*`)

// choices are the values of an option of plugin_config.
func choices(key string) (all []cobra.Completion) {
	for _, o := range config.Options() {
		if o.Key != key {
			continue
		}
		for _, choice := range o.Choices {
			all = append(all, cobra.CompletionWithDesc(choice.Value, firstSentence.FindString(choice.Doc)))
		}
	}
	return all
}
