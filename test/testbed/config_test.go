package testbed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// file is what these tests look at in config.toml.
type file struct {
	Concurrent int
	Runners    []struct {
		Executor   string
		URL, Token string
		Docker     struct {
			Image       string
			HelperImage string `toml:"helper_image"`
			Host        string
		}
		Autoscaler struct {
			Plugin       string
			MaxUseCount  int              `toml:"max_use_count"`
			PluginConfig map[string]any   `toml:"plugin_config"`
			Connector    map[string]any   `toml:"connector_config"`
			State        map[string]bool  `toml:"state_storage"`
			Policy       []map[string]any `toml:"policy"`
		}
	}
}

func newTestbed(t *testing.T) *Testbed {
	t.Helper()
	s := &Testbed{Config: filepath.Join(t.TempDir(), "config.toml")}
	s.config = config{
		Options: Options{Options: load.Options{IdleCount: 1}, Executor: Instance, Concurrent: 3, MaxUseCount: 2},
		Token:   "glrt-secret", URL: "http://127.0.0.1:1",
		Env: map[string]string{
			"ARMSIM_SCALE_SET": "runners", "ARMSIM_SSH_KEY_FILE": `/odd "path"\key`, "ARMSIM_ENDPOINT": "https://127.0.0.1:2", "ARMSIM_AUDIENCE": "https://127.0.0.1:2/",
			"AZURE_SUBSCRIPTION_ID": "subscription", "AZURE_RESOURCE_GROUP": "ci", "AZURE_AUTHORITY_HOST": "https://127.0.0.1:2/",
		},
	}
	return s
}

func (s *Testbed) read(t *testing.T) file {
	t.Helper()
	require.NoError(t, s.writeConfig())
	var f file
	_, err := toml.DecodeFile(s.Config, &f)
	require.NoError(t, err)
	require.Len(t, f.Runners, 1)
	return f
}

func TestConfigOfInstances(t *testing.T) {
	t.Parallel()
	s := newTestbed(t)
	f := s.read(t)
	r := f.Runners[0]
	assert.Equal(t, []any{3, Instance, "glrt-secret", 2}, []any{f.Concurrent, r.Executor, r.Token, r.Autoscaler.MaxUseCount})
	assert.Equal(t, pluginName, r.Autoscaler.Plugin)
	assert.Equal(t, "runners", r.Autoscaler.PluginConfig["name"])
	assert.Equal(t, map[string]any{"key_path": `/odd "path"\key`, "timeout": "30s"}, r.Autoscaler.Connector)
	assert.Empty(t, r.Autoscaler.State)
	assert.Empty(t, r.Docker)
	info, err := os.Stat(s.Config)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestConfigOfDocker(t *testing.T) {
	t.Parallel()
	s := newTestbed(t)
	s.config.Executor, s.config.KeepState = DockerAutoscaler, true
	s.config.Image, s.config.Helper, s.config.Host, s.config.ProtocolPort = "job:a", "helper:b", "unix:///socket", "2222"
	r := s.read(t).Runners[0]
	assert.Equal(t, []string{"job:a", "helper:b", "unix:///socket"}, []string{r.Docker.Image, r.Docker.HelperImage, r.Docker.Host})
	assert.Equal(t, "azureuser", r.Autoscaler.Connector["username"], "fleeting wants it with static credentials")
	assert.EqualValues(t, 2222, r.Autoscaler.Connector["protocol_port"])
	assert.Equal(t, map[string]bool{"enabled": true}, r.Autoscaler.State)
}

func TestSetIdle(t *testing.T) {
	t.Parallel()
	s := newTestbed(t)
	assert.EqualValues(t, 1, s.read(t).Runners[0].Autoscaler.Policy[0]["idle_count"])
	require.NoError(t, s.SetIdle(0))
	assert.EqualValues(t, 0, s.read(t).Runners[0].Autoscaler.Policy[0]["idle_count"])
	entries, err := os.ReadDir(filepath.Dir(s.Config))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestToken(t *testing.T) {
	t.Parallel()
	one, two := newToken(), newToken()
	assert.NotEqual(t, one, two)
	assert.True(t, strings.HasPrefix(one, "glrt-") && len(one) == 25)
}
