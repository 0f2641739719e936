// Command fleeting-plugin-azure is the plugin binary that GitLab Runner starts.
package main

import (
	"fmt"
	"os"

	"gitlab.com/gitlab-org/fleeting/fleeting/plugin"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
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
  version     show the version (also --version)
  bootstrap   install this binary into the runner's plugin directory
  help        show this text
`

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "help", "-h", "-help", "--help":
			fmt.Print(usage)
			return
		}
	}
	plugin.Main(&azure.InstanceGroup{}, azure.Version())
}
