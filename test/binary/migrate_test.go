package binary_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// The identifiers and the secret in the docker+machine configuration.
const (
	teamSubscription = "00000000-0000-4000-8000-000000000001"
	teamClient       = "00000000-0000-4000-8000-000000000002"
	teamSecret       = "PLACEHOLDER~client.secret"
)

// TestMigration goes from a docker+machine configuration to jobs: migrate, the setup
// command that it prints, doctor, and the demo with the new configuration. Added is what
// a simulator on this machine takes: where the cloud is, the port, and a path for the key.
func TestMigration(t *testing.T) {
	t.Parallel()
	s := newSubscription(t, armsim.Config{
		Location: "japaneast", SubscriptionID: teamSubscription, Principals: []armsim.Principal{{ClientID: teamClient, Secret: teamSecret}},
	})
	sim := s.sim
	config, environment := filepath.Join(s.dir, "new.toml"), filepath.Join(s.dir, "azure.env")
	old, err := filepath.Abs(filepath.Join("..", "..", "internal", "migrate", "testdata", "team"))
	require.NoError(t, err)
	report := s.must(1, "migrate", old+".toml", "--environment", old+".env", "--tenant", armsim.DefaultTenantID, "--out", config, "--environment-out", environment)
	decisions, _, _ := strings.Cut(report, "\n\n")
	assert.Equal(t, 2, len(strings.Split(decisions, "\n")), "one decision, on the network: %s", decisions)

	key := filepath.Join(s.dir, "id_ed25519")
	s.must(0, append(printedSetup(t, report), "--ssh-key", key, "--no-price", "--credential", "environment",
		"--cloud-endpoint", sim.Endpoint, "--cloud-audience", sim.Audience, "--cloud-authority", sim.Endpoint+"/")...)
	s.adapt(config, key)
	runner := s.withSecretOf(environment)
	assert.Contains(t, runner.must(0, "doctor", "--config", config), " 0 wrong, 0 not looked at")
	runner.runJobs(config)
	assert.Empty(t, sim.Stats().NotSimulated)
}

// printedSetup is the command that migrate printed, without the program.
func printedSetup(t *testing.T, report string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(report, "# Make the scale set:\nfleeting-plugin-azure ")
	require.True(t, ok, report)
	command, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(command)
}

func (s *shell) adapt(config, key string) {
	s.Helper()
	text, err := os.ReadFile(config)
	require.NoError(s, err)
	cloud := fmt.Sprintf("      cloud = { authority_host = %q, resource_manager_endpoint = %q, resource_manager_audience = %q }\n", s.sim.Endpoint+"/", s.sim.Endpoint, s.sim.Audience)
	adapted := strings.NewReplacer(
		`"/etc/gitlab-runner/id_ed25519"`, fmt.Sprintf("%q\n      protocol_port = %d", key, s.sim.SSHPort),
		"[runners.autoscaler.plugin_config]\n", "[runners.autoscaler.plugin_config]\n"+cloud,
	).Replace(string(text))
	require.NoError(s, os.WriteFile(config, []byte(adapted), 0o600))
}

// withSecretOf is the runner's service, which has of Azure only what migrate wrote for it.
func (s *shell) withSecretOf(environment string) *shell {
	s.Helper()
	text, err := os.ReadFile(environment)
	require.NoError(s, err)
	env := launch.Environment{}
	for _, line := range strings.Split(string(text), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env[key] = value
		}
	}
	assert.Equal(s, teamSecret, env["AZURE_CLIENT_SECRET"])
	return s.as(env)
}
