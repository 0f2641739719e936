package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/migrate"
)

type migrateOptions struct {
	environment    string
	tenant         string
	out            string
	environmentOut string
	output         string
	force          bool
}

func newMigrateCommand() *cobra.Command {
	var o migrateOptions
	c := &cobra.Command{
		Use:   "migrate config.toml",
		Short: "Turn a docker+machine configuration into one for this plugin",
		Long: `Turn a GitLab Runner configuration with executor docker+machine and docker-machine's
azure driver into one with docker-autoscaler and this plugin. It prints what becomes of
each option, the new configuration, and the command that makes the scale set. It
changes nothing on Azure, and no file but those named by --out and --environment-out.

Exit codes: 0 done; 1 something needs a decision, or the input cannot be migrated;
2 the command line is wrong.`,
		Example: `  fleeting-plugin-azure migrate /etc/gitlab-runner/config.toml
  fleeting-plugin-azure migrate config.toml --environment machine.env --out new.toml --environment-out azure.env`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"toml"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(c *cobra.Command, args []string) error {
			if o.output != "text" && o.output != "json" {
				return fmt.Errorf("--output is text or json, not %q", o.output)
			}
			if o.environmentOut != "" && (o.environmentOut == o.out || o.environmentOut == args[0]) {
				return fmt.Errorf("--environment-out needs a file of its own, not %s", o.environmentOut)
			}
			return o.run(c.OutOrStdout(), args[0])
		},
	}
	f := c.Flags()
	f.StringVar(&o.environment, "environment", "", "file with the AZURE_* variables of docker-machine")
	f.StringVar(&o.tenant, "tenant", "", "Entra ID tenant, where the files have none; docker-machine found it out by itself")
	f.StringVar(&o.out, "out", "", "write the new configuration into this file")
	f.StringVar(&o.environmentOut, "environment-out", "", "write the client secret into this file, for the environment of the runner's service")
	f.StringVar(&o.output, "output", "text", "text or json")
	f.BoolVar(&o.force, "force", false, "overwrite files that exist")
	return c
}

func (o migrateOptions) run(w io.Writer, path string) error {
	in := migrate.Input{Tenant: o.tenant}
	var err error
	if in.Config, err = readInput(path); err != nil {
		return failed(err)
	}
	if o.environment != "" {
		if in.Environment, err = readInput(o.environment); err != nil {
			return failed(err)
		}
	}
	result, err := migrate.Run(in)
	if err != nil {
		return failed(fmt.Errorf("%s: %w", path, err))
	}
	if err := o.writeFiles(result, path); err != nil {
		return failed(err)
	}
	if err := o.print(w, result); err != nil {
		return failed(err)
	}
	if result.Decisions() > 0 {
		return failed(nil)
	}
	return nil
}

// readInput reads a file; the error is short and says what to do.
func readInput(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s; name the file to read", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s cannot be read: permission denied; run this as the user who may read it", path)
	}
	return nil, fmt.Errorf("%s cannot be read; name a file: %w", path, err)
}

// writeFiles writes both files or, if one of them must not be overwritten, neither.
func (o migrateOptions) writeFiles(result *migrate.Result, config string) error {
	for _, path := range []string{o.out, o.environmentOut} {
		if path == "" || o.force {
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists; name another file, or give --force to overwrite it", path)
		}
	}
	if o.environmentOut != "" && len(result.Environment) > 0 {
		if err := writeFile(o.environmentOut, result.Environment, 0o600); err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	return writeFile(o.out, []byte(result.Config), o.mode(config))
}

// others are the permissions of everybody but the owner and the group.
const others fs.FileMode = 0o007

// mode is that of the file that is replaced, or else of the old configuration, without
// what it lets others do: the runner's token is in it.
func (o migrateOptions) mode(config string) fs.FileMode {
	for _, path := range []string{o.out, config} {
		if info, err := os.Stat(path); err == nil {
			return info.Mode().Perm() &^ others
		}
	}
	return 0o600
}

func (o migrateOptions) print(w io.Writer, result *migrate.Result) error {
	if o.output == "json" {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(result)
	}
	if err := result.WriteNotes(w); err != nil {
		return err
	}
	text := "New configuration:\n\n" + result.Config + "\n"
	if o.out != "" {
		text = "# The new configuration is in " + o.out + ".\n"
	}
	switch {
	case len(result.Environment) == 0 && o.environmentOut != "":
		text += "# There is no client secret; " + o.environmentOut + " was not written.\n"
	case len(result.Environment) > 0 && o.environmentOut != "":
		text += "# The client secret is in " + o.environmentOut + ", for the environment of the runner's service.\n"
	case len(result.Environment) > 0:
		text += "# The client secret is not shown; --environment-out FILE writes it for the runner's service.\n"
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return result.WriteCommands(w)
}
