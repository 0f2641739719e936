package doctor

import (
	"os"
	"path/filepath"
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

// TestRunnerFaults: each yields exactly the finding that it should, at its line.
func TestRunnerFaults(t *testing.T) {
	for name, c := range map[string]struct {
		replace []string
		check   string
		level   Level
		line    int
		text    string
		fix     string
	}{
		"unknown option":     {[]string{`credential = "managed_identity"`, "credential = \"managed_identity\"\n vmss = \"x\""}, "options", Fault, 14, "vmss", ""},
		"bad subscription":   {[]string{"00000000-0000-4000-8000-0000000000aa", "team"}, "options", Fault, 11, "subscription_id", ""},
		"no name":            {[]string{`      name = "ci"` + "\n", ""}, "options", Fault, 9, "name", ""},
		"other executor":     {[]string{"docker-autoscaler", "docker"}, "executor", Fault, 4, `executor "docker"`, "docker-autoscaler"},
		"concurrent":         {[]string{"concurrent = 10", "concurrent = 2"}, "limits", Warning, 1, "of 10 jobs", "concurrent = 10"},
		"no concurrent":      {[]string{"concurrent = 10\n", ""}, "limits", Warning, 0, "concurrent = 1:", "concurrent = 10"},
		"limit":              {[]string{"  request", "  limit = 3\n  request"}, "limits", Warning, 5, "limit = 3", "limit = 10"},
		"one request":        {[]string{"  request_concurrency = 4\n", "", "max_instances = 10", "max_instances = 30", "concurrent = 10", "concurrent = 30"}, "limits", Warning, 2, "request_concurrency is 1", "request_concurrency = 4"},
		"no maximum":         {[]string{"    max_instances = 10\n", ""}, "limits", Warning, 6, "max_instances is not set", "max_instances = 10"},
		"negative":           {[]string{"max_instances = 10", "max_instances = 10\n max_use_count = -1"}, "limits", Fault, 6, "negative", ""},
		"catch-all last":     {[]string{`periods = ["* 8-18 * * mon-fri"]`, `periods = ["* * * * *"]`}, "policies", Fault, 19, "the 1 before it are never used", "in front"},
		"no catch-all":       {[]string{"      idle_count = 0", "      timezone = \"UTC\"\n      periods = [\"* 20 * * *\"]\n      idle_count = 0"}, "policies", Warning, 16, "no policy holds at all times", "idle_time"},
		"idle time missing":  {[]string{"idle_count = 0\n      idle_time = \"20m0s\"", "idle_count = 0"}, "policies", Warning, 16, "idle_time is not set", "20m0s"},
		"idle time in nanos": {[]string{"idle_count = 0\n      idle_time = \"20m0s\"", "idle_count = 0\n      idle_time = 1200"}, "policies", Fault, 18, "nanoseconds", `"20m0s"`},
		"preemptive":         {[]string{"      preemptive_mode = false\n", ""}, "policies", Warning, 19, "preemptive_mode is not set", "preemptive_mode = false"},
		"preemptive set":     {[]string{"preemptive_mode = false", "preemptive_mode = true"}, "policies", Warning, 24, "preemptive_mode is on", "preemptive_mode = false"},
		"scale factor":       {[]string{"idle_count = 2", "idle_count = 2\n scale_factor = 0.5"}, "policies", Warning, 23, "scale_factor 0.5", "1.2"},
		"too many idle":      {[]string{"idle_count = 2", "idle_count = 20"}, "policies", Warning, 22, "more than max_instances", "idle_count = 10"},
		"seven fields":       {[]string{`"* 8-18 * * mon-fri"`, `"* * 8-18 * * mon-fri *"`}, "policies", Fault, 20, "docker+machine", "day of week"},
		"no cron":            {[]string{`"* 8-18 * * mon-fri"`, `"* 25 * * mon-fri"`}, "policies", Fault, 20, "no cron expression", ""},
		"unknown zone":       {[]string{"Europe/Berlin", "Europe/Bonn"}, "policies", Fault, 21, `"Europe/Bonn"`, "tzdata"},
		"no zone":            {[]string{"      timezone = \"Europe/Berlin\"\n", ""}, "policies", Warning, 20, "local time", "timezone"},
		"no key":             {[]string{"      key_path = \"KEY\"\n", ""}, "login", Fault, 14, "neither key_path nor password", "key_path"},
		"key missing":        {[]string{`"KEY"`, `"KEY.old"`}, "login", Fault, 15, "does not exist", ""},
		"password":           {[]string{`key_path = "KEY"`, `password = "hunter2"`}, "secrets", Warning, 15, "the password of all instances", "key_path"},
		"secret file":        {[]string{`credential = "managed_identity"`, "credential = \"client_secret\"\n tenant_id = \"00000000-0000-4000-8000-0000000000bb\"\n client_id = \"00000000-0000-4000-8000-0000000000cc\"\n client_secret_file = \"/nowhere/secret\""}, "secrets", Fault, 9, "does not exist", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Runners(configure(t, sound, c.replace...), "azure")
			require.NoError(t, err)
			var wrong []Finding
			for _, f := range r.Findings {
				assert.NotContains(t, f.Text+f.Fix, "hunter2")
				if f.Level != OK {
					wrong = append(wrong, f)
				}
			}
			require.Len(t, wrong, 1)
			f := wrong[0]
			assert.Equal(t, c.check, f.Check)
			assert.Equal(t, c.level, f.Level)
			assert.Equal(t, c.line, f.Line, f.Text)
			assert.Contains(t, f.Text, c.text)
			assert.Contains(t, f.Fix, c.fix)
			assert.Equal(t, `runner "azure"`, f.About)
		})
	}
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
