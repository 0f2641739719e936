package launch

import (
	"testing"

	"gitlab.com/gitlab-org/fleeting/fleeting/integration"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// Conform runs fleeting's own suite on the built plugin, over go-plugin.
func Conform(t *testing.T, env Environment, config any, login provider.ConnectorConfig) {
	t.Helper()
	client := &Plugin{Env: env, Dir: t.TempDir()}
	integration.TestProvisioning(t, client.Script(t), integration.Config{PluginConfig: config, ConnectorConfig: login, MaxInstances: 3})
}
