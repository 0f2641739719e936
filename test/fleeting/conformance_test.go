package fleeting_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

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
			p := launch.Armsim(t, append(args, "--boot", "1s", "--delete", "500ms", "--capacity", "1")...)
			conform(t, p)
			stats, err := p.Stats(t.Context())
			require.NoError(t, err)
			require.Empty(t, stats.NotSimulated)
			require.Zero(t, stats.Capacity)
			require.Zero(t, stats.Instances)
		})
	}
}

// conform configures no login: the plugin has a key of its own.
func conform(t *testing.T, p *process.Process) {
	t.Helper()
	config := launch.ConfigForProcess(p)
	config.SSHKeyFile = filepath.Join(t.TempDir(), "id")
	launch.Conform(t, p.Env, config, provider.ConnectorConfig{ProtocolPort: launch.SSHPort(t, p)})
}
