package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the reference page")

const referenceHead = `<!-- Generated from the commands themselves; to change it, change them and run: make docs -->

# Commands

GitLab Runner starts the plugin without any of these: they are for people. Besides them there are ¬version¬ and ¬bootstrap¬, which every plugin of fleeting has, and ¬help¬. Each command has ¬--help¬. [Set up, diagnose, look](../guides/set-up-and-diagnose.md) shows them at work.

| exit code | meaning |
|---|---|
| %d | all is well |
| %d | something is wrong, and the report or one line on standard error says what; also after Ctrl-C, but for ¬status --watch¬, which ends so, and ¬advise¬, which gives the best so far |
| %d | the command line is wrong, and nothing was done |

Results go to standard output; errors, questions and progress to standard error. Colours are for terminals only, and off where ¬NO_COLOR¬ is set or ¬TERM¬ is ¬dumb¬. Secrets are never printed.

| command | what it does |
|---|---|
`

// reference is docs/reference/commands.md.
func reference() []byte {
	root := newRootCommand()
	addCompletion(root)
	var b bytes.Buffer
	fmt.Fprintf(&b, strings.ReplaceAll(referenceHead, "¬", "`"), exitOK, exitFailed, exitUsage)
	for _, c := range root.Commands() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", c.Name(), c.Name(), c.Short)
	}
	for _, c := range root.Commands() {
		writeCommand(&b, c)
	}
	return b.Bytes()
}

func writeCommand(b *bytes.Buffer, c *cobra.Command) {
	fmt.Fprintf(b, "\n## `%s`\n", c.Name())
	for paragraph := range strings.SplitSeq(strings.TrimSpace(c.Long), "\n\n") {
		fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(paragraph, "\n", " "))
	}
	example := c.Example
	if c.HasSubCommands() { // completion has a command for each shell
		for _, shell := range c.Commands() {
			example += "  " + shell.CommandPath() + "\n"
		}
	}
	fmt.Fprint(b, "\n")
	for line := range strings.SplitSeq(strings.TrimSpace(example), "\n") {
		fmt.Fprintf(b, "    %s\n", strings.TrimSpace(line))
	}
	if !c.HasLocalFlags() || c.HasSubCommands() {
		return
	}
	fmt.Fprint(b, "\n| flag | value | default | what it is |\n|---|---|---|---|\n")
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(b, "| `--%s` | %s | %s | %s |\n", f.Name, valueOf(f), defaultOf(f), strings.ReplaceAll(f.Usage, "|", `\|`))
	})
}

func valueOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return ""
	case "stringArray":
		return "string, repeated"
	case "stringSlice":
		return "strings, with commas"
	}
	return f.Value.Type()
}

func defaultOf(f *pflag.Flag) string {
	if slices.Contains([]string{"", "false", "[]", "0"}, f.DefValue) {
		return ""
	}
	return "`" + f.DefValue + "`"
}

func TestReference(t *testing.T) {
	t.Setenv("AZURE_SUBSCRIPTION_ID", "") // which is a default
	path := filepath.Join("..", "..", "docs", "reference", "commands.md")
	if *update {
		require.NoError(t, os.WriteFile(path, reference(), 0o644))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(reference()), strings.ReplaceAll(string(committed), "\r\n", "\n"), "run make docs")
}

// TestEachCommandIsDocumented: exit codes, an example that its own flags take, and a text
// for each flag.
func TestEachCommandIsDocumented(t *testing.T) {
	t.Parallel()
	for _, c := range newRootCommand().Commands() {
		assert.Contains(t, c.Long, "Exit codes: 0 ", c.Name())
		assert.NotEmpty(t, c.Example, c.Name())
		for line := range strings.SplitSeq(c.Example, "\n") {
			args := strings.Fields(line)
			args = args[:len(args)-len(redirection(args))]
			root := newRootCommand()
			found, rest, err := root.Find(args[1:])
			require.NoError(t, err, line)
			assert.Equal(t, c.Name(), found.Name(), line)
			require.NoError(t, found.ParseFlags(rest), line)
			assert.NoError(t, found.ValidateArgs(found.Flags().Args()), line)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { assert.NotEmpty(t, f.Usage, f.Name) })
	}
}

// redirection is the end of a line that a shell takes for itself.
func redirection(args []string) []string {
	if n := slices.Index(args, ">"); n >= 0 {
		return args[n:]
	}
	return nil
}
