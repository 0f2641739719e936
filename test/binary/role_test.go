package binary_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// TestConformanceWithTheRoleOfSetup: a principal with nothing but the role that setup
// wrote, where setup assigned it, passes fleeting's own suite, and lacks nothing.
func TestConformanceWithTheRoleOfSetup(t *testing.T) {
	t.Parallel()
	for mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSubscription(t, armsim.Config{Principals: []armsim.Principal{
				{ClientID: armsim.DefaultClientID, Secret: launch.ClientSecret},
				{ClientID: launch.OtherClientID, Secret: launch.ClientSecret, NoRights: true},
			}})
			key := filepath.Join(s.dir, "id_ed25519")
			s.must(0, at(s.sim, "setup", "--mode", mode, "--location", "westeurope", "--ssh-key", key, "--principal", launch.OtherClientID, "--no-price")...)
			private, err := os.ReadFile(key)
			require.NoError(t, err)
			env, config := launch.EnvironmentOf(s.sim), launch.ConfigFor(s.sim, "ci")
			env["AZURE_CLIENT_ID"], config["resource_group_name"] = launch.OtherClientID, "runners"
			launch.Conform(t, env, config, provider.ConnectorConfig{Key: private, ProtocolPort: s.sim.SSHPort})
			assert.Zero(t, s.sim.Stats().Instances)
			assert.NotEmpty(t, usedOperations(t, s.sim), "none of which was refused")
			assert.Empty(t, missingBy(t, env, config))
		})
	}
}
