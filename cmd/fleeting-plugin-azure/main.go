// Command fleeting-plugin-azure is the plugin binary that GitLab Runner starts.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/plugin"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/lifeline"
)

const usage = `fleeting-plugin-azure scales an Azure Virtual Machine Scale Set for GitLab Runner.

GitLab Runner starts it; there is nothing to start by hand. In config.toml:

  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    [runners.autoscaler.plugin_config]
      name                = "my-scale-set"
      subscription_id     = "…"
      resource_group_name = "my-group"

Commands:
  setup       make at Azure what a runner needs, and print its configuration
  teardown    remove what setup made, and nothing else
  doctor      find out why a runner does not get its instances
  status      show scale sets and their instances
  advise      find the idle policy that suits your jobs: waiting against cost
  migrate     turn a docker+machine configuration into one for this plugin
  completion  print completions for a shell
  version     show the version (also --version)
  bootstrap   install this binary into the runner's plugin directory
  help        show this text

Each command has --help.
`

func main() {
	sim.Child()
	if code, handled := runCommand(os.Args[1:]); handled {
		os.Exit(code)
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "help", "-h", "-help", "--help":
			fmt.Print(usage)
			return
		}
	}
	if err := misspelt(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "fleeting-plugin-azure: %v\n", err)
		os.Exit(exitUsage)
	}
	group := &azure.InstanceGroup{}
	if !serves(os.Args[1:]) {
		plugin.Main(group, azure.Version())
		return
	}
	end := ender(group, ownSocketDir())
	lifeline.Watch(context.Background(), lifeline.Options{}, end)
	plugin.Main(group, azure.Version())
	end("the runner asked it to") // go-plugin does not wait for calls under way
}

// serves reports whether plugin.Main serves, rather than runs a command and returns.
// It reads the command line as plugin.Main does.
func serves(args []string) bool {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	version := flags.Bool("version", false, "")
	if err := flags.Parse(args); err != nil || *version {
		return false
	}
	return flags.Arg(0) != "version" && flags.Arg(0) != "bootstrap"
}

const (
	// writeGrace is how long a write under way may take to finish. Azure
	// answers most within a second or two.
	writeGrace = 10 * time.Second

	// exitLimit ends the process whatever else happens: a runner that hangs
	// without reading the log would keep the last line waiting.
	exitLimit = writeGrace + 2*time.Second
)

// ender returns what ends the process, giving the write under way its time, and
// calling cleanUp. Whoever calls it second waits for the end, too.
func ender(group provider.InstanceGroup, cleanUp func()) func(reason string) {
	// As plugin.Serve makes its own, and before it puts a pipe in the place of
	// os.Stderr, which nobody reads once the runner is gone.
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: os.Stderr, JSONFormat: true})
	var once sync.Once
	return func(reason string) {
		once.Do(func() {
			exit := func(code int) {
				cleanUp()
				os.Exit(code)
			}
			time.AfterFunc(exitLimit, func() { exit(1) })
			ctx, cancel := context.WithTimeout(context.Background(), writeGrace)
			defer cancel()
			if err := group.Shutdown(ctx); err != nil {
				log.Error("plugin ends in the middle of a change", "reason", reason, "error", err)
			} else {
				log.Info("plugin ends", "reason", reason)
			}
			exit(0)
		})
	}
}
