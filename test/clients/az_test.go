package clients_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// azure is Azure CLI as an operator has it, with a configuration of its own.
type azure struct {
	*armsim.Server
	t       *testing.T
	mode    string
	command []string
	env     []string
	dir     string
}

// TestAzureCLI takes a scale set through its life with Azure CLI.
func TestAzureCLI(t *testing.T) {
	t.Parallel()
	command := azureCommand(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, dir := start(t), t.TempDir()
			a := &azure{Server: s, mode: mode, command: command, dir: dir, env: append(s.Env(),
				"REQUESTS_CA_BUNDLE="+s.CAFile, "AZURE_CONFIG_DIR="+filepath.Join(dir, "config"), "AZURE_CORE_COLLECT_TELEMETRY=0", "AZURE_CORE_NO_COLOR=1")}
			for _, step := range azureSteps {
				if step.needs != "" && !simulates(t, step.needs) {
					t.Logf("armsim does not simulate %s: %s is left out", step.needs, step.name)
					continue
				}
				if !t.Run(step.name, func(t *testing.T) { a.t = t; step.run(a) }) {
					return
				}
			}
			checkJournal(t, s)
		})
	}
}

// azureCommand is how Azure CLI is started. Debian's is a program of Python, which
// az.py starts with the api-versions that Debian's SDK has.
func azureCommand(t *testing.T) []string {
	t.Helper()
	path, err := exec.LookPath("az")
	if err != nil {
		missing(t, "AZURE CLI", "apt-get install azure-cli")
	}
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	first, err := bufio.NewReader(file).ReadString('\n')
	require.NoError(t, err)
	interpreter := strings.TrimSpace(strings.TrimPrefix(first, "#!"))
	if !strings.Contains(filepath.Base(interpreter), "python") {
		return []string{path}
	}
	script, err := filepath.Abs("az.py")
	require.NoError(t, err)
	replaced, stderr, err := execute(t, nil, "", interpreter, script, "versions")
	require.NoError(t, err, stderr)
	t.Logf("api-versions that are replaced:\n%s", replaced)
	return []string{interpreter, script}
}

// azureSteps are the commands in their order. A step that needs an operation is left
// out where armsim does not simulate that.
var azureSteps = []struct {
	name, needs string
	run         func(*azure)
}{
	{"login", "", (*azure).login},
	{"create", "", (*azure).createByRequest},
	{"list", "", (*azure).list},
	{"show", "", (*azure).show},
	{"scale", "", (*azure).scale},
	{"delete-instances", "", (*azure).deleteInstances},
	{"deallocate", "", (*azure).deallocate},
	{"start", "", (*azure).start},
	{"nic list", "", (*azure).interfaces},
	{"run-command", "VirtualMachineScaleSetVMs_RunCommand", (*azure).runCommand},
	{"simulate-eviction", "", (*azure).evict},
	{"delete", "", (*azure).delete},
	{"vmss create", "Deployments_CreateOrUpdate", (*azure).createByTemplate},
}

const azureSet = "az"

// run runs a command to its success and returns what it printed.
func (a *azure) run(args ...string) string {
	a.t.Helper()
	stdout, stderr, err := execute(a.t, a.env, a.dir, a.command[0], slices.Concat(a.command[1:], args)...)
	require.NoError(a.t, err, "az %s\n%s", strings.Join(args, " "), stderr)
	return stdout
}

// query runs a command and reads its JSON.
func query[T any](a *azure, args ...string) T {
	a.t.Helper()
	var value T
	out := a.run(append(args, "-o", "json")...)
	require.NoError(a.t, json.Unmarshal([]byte(out), &value), "az %s\n%s", strings.Join(args, " "), out)
	return value
}

// vmss runs a command for the scale set.
func (a *azure) vmss(command string, args ...string) string {
	a.t.Helper()
	return a.run(slices.Concat([]string{"vmss", command, "-g", armsim.DefaultResourceGroup, "-n", azureSet}, args)...)
}

func (a *azure) uniform() bool { return a.mode == "Uniform" }

func (a *azure) login() {
	a.run("cloud", "register", "-n", "armsim", "--endpoint-resource-manager", a.Endpoint, "--endpoint-active-directory", a.Endpoint+"/adfs")
	a.run("cloud", "set", "-n", "armsim")
	found := query[[]map[string]any](a, "login", "--service-principal", "-u", a.Principal.ClientID, "-p", a.Principal.Secret, "--tenant", armsim.DefaultTenantID)
	require.Len(a.t, found, 1)
	assert.Equal(a.t, armsim.DefaultSubscriptionID, found[0]["id"])
	assert.Contains(a.t, query[[]string](a, "account", "list-locations", "--query", "[].name"), "westeurope")
	assert.Equal(a.t, "true\n", a.run("group", "exists", "-n", armsim.DefaultResourceGroup))
}

// createByRequest makes the scale set by a PUT, as scripts do for what the command's
// own options lack.
func (a *azure) createByRequest() {
	body := filepath.Join(a.dir, "model.json")
	encoded, err := json.Marshal(a.model())
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(body, encoded, 0o600))
	a.run("rest", "--method", "put", "--url", a.ScaleSetPath(azureSet)+"?api-version=2022-08-01", "--body", "@"+body)
	a.vmss("wait", "--created", "--interval", "1", "--timeout", "120")
}

func (a *azure) model() map[string]any {
	type object = map[string]any
	properties := object{
		"orchestrationMode": a.mode, "singlePlacementGroup": a.uniform(), "platformFaultDomainCount": 1,
		"virtualMachineProfile": object{
			"priority": "Spot", "evictionPolicy": "Deallocate",
			"storageProfile": object{
				"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
				"osDisk":         object{"createOption": "FromImage", "managedDisk": object{"storageAccountType": "Standard_LRS"}},
			},
			"osProfile": object{"computerNamePrefix": "az", "adminUsername": "azureuser", "linuxConfiguration": object{
				"disablePasswordAuthentication": true,
				"ssh":                           object{"publicKeys": []any{object{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": publicKey}}},
			}},
			"networkProfile": object{"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": []any{object{"name": "nic", "properties": object{
				"primary": true, "ipConfigurations": []any{object{"name": "ip", "properties": object{
					"subnet": object{"id": a.ResourcePath("/providers/Microsoft.Network/virtualNetworks/net/subnets/default")},
				}}},
			}}}},
		},
	}
	if a.uniform() {
		properties["overprovision"], properties["upgradePolicy"] = false, object{"mode": "Manual"}
	}
	return object{"location": "westeurope", "sku": object{"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2}, "properties": properties}
}
