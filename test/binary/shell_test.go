package binary_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// shell runs our binaries, in a directory of its own and with nothing of this process's
// environment.
type shell struct {
	*testing.T
	sim *armsim.Server // nil: there is none
	dir string
	env launch.Environment
}

func newShell(t *testing.T, sim *armsim.Server) *shell {
	s := &shell{T: t, sim: sim, dir: t.TempDir()}
	if sim != nil {
		s.env = launch.EnvironmentOf(sim)
	}
	return s
}

func (s *shell) file(name, text string) (path string) {
	s.Helper()
	path = filepath.Join(s.dir, name)
	require.NoError(s, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (s *shell) command(args ...string) *exec.Cmd { return s.tool("fleeting-plugin-azure", args...) }

func (s *shell) tool(name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(s.Context(), launch.Binary(s.T, name), args...) //nolint:gosec // our own binary
	c.Dir = s.dir
	c.Env = []string{"HOME=" + s.dir, "XDG_CACHE_HOME=" + s.dir, "TMPDIR=" + s.dir, "CONFIG_FILE=" + filepath.Join(s.dir, "config.toml")}
	for key, value := range s.env {
		c.Env = append(c.Env, key+"="+value)
	}
	return c
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end. No secret and no escape code is in what it prints.
func (s *shell) run(args ...string) result {
	s.Helper()
	c := s.command(args...)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	_ = c.Run()
	r := result{c.ProcessState.ExitCode(), out.String(), problems.String()}
	s.clean(r.stdout + r.stderr)
	return r
}

// must runs a command that has to end with a code, and returns what it prints.
func (s *shell) must(code int, args ...string) string {
	s.Helper()
	r := s.run(args...)
	require.Equal(s, code, r.code, "%v: %s%s", args, r.stdout, r.stderr)
	return r.stdout
}

// as is the same directory with another environment, which has of this one only how to
// reach the simulator.
func (s *shell) as(env launch.Environment) *shell {
	for _, key := range []string{"SSL_CERT_FILE", "ARMSIM_CONTROL"} {
		env[key] = s.env[key]
	}
	return &shell{T: s.T, sim: s.sim, dir: s.dir, env: env}
}

func (s *shell) clean(printed string) {
	s.Helper()
	assert.NotContains(s, printed, "\033")
	if secret := s.env["AZURE_CLIENT_SECRET"]; secret != "" {
		assert.NotContains(s, printed, secret)
	}
}

// at says where and as whom a command works.
func at(sim *armsim.Server, command string, more ...string) []string {
	env := launch.EnvironmentOf(sim)
	return append([]string{
		command, "--name", "ci", "--resource-group", "runners", "--credential", "environment", "--subscription", env["AZURE_SUBSCRIPTION_ID"],
		"--cloud-endpoint", sim.Endpoint, "--cloud-audience", sim.Audience, "--cloud-authority", sim.Endpoint + "/",
	}, more...)
}

func setupAt(sim *armsim.Server, more ...string) []string {
	return at(sim, "setup", append([]string{"--location", "westeurope", "--ssh-key", "key", "--no-price"}, more...)...)
}

// assertOneSentence: it failed with one line, which says that, and printed nothing else.
func (r result) assertOneSentence(t *testing.T, code int, want string) {
	t.Helper()
	assert.Equal(t, code, r.code, r.stderr)
	assert.Empty(t, r.stdout)
	assert.Regexp(t, `^fleeting-plugin-azure( [a-z]+)?: [^\n]+\n$`, r.stderr)
	assert.Contains(t, r.stderr, want)
}

// configOf is the configuration of a runner at a simulator.
func configOf(sim *armsim.Server, key string) string {
	env := launch.EnvironmentOf(sim)
	return strings.NewReplacer("SUBSCRIPTION", env["AZURE_SUBSCRIPTION_ID"], "ENDPOINT", sim.Endpoint, "AUDIENCE", sim.Audience, "KEY", key).Replace(`concurrent = 10
[[runners]]
  name = "ci"
  url = "https://gitlab.example.com"
  token = "glrt-not-a-real-one"
  executor = "instance"
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    capacity_per_instance = 1
    max_use_count = 1
    max_instances = 10
    [runners.autoscaler.plugin_config]
      name = "ci"
      subscription_id = "SUBSCRIPTION"
      resource_group_name = "runners"
      credential = "environment"
      [runners.autoscaler.plugin_config.cloud]
        authority_host = "ENDPOINT/"
        resource_manager_endpoint = "ENDPOINT"
        resource_manager_audience = "AUDIENCE"
    [runners.autoscaler.connector_config]
      key_path = "KEY"
    [[runners.autoscaler.policy]]
      idle_count = 0
      idle_time = "20m0s"
      preemptive_mode = false
`)
}
