package launch

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// Simulator starts a simulator whose instances come and go quickly, with one
// scale set.
func Simulator(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec) *armsim.Server {
	t.Helper()
	if c.Boot.Median == 0 {
		c.Boot.Median = 200 * time.Millisecond
	}
	if c.Delete.Median == 0 {
		c.Delete.Median = 200 * time.Millisecond
	}
	s := armsim.Start(t, c)
	_, err := s.CreateScaleSet(t.Context(), spec)
	require.NoError(t, err)
	return s
}

// Armsim starts the armsim command as a process with a scale set "ci".
func Armsim(t *testing.T, args ...string) *process.Process {
	t.Helper()
	p, err := process.Start(Binary(t, "armsim"), append([]string{"--state-dir", t.TempDir(), "--scale-set", "ci"}, args...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// ConfigForProcess is the plugin_config for the scale set of a simulator. The
// client secret comes from the environment.
func ConfigForProcess(p *process.Process) config.Config {
	return config.Config{
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

// SSHPort is the port on which the instances of a simulator serve SSH.
func SSHPort(t *testing.T, p *process.Process) int {
	t.Helper()
	var port int
	for _, digit := range p.Env["ARMSIM_SSH_PORT"] {
		port = port*10 + int(digit-'0')
	}
	require.NotZero(t, port)
	return port
}

// WritesOf is how many writes a simulator has seen.
func WritesOf(s *armsim.Server) (n int) {
	for _, e := range s.Journal() {
		if e.Method != http.MethodGet && e.Operation != "Token" {
			n++
		}
	}
	return n
}
