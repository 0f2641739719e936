package clients_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// ids are the instances as the commands name them: by number, or by the name of the
// virtual machine in a Flexible set.
func (a *azure) ids() []string {
	a.t.Helper()
	if a.uniform() {
		return query[[]string](a, "vmss", "list-instances", "-g", armsim.DefaultResourceGroup, "-n", azureSet, "--query", "[].instanceId")
	}
	return query[[]string](a, "vm", "list", "-g", armsim.DefaultResourceGroup, "--query", "[].name")
}

// power is an instance's power state, in lower case.
func (a *azure) power(id string) string {
	a.t.Helper()
	args := []string{"vm", "get-instance-view", "-g", armsim.DefaultResourceGroup, "-n", id, "--query", "instanceView.statuses[].code"}
	if a.uniform() {
		args = []string{"vmss", "get-instance-view", "-g", armsim.DefaultResourceGroup, "-n", azureSet, "--instance-id", id, "--query", "statuses[].code"}
	}
	codes := query[[]string](a, args...)
	n := slices.IndexFunc(codes, func(code string) bool { return strings.HasPrefix(strings.ToLower(code), "powerstate/") })
	if n < 0 {
		return ""
	}
	return strings.ToLower(codes[n])
}

func (a *azure) list() {
	for _, args := range [][]string{{"vmss", "list"}, {"vmss", "list", "-g", armsim.DefaultResourceGroup}} {
		assert.Equal(a.t, []string{azureSet}, query[[]string](a, append(args, "--query", "[].name")...))
	}
	assert.Len(a.t, a.ids(), 2)
	resources := query[[]string](a, "resource", "list", "--resource-type", "Microsoft.Compute/virtualMachineScaleSets", "--query", "[].name")
	assert.Equal(a.t, []string{azureSet}, resources)
	if !a.uniform() {
		assert.Len(a.t, query[[]string](a, "vm", "list", "--query", "[].name"), 2)
	}
}

func (a *azure) show() {
	assert.Equal(a.t, a.mode, query[string](a, "vmss", "show", "-g", armsim.DefaultResourceGroup, "-n", azureSet, "--query", "orchestrationMode"))
	if a.uniform() {
		a.vmss("get-instance-view")
	}
}

func (a *azure) capacity() int {
	a.t.Helper()
	return query[int](a, "vmss", "show", "-g", armsim.DefaultResourceGroup, "-n", azureSet, "--query", "sku.capacity")
}

func (a *azure) scale() {
	a.vmss("scale", "--new-capacity", "4")
	assert.Equal(a.t, 4, a.capacity())
	assert.Len(a.t, a.ids(), 4)
}

func (a *azure) deleteInstances() {
	before := a.ids()
	a.vmss("delete-instances", "--instance-ids", before[1])
	assert.Equal(a.t, slices.Delete(before, 1, 2), a.ids())
	assert.Equal(a.t, 3, a.capacity())
}

// stopped are the instances that are deallocated and started: two in a Flexible set,
// since for one the CLI calls the instance itself, which Azure refuses there.
func (a *azure) stopped() []string {
	a.t.Helper()
	if a.uniform() {
		return a.ids()[:1]
	}
	return a.ids()[:2]
}

func (a *azure) deallocate() {
	ids := a.stopped()
	a.vmss("deallocate", append([]string{"--instance-ids"}, ids...)...)
	assert.Equal(a.t, "powerstate/deallocated", a.power(ids[0]))
}

func (a *azure) start() {
	ids := a.stopped()
	a.vmss("start", append([]string{"--instance-ids"}, ids...)...)
	assert.Equal(a.t, "powerstate/running", a.power(ids[0]))
}

func (a *azure) interfaces() {
	args := []string{"network", "nic", "list", "-g", armsim.DefaultResourceGroup}
	if a.uniform() {
		args = []string{"vmss", "nic", "list", "-g", armsim.DefaultResourceGroup, "--vmss-name", azureSet}
	}
	addresses := query[[]string](a, append(args, "--query", "[].ipConfigurations[0].privateIpAddress")...)
	if len(addresses) == 0 { // newer versions write the name as the API does
		addresses = query[[]string](a, append(args, "--query", "[].ipConfigurations[0].privateIPAddress")...)
	}
	assert.Len(a.t, addresses, 3)
}

func (a *azure) runCommand() {
	args := []string{"vm", "run-command", "invoke", "-g", armsim.DefaultResourceGroup, "-n", a.ids()[0]}
	if a.uniform() {
		args = []string{"vmss", "run-command", "invoke", "-g", armsim.DefaultResourceGroup, "-n", azureSet, "--instance-id", a.ids()[0]}
	}
	out := query[string](a, append(args, "--command-id", "RunShellScript", "--scripts", "echo from $(hostname)", "--query", "value[0].message")...)
	assert.Contains(a.t, out, "from ")
}

func (a *azure) evict() {
	ids := a.ids()
	last := ids[len(ids)-1]
	if a.uniform() {
		a.vmss("simulate-eviction", "--instance-id", last)
	} else {
		a.run("vm", "simulate-eviction", "-g", armsim.DefaultResourceGroup, "-n", last)
	}
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Minute)
	defer cancel()
	for a.power(last) != "powerstate/deallocated" {
		require.NoError(a.t, ctx.Err(), "the eviction")
	}
}

func (a *azure) delete() {
	a.vmss("delete")
	assert.Empty(a.t, query[[]string](a, "vmss", "list", "--query", "[].name"))
}

// createByTemplate makes a scale set as an operator types it: the command sends a
// template, for the network, too.
func (a *azure) createByTemplate() {
	key := filepath.Join(a.dir, "key.pub")
	require.NoError(a.t, os.WriteFile(key, []byte(publicKey), 0o600))
	args := []string{"vmss", "create", "-g", armsim.DefaultResourceGroup, "-n", "made", "--orchestration-mode", a.mode,
		"--image", "Canonical:ubuntu-24_04-lts:server:latest", "--vm-sku", "Standard_D2s_v5", "--instance-count", "1",
		"--admin-username", "azureuser", "--ssh-key-values", key, "--load-balancer", ""}
	if a.uniform() {
		args = append(args, "--upgrade-policy-mode", "Manual")
	}
	a.run(args...)
	assert.Equal(a.t, []string{"made"}, query[[]string](a, "vmss", "list", "-g", armsim.DefaultResourceGroup, "--query", "[].name"))
	a.run("vmss", "delete", "-g", armsim.DefaultResourceGroup, "-n", "made")
}
