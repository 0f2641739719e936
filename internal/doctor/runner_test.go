package doctor

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// sound is a configuration with which nothing is wrong; KEY stands for a file.
const sound = `concurrent = 10
[[runners]]
  name = "azure"
  executor = "docker-autoscaler"
  request_concurrency = 4
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    max_instances = 10
    [runners.autoscaler.plugin_config]
      name = "ci"
      subscription_id = "00000000-0000-4000-8000-0000000000aa"
      resource_group_name = "ci"
      credential = "managed_identity"
    [runners.autoscaler.connector_config]
      key_path = "KEY"
    [[runners.autoscaler.policy]]
      idle_count = 0
      idle_time = "20m0s"
    [[runners.autoscaler.policy]]
      periods = ["* 8-18 * * mon-fri"]
      timezone = "Europe/Berlin"
      idle_count = 2
      idle_time = "20m0s"
      preemptive_mode = false
`

// configure writes a configuration, with each pair of texts replaced, and its key.
func configure(t *testing.T, text string, replaced ...string) Options {
	t.Helper()
	dir := t.TempDir()
	key, name := filepath.Join(dir, "id_ed25519"), filepath.Join(dir, "config.toml")
	require.NoError(t, os.WriteFile(key, []byte("key"), 0o600))
	for n := 0; n < len(replaced); n += 2 {
		require.Contains(t, text, replaced[n])
		text = strings.ReplaceAll(text, replaced[n], replaced[n+1])
	}
	require.NoError(t, os.WriteFile(name, []byte(strings.ReplaceAll(text, "KEY", key)), 0o600))
	file, err := runnerconfig.Read(name)
	require.NoError(t, err)
	return Options{File: file, Getenv: func(string) string { return "" }}
}

func TestSoundConfiguration(t *testing.T) {
	r, err := Runners(configure(t, sound), "")
	require.NoError(t, err)
	assert.Equal(t, OK, r.Worst())
	assert.Equal(t, 5, r.Count(OK))
}

// runnerCase is a configuration in which one thing is wrong, and its fix. All are pairs of
// texts to replace.
type runnerCase struct {
	broken, fixed []string // fixed is on top of broken
	check         string
	level         Level
	line          int
	text, fix     string
}

// TestRunnerFaults: each yields exactly the finding that it should, at its line, and after
// the fix there is none.
func TestRunnerFaults(t *testing.T) {
	all := map[string]runnerCase{}
	for _, some := range []map[string]runnerCase{optionCases(), limitCases(), policyCases(), loginCases()} {
		maps.Copy(all, some)
	}
	assert.GreaterOrEqual(t, len(all), 45)
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			wrong := examineRunner(t, c.broken)
			require.Len(t, wrong, 1, "%v", wrong)
			f := wrong[0]
			assert.Equal(t, c.check, f.Check)
			assert.Equal(t, c.level, f.Level)
			assert.Equal(t, c.line, f.Line, f.Text)
			assert.Contains(t, f.Text, c.text)
			assert.NotEmpty(t, f.Fix)
			assert.Contains(t, f.Fix, c.fix)
			assert.Equal(t, `runner "azure"`, f.About)
			assert.Empty(t, examineRunner(t, slices.Concat(c.broken, c.fixed)))
		})
	}
}

// examineRunner is what is not in order after these replacements in what is sound.
func examineRunner(t *testing.T, replaced []string) (wrong []Finding) {
	t.Helper()
	r, err := Runners(configure(t, sound, replaced...), "azure")
	require.NoError(t, err)
	for _, f := range r.Findings {
		assert.NotContains(t, f.Text+f.Fix, "hunter2")
		if f.Level != OK {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

func TestNoRunnerToExamine(t *testing.T) {
	for name, c := range map[string]struct{ text, runner, want string }{
		"none":          {"concurrent = 1\n", "", "has no [[runners]]"},
		"no autoscaler": {"[[runners]]\nname = \"a\"\n", "", "has no [runners.autoscaler]"},
		"another":       {"[[runners]]\n[runners.autoscaler]\nplugin = \"aws\"\n", "", `plugin = "aws"`},
		"by name":       {sound, "other", `no runner "other"`},
	} {
		_, err := Runners(configure(t, c.text), c.runner)
		require.ErrorIs(t, err, ErrNoRunner, name)
		assert.ErrorContains(t, err, c.want, name)
		assert.ErrorContains(t, err, "; fix: ", name)
	}
}

func TestSharedScaleSet(t *testing.T) {
	second := strings.Replace(sound[strings.Index(sound, "[[runners]]"):], `name = "azure"`, `name = "second"`, 1)
	r, err := Runners(configure(t, strings.Replace(sound, "concurrent = 10", "concurrent = 20", 1)+second), "")
	require.NoError(t, err)
	require.Equal(t, 1, r.Count(Fault))
	f := r.Findings[len(r.Findings)-1]
	assert.Equal(t, "shared-scale-set", f.Check)
	assert.Contains(t, f.Text, `runner "azure"`)
}

func TestFilesThatOthersRead(t *testing.T) {
	o := configure(t, sound)
	require.NoError(t, os.Chmod(o.File.Path, 0o644))
	require.NoError(t, os.Chmod(o.File.Runners[0].Autoscaler.Connector.KeyPath, 0o644))
	file, err := runnerconfig.Read(o.File.Path)
	require.NoError(t, err)
	o.File = file
	r, err := Runners(o, "")
	require.NoError(t, err)
	assert.Equal(t, 2, r.Count(Fault))
}

// TestShutdownNeedsItsUnit: systemd ends the plugin along with the runner by default.
func TestShutdownNeedsItsUnit(t *testing.T) {
	o := configure(t, sound, "max_instances = 10", "max_instances = 10\n delete_instances_on_shutdown = true")
	o.UnitDirs = []string{t.TempDir()}
	r, err := Runners(o, "")
	require.NoError(t, err)
	require.Equal(t, Warning, r.Worst())
	dropIn := filepath.Join(o.UnitDirs[0], "gitlab-runner.service.d")
	require.NoError(t, os.Mkdir(dropIn, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dropIn, "stop.conf"), []byte("[Service]\nKillMode=mixed\n"), 0o600))
	r, err = Runners(o, "")
	require.NoError(t, err)
	assert.Equal(t, OK, r.Worst())
}
