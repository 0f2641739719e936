package binary_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// operator is a person at a shell, in front of an empty subscription.
type operator struct {
	*testing.T
	sim *armsim.Server
	dir string
}

// run runs the plugin's binary, and returns what it prints.
func (o *operator) run(code int, args ...string) string {
	o.Helper()
	c := exec.CommandContext(o.Context(), launch.Binary(o.T, "fleeting-plugin-azure"), args...) //nolint:gosec // our own binary
	c.Env = append(os.Environ(), "HOME="+o.dir, "XDG_CACHE_HOME="+o.dir)
	for key, value := range launch.EnvironmentOf(o.sim) {
		c.Env = append(c.Env, key+"="+value)
	}
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	_ = c.Run()
	require.Equal(o, code, c.ProcessState.ExitCode(), "%v: %s%s", args, out.String(), problems.String())
	assert.NotContains(o, out.String()+problems.String(), o.sim.Principal.Secret)
	assert.NotContains(o, out.String(), "\033[", "colours in a pipe")
	return out.String()
}

// azure is where and as whom.
func (o *operator) azure(command string, more ...string) []string {
	env := launch.EnvironmentOf(o.sim)
	return append([]string{
		command, "--name", "ci", "--resource-group", "runners", "--credential", "environment", "--subscription", env["AZURE_SUBSCRIPTION_ID"],
		"--cloud-endpoint", o.sim.Endpoint, "--cloud-audience", o.sim.Audience, "--cloud-authority", o.sim.Endpoint + "/",
	}, more...)
}

// TestQuickstart goes from nothing to a tried scale set and back, by the built binary
// over HTTPS and SSH, as docs/tutorials/first-job.md does.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{
		"Uniform": nil, "Flexible": {"--mode", "Flexible"}, "Spot": {"--spot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := armsim.Start(t, armsim.Config{
				Subscription: armsim.Subscription{Empty: true, CheckReferences: true, NotRegistered: []string{"Microsoft.Network"}},
				Boot:         armsim.Duration{Median: time.Second}, Delete: armsim.Duration{Median: time.Second}, TimeScale: 5,
			})
			o := &operator{t, sim, t.TempDir()}
			o.quickstart(more)
		})
	}
}

func (o *operator) quickstart(more []string) {
	setup := o.azure("setup", append(more, "--location", "westeurope", "--ssh-key", filepath.Join(o.dir, "id_ed25519"), "--executor", "instance", "--no-price")...)
	plan := o.run(0, append(setup, "--dry-run")...)
	assert.Contains(o, plan, "+ scale set \"ci\"")
	assert.NoFileExists(o, filepath.Join(o.dir, "id_ed25519"))

	printed := o.run(0, setup...)
	_, block, ok := strings.Cut(printed, "\n# In config.toml")
	require.True(o, ok, printed)
	block = strings.Replace(block, `credential = "managed_identity"`, `credential = "environment"`, 1)
	block = strings.Replace(block, "key_path", fmt.Sprintf("protocol_port = %d\n      key_path", o.sim.SSHPort), 1)
	config := filepath.Join(o.dir, "config.toml")
	require.NoError(o, os.WriteFile(config, []byte("concurrent = 10\n#"+block), 0o600))

	assert.Contains(o, o.run(0, "doctor", "--config", config), " 0 wrong")
	assert.Contains(o, o.run(0, "doctor", "--config", config, "--probe"), "run a command")
	assert.Contains(o, o.run(0, "status", "--config", config, "--no-price"), "capacity 0, 0 instances")
	var shown []map[string]any
	require.NoError(o, json.Unmarshal([]byte(o.run(0, "status", "--config", config, "--no-price", "--output", "json")), &shown))
	assert.Len(o, shown, 1)
	assert.Contains(o, o.run(0, setup...), "nothing to do")

	o.run(2, o.azure("teardown")...)
	o.run(0, o.azure("teardown", "--yes")...)
	assert.Contains(o, o.run(0, o.azure("teardown", "--yes")...), "nothing to do")
	assert.Zero(o, o.sim.Stats().Machines)
	assert.Empty(o, o.sim.Stats().NotSimulated)
}
