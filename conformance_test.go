package azure_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/integration"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// startProcess starts the armsim command as a process with a scale set "ci".
func startProcess(t *testing.T, args ...string) *process.Process {
	t.Helper()
	p, err := process.Start(binary(t, "armsim"), append([]string{"--state-dir", t.TempDir(), "--scale-set", "ci"}, args...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// pluginConfig is the plugin_config for the scale set of a simulator. The
// client secret comes from the environment.
func pluginConfig(p *process.Process) azure.Config {
	return azure.Config{
		Name:              p.Env["ARMSIM_SCALE_SET"],
		SubscriptionID:    p.Env["AZURE_SUBSCRIPTION_ID"],
		ResourceGroupName: p.Env["AZURE_RESOURCE_GROUP"],
		Credential:        "environment",
		Cloud: config.Cloud{
			AuthorityHost:           p.Env["AZURE_AUTHORITY_HOST"],
			ResourceManagerEndpoint: p.Env["ARMSIM_ENDPOINT"],
			ResourceManagerAudience: p.Env["ARMSIM_AUDIENCE"],
		},
	}
}

func sshPort(t *testing.T, p *process.Process) int {
	t.Helper()
	var port int
	for _, digit := range p.Env["ARMSIM_SSH_PORT"] {
		port = port*10 + int(digit-'0')
	}
	require.NotZero(t, port)
	return port
}

// TestConformance runs fleeting's own suite on the built plugin, over
// go-plugin, against the simulator as a process of its own.
func TestConformance(t *testing.T) {
	for name, args := range map[string][]string{
		"uniform":       nil,
		"flexible":      {"--orchestration-mode", "Flexible"},
		"uniform-spot":  {"--spot", "Delete"},
		"flexible-spot": {"--orchestration-mode", "Flexible", "--spot", "Deallocate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startProcess(t, append(args, "--boot", "1s", "--delete", "500ms", "--capacity", "1")...)
			conform(t, p)
			stats, err := p.Stats(t.Context())
			require.NoError(t, err)
			require.Empty(t, stats.NotSimulated)
			require.Zero(t, stats.Capacity)
			require.Zero(t, stats.Instances)
		})
	}
}

func conform(t *testing.T, p *process.Process) {
	t.Helper()
	key, err := os.ReadFile(filepath.Clean(p.Env["ARMSIM_SSH_KEY_FILE"]))
	require.NoError(t, err)
	client := &plugin{env: p.Env, dir: t.TempDir()}
	integration.TestProvisioning(t, client.script(t), integration.Config{
		PluginConfig:    pluginConfig(p),
		ConnectorConfig: provider.ConnectorConfig{Key: key, ProtocolPort: sshPort(t, p)},
		MaxInstances:    3,
	})
}
