// Package examples runs what docs/guides/armsim-for-your-project.md shows.
package examples

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	module = "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	shown  = "../../examples/armsim/"
)

// output runs a command of an example; a machine may be busy.
func output(t *testing.T, dir string, env []string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// TestGoExample: a module of others builds with package armsim alone, and gets
// nothing of the plugin and of Azure's SDK by it.
func TestGoExample(t *testing.T) {
	t.Parallel()
	dir := shown + "go"
	env := []string{"GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0"}
	output(t, dir, env, "go", "test", "-count=1", "./...")
	for _, dependency := range strings.Fields(output(t, dir, env, "go", "list", "-deps", "-test", "./...")) {
		assert.False(t, strings.HasPrefix(dependency, "github.com/Azure/"), dependency)
		assert.False(t, strings.HasPrefix(dependency, module) && !strings.HasPrefix(dependency, module+"/armsim"), dependency)
	}
}

// simulator starts one with a scale set, in real time.
func simulator(t *testing.T, set string) (*armsim.Server, []string) {
	t.Helper()
	s := armsim.Start(t, armsim.Config{NoMachines: true})
	if set != "" {
		_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: set, Capacity: 1})
		require.NoError(t, err)
	}
	return s, append(s.Env(), "REQUESTS_CA_BUNDLE="+s.CAFile, "HOME="+t.TempDir())
}

// TestPythonExample uses Debian's python3-azure, or that of pip.
func TestPythonExample(t *testing.T) {
	t.Parallel()
	python := ""
	for _, candidate := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), candidate, "-c", "import azure.identity, azure.mgmt.compute").Run() == nil {
			python = candidate
			break
		}
	}
	if python == "" {
		t.Skip("no Python with azure-identity and azure-mgmt-compute: apt-get install python3-azure, or pip install them")
	}
	s, env := simulator(t, "web")
	assert.Equal(t, "3 instances\n", output(t, shown, env, python, "scale.py"))
	assert.Empty(t, s.Stats().NotSimulated)
}

// TestAzureCLIExample in both orchestration modes. Azure CLI asks for the state of a
// deployment each 30 seconds.
func TestAzureCLIExample(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("az")
	wrapper, abs := filepath.Abs("../clients/az.py") // Debian's CLI needs it
	if _, missing := os.Stat(wrapper); err != nil || abs != nil || missing != nil {
		t.Skip("no Azure CLI: apt-get install azure-cli")
	}
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, env := simulator(t, "")
			env = append(env, "AZ=/usr/bin/python3 "+wrapper, "AZURE_CONFIG_DIR="+t.TempDir(), "MODE="+mode, "ADMIN_PASSWORD=Pass-word-123")
			assert.Equal(t, "2\nSucceeded\n", output(t, shown, env, "sh", "azure-cli.sh"))
			assert.Empty(t, s.Stats().NotSimulated)
		})
	}
}
