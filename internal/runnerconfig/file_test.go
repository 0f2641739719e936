package runnerconfig

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const text = `concurrent = 10

[[runners]]
  name = "shell"
  executor = "shell"

[[runners]]
  name = "azure"
  executor = "docker-autoscaler"
  limit = 20
  [runners.autoscaler]
    plugin = "registry.example.com:5000/team/fleeting-plugin-azure:1.2"
    capacity_per_instance = 2
    max_instances = 10
    [runners.autoscaler.plugin_config]
      name = "ci"
      credential = { client_id = "x" }
    [[runners.autoscaler.policy]]
      idle_count = 2
      idle_time = "20m0s"
    [[runners.autoscaler.policy]]
      periods = ["* 8-18 * * mon-fri"]
      timezone = "Europe/Berlin"
      idle_count = 5
`

func TestParse(t *testing.T) {
	f, err := Parse([]byte(text))
	require.NoError(t, err)
	require.Len(t, f.Runners, 2)
	assert.Nil(t, f.Runners[0].Autoscaler)
	r := &f.Runners[1]
	a := r.Autoscaler
	assert.Equal(t, "fleeting-plugin-azure", a.PluginName())
	assert.Equal(t, 20, a.Capacity())
	require.Len(t, a.Policies, 2)
	assert.Equal(t, 20*time.Minute, *a.Policies[0].IdleTime)
	assert.Nil(t, a.Policies[1].IdleTime)
	assert.True(t, a.Policies[0].Preemptive())
	raw, err := a.JSON()
	require.NoError(t, err)
	assert.JSONEq(t, `{"name": "ci", "credential": {"client_id": "x"}}`, string(raw))
	for line, key := range map[int][]string{
		7: {}, 10: {"limit"}, 12: {"autoscaler", "plugin"}, 16: {"autoscaler", "plugin_config", "name"},
		18: {"autoscaler", "policy", "0"}, 20: {"autoscaler", "policy", "0", "idle_time"},
		22: {"autoscaler", "policy", "1", "periods"}, 21: {"autoscaler", "policy", "1", "idle_time"},
	} {
		assert.Equal(t, line, f.Line(r, key...), key)
	}
	assert.Equal(t, 1, f.Lines.Of("concurrent"))
	assert.Zero(t, f.Lines.Of("check_interval"))
}

func TestPluginNames(t *testing.T) {
	for plugin, want := range map[string]string{
		"fleeting-plugin-azure": "fleeting-plugin-azure", "fleeting-plugin-azure:latest": "fleeting-plugin-azure",
		"/usr/local/bin/fleeting-plugin-azure": "fleeting-plugin-azure", `C:\runner\fleeting-plugin-azure.exe`: "fleeting-plugin-azure",
		"registry.example.com/a/fleeting-plugin-azure": "fleeting-plugin-azure", "azure:latest": "azure", "": ".",
	} {
		assert.Equal(t, want, (&Autoscaler{Plugin: plugin}).PluginName(), plugin)
	}
}

func TestFaultsHaveALine(t *testing.T) {
	for text, want := range map[string]string{
		"concurrent = 1\nname = \"open\n":                "line 2: ",
		"[[runners]]\n[runners.autoscaler\nplugin = 1\n": "line 2: ",
		"concurrent = \"many\"\n":                        "concurrent",
		"a = 1\na = 2\n":                                 "line 2: ",
	} {
		_, err := Parse([]byte(text))
		assert.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestReadNamesTheFix(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none.toml"))
	require.ErrorContains(t, err, "no such file; fix: --config")
	_, err = Read(dir)
	require.ErrorContains(t, err, "it is a directory")
	name := filepath.Join(dir, "config.toml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	f, err := Read(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), f.Mode)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text))
	f.Add([]byte("[[a.b]]\nc.d = 1\n[a.b.e]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		for n := range file.Runners {
			assert.NotEmpty(t, file.Runners[n].Title())
			file.Line(&file.Runners[n], "autoscaler", "plugin")
		}
	})
}
