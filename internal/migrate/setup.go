package migrate

import (
	"strconv"
	"strings"
)

// Setup makes the scale set of a runner.
type Setup struct {
	Runner string `json:"runner"`
	// Args are the arguments of fleeting-plugin-azure.
	Args []string `json:"args"`
	// Model are the arguments of az that change what setup has no flags for, empty
	// if there is nothing to change.
	Model []string `json:"model,omitempty"`
}

// Command is the line to type for setup.
func (s Setup) Command() string { return command("fleeting-plugin-azure", s.Args) }

// ModelCommand is the line to type after setup, empty if there is none.
func (s Setup) ModelCommand() string {
	if len(s.Model) == 0 {
		return ""
	}
	return command("az", s.Model)
}

func command(name string, args []string) string {
	words := []string{name}
	for _, a := range args {
		if !plainWord.MatchString(a) {
			a = `'` + strings.ReplaceAll(a, `'`, `'\''`) + `'`
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func (r *runner) setup(maxInstances int) Setup {
	s := Setup{Runner: r.name, Args: given([]string{"setup"},
		"--name", r.scaleSet,
		"--cloud", r.cloud,
		"--subscription", r.subscription,
		"--resource-group", r.group,
		"--location", r.location,
		"--size", r.size,
		"--image", r.image,
		"--zones", r.zones,
		"--subnet", r.subnetID(),
		"--ssh-user", r.sshUser,
		"--max", strconv.Itoa(maxInstances),
	)}
	if len(r.models) > 0 {
		s.Model = given([]string{"vmss", "update"}, "--subscription", r.subscription, "--resource-group", r.group, "--name", r.scaleSet)
		s.Model = append(append(s.Model, "--set"), r.models...)
	}
	return s
}

// given appends the flags that have a value.
func given(args []string, flags ...string) []string {
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] != "" {
			args = append(args, flags[i], flags[i+1])
		}
	}
	return args
}

// subnetID is the resource ID of the subnet that the machines were in, empty for the
// one that docker-machine made for itself. The network may be given with its group.
func (r *runner) subnetID() string {
	if r.vnet == "" || r.subscription == "" {
		return ""
	}
	group, network, other := strings.Cut(r.vnet, ":")
	if !other {
		group, network = r.group, r.vnet
	}
	subnet := r.subnet
	if subnet == "" {
		subnet = "docker-machine" // the driver's default
	}
	return "/subscriptions/" + r.subscription + "/resourceGroups/" + group +
		"/providers/Microsoft.Network/virtualNetworks/" + network + "/subnets/" + subnet
}
