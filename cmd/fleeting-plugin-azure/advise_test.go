package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// advised runs the command, and returns its output, its errors and its exit code.
func advised(stdin string, args ...string) (out, errors string, code int) {
	root := newRootCommand()
	var o, e bytes.Buffer
	root.SetOut(&o)
	root.SetErr(&e)
	root.SetIn(strings.NewReader(stdin))
	code = execute(root, append([]string{"advise"}, args...))
	return o.String(), e.String(), code
}

// burstsCSV is a day and an hour with a burst of six jobs each half hour.
func burstsCSV() string {
	text := "created_at,queued,duration,tag\n"
	for n := range 50 {
		for range 6 {
			text += fmt.Sprintf("%d,3,300,azure linux\n", n*1800+n%7*60)
		}
	}
	return text
}

const adviseConfig = `concurrent = 20
check_interval = 5
[[runners]]
  name = "azure"
  limit = 8
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    capacity_per_instance = 1
    max_use_count = 1
    max_instances = 10
    instance_acquire_timeout = "20m"
    [[runners.autoscaler.policy]]
      idle_count = 1
      idle_time = "30m0s"
`

// TestAdvise goes the whole way, with real simulations.
func TestAdvise(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	config, page := filepath.Join(dir, "config.toml"), filepath.Join(dir, "page.html")
	require.NoError(t, os.WriteFile(config, []byte(adviseConfig), 0o600))
	out, errors, code := advised(burstsCSV(), "--jobs", "-", "--tag", "azure", "--config", config, "--price", "0.2", "--currency", "EUR", "--report", page, "--output", "json")
	require.Zero(t, code, errors)
	var advice struct {
		Jobs     int
		Fleet    map[string]any
		Policies []struct {
			Name          string
			Current, Pick bool
		}
		Pick struct {
			Test struct {
				Monthly float64 `json:"monthly_cost"`
			} `json:"last_third"`
		}
		TOML, Why, Scaler string
		Notes             []string
		Cheaper           float64 `json:"cheaper_than_baseline"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &advice))
	assert.Equal(t, 300, advice.Jobs)
	assert.Equal(t, []any{8.0, 10.0, 5.0, 1200.0}, []any{advice.Fleet["concurrent"], advice.Fleet["max_instances"], advice.Fleet["check_interval_seconds"], advice.Fleet["instance_acquire_timeout_seconds"]})
	assert.Contains(t, advice.TOML, "[[runners.autoscaler.policy]]")
	assert.Contains(t, advice.Why, "bursts of up to 6 jobs")
	assert.Contains(t, advice.Scaler, "taskscaler")
	assert.Positive(t, advice.Pick.Test.Monthly)
	assert.Positive(t, advice.Cheaper, "one instance a boot keeps a burst waiting")
	assert.Contains(t, strings.Join(advice.Notes, "\n"), "no schedule was tried")
	current := 0
	for _, p := range advice.Policies {
		if p.Current {
			current++
			assert.Equal(t, "idle 1 for 30m, preemptive", p.Name)
		}
	}
	assert.Equal(t, 1, current)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(text), "EUR a month")
}

func TestAdviseText(t *testing.T) {
	out, errors, code := advised(burstsCSV(), "--jobs", "-", "--target", "p95=90s", "--start", "2026-03-02T00:00:00Z")
	require.Zero(t, code, errors)
	for _, want := range []string{"300 jobs in 1.0 days", "boot: median 1m0s", "GitLab's sample: idle 5 for 20m, one use", "Over all 1.0 days:", "Take ", "Why: bursts of up to 6 jobs", "idle_count = ", "To know:", "Not modelled:", "the runner's own scaler, taskscaler"} {
		assert.Contains(t, out, want)
	}
	assert.Empty(t, errors)
}

// TestBadInputOfAdvise: one line that says what to do, and the exit code of the kind.
func TestBadInputOfAdvise(t *testing.T) {
	t.Setenv("GITLAB_TOKEN", "")
	for _, c := range []struct {
		stdin, args string
		code        int
		want        string
	}{
		{"", "", 2, "--jobs names a file with jobs, or --gitlab where to read them from"},
		{"", "--jobs a --gitlab https://gitlab.example.com", 2, "two sources"},
		{"", "--gitlab https://gitlab.example.com", 2, "--gitlab needs --project or --runner"},
		{"", "--jobs - --target fast", 2, "--target is as p95=60s"},
		{"", "--jobs - --target p95=0s", 2, "--target is as p95=60s"},
		{"", "--jobs - --budget 500", 2, "--budget needs --price"},
		{"", "--jobs - --size Standard_D2s_v5", 2, "belong together"},
		{"", "--jobs - --since yesterday", 2, "--since is a date"},
		{"", "--jobs - --timezone Mars", 2, "--timezone is a name"},
		{"", "--jobs - --boot -3s", 2, "--boot, --resume"},
		{"", "--jobs - --failed-starts 1", 2, "--failed-starts is from 0 to 0.95"},
		{"", "--jobs - --max-instances 0", 2, "--max-instances"},
		{"", "--jobs - --workers -1", 2, "--workers is not below 0"},
		{"", "--jobs - --output yaml", 2, "--output is text or json"},
		{"", "--jobs -", 1, "it is empty"},
		{"<html>", "--jobs -", 1, "it is an HTML page"},
		{`{"message":"401 Unauthorized"}`, "--jobs -", 1, "it is an error of GitLab"},
		{`[{"id":1}]`, "--jobs -", 1, "it is JSON, but not of jobs"},
		{"hello", "--jobs -", 1, "it is neither JSON nor CSV"},
		{"created_at,duration\n1,2\n", "--jobs -", 1, "1 jobs in 0s are too few"},
		{"created_at,duration\n1,-7\n", "--jobs -", 1, "the times of 1 of its 1 jobs run backwards"},
		{burstsCSV(), "--jobs - --tag gpu", 1, `none of its 300 jobs is selected with --tag gpu; the tags in it: "azure" (300), "linux" (300)`},
		{"", "--jobs /none", 1, "there is no such file"},
		{"", "--jobs /", 1, "read jobs from /: it cannot be read"},
		{burstsCSV(), "--jobs - --config /none", 1, "there is no such file"},
		{"", "--gitlab https://gitlab.example.com --project 7", 1, "there is no token"},
		{"", "--gitlab http://gitlab.example.com --project 7 --token-file /none", 1, "read the token: there is no file /none"},
	} {
		out, errors, code := advised(c.stdin, strings.Fields(c.args)...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, errors, c.want, c.args)
		assert.Equal(t, 1, strings.Count(errors, "\n"), errors)
		assert.Empty(t, out, c.args)
	}
}

// TestAdviseReadsFromGitLab: with a token of a file, which no error shows.
func TestAdviseReadsFromGitLab(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const token = "glpat-of-a-file"
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	refuse := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `[{"id":1,"status":"success","stage":"test","created_at":%q,"started_at":%q,"duration":3,"queued_duration":1}]`,
			time.Now().Format(time.RFC3339), time.Now().Format(time.RFC3339))
	}))
	defer server.Close()
	_, errors, code := advised("", "--gitlab", server.URL, "--project", "7", "--token-file", file)
	assert.Equal(t, 1, code)
	assert.Contains(t, errors, "403 Forbidden: the token may not read this; fix: scope read_api")
	assert.NotContains(t, errors, token)
	refuse = false
	_, errors, code = advised("", "--gitlab", server.URL, "--project", "7", "--token-file", file)
	assert.Equal(t, 1, code)
	assert.Contains(t, errors, "1 jobs in 0s are too few")
}

// TestOldJobsAreLeftOut: what is older than eight weeks, unless it is asked for.
func TestOldJobsAreLeftOut(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	all := func() (all []jobs.Job) {
		for day := range 100 {
			all = append(all, jobs.Job{Arrives: begin.AddDate(0, 0, day), Lasts: time.Minute})
		}
		return all
	}
	o := adviseOptions{inDuration: 40 * time.Second}
	trimmed := o.trim(all())
	assert.Len(t, trimmed, 57)
	assert.Equal(t, 20*time.Second, trimmed[0].Lasts)
	o = adviseOptions{inDuration: 2 * time.Minute, since: "2026-01-01"}
	trimmed = o.trim(all())
	assert.Len(t, trimmed, 100)
	assert.Zero(t, trimmed[0].Lasts)
}

// TestMeasuredStarts are those of the plugin's metrics, from a file or a server.
func TestMeasuredStarts(t *testing.T) {
	t.Parallel()
	const boots = "fleeting_azure_instance_creation_duration_seconds_bucket{le=\"60\"} 50\n" +
		"fleeting_azure_instance_creation_duration_seconds_bucket{le=\"+Inf\"} 50\n"
	const pool = "fleeting_azure_warm_pool_start_duration_seconds_bucket{le=\"20\"} 40\n" +
		"fleeting_azure_warm_pool_start_duration_seconds_bucket{le=\"+Inf\"} 40\n"
	file := writeForTest(t, "metrics", boots, 0o600)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(boots + pool))
	}))
	defer server.Close()
	for from, resume := range map[string]time.Duration{file: 0, server.URL + "/metrics": 10 * time.Second} {
		a := adviseFleet{bootFrom: from, changed: func(string) bool { return false }}
		var fleet sim.Fleet
		notes, err := a.starts(t.Context(), &fleet)
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{30 * time.Second, resume}, []time.Duration{fleet.Boot.Median, fleet.Resume.Median})
		assert.Contains(t, notes[0], "of 50 instances")
		assert.Contains(t, notes[1], map[bool]string{true: "no warm pool was tried", false: "of 40 instances"}[resume == 0])
	}
	for from, want := range map[string]string{server.URL: "404 Not Found", "/none": "there is no file /none", writeForTest(t, "other", "", 0o600): "has 0, and it takes 10; fix: --boot"} {
		a := adviseFleet{bootFrom: from}
		_, err := a.starts(t.Context(), &sim.Fleet{})
		require.ErrorContains(t, err, want)
	}
}

// TestWarmPoolInUse is that of plugin_config, with a guess of its starts where nothing says
// how long they take.
func TestWarmPoolInUse(t *testing.T) {
	t.Parallel()
	a := adviseFleet{config: writeForTest(t, "config.toml", adviseConfig+"    [runners.autoscaler.plugin_config]\n      warm_pool_size = 4\n", 0o600)}
	a.changed = func(string) bool { return false }
	fleet, _, err := a.fleet()
	require.NoError(t, err)
	assert.Equal(t, 4, fleet.WarmPool)
	notes, err := a.starts(t.Context(), &fleet)
	require.NoError(t, err)
	assert.Equal(t, 35*time.Second, fleet.Resume.Median)
	assert.Contains(t, notes[1], "is a guess (median 35s)")
}

// TestWhatAdvisePrintsLoads into the runner and the plugin, as what was simulated.
func TestWhatAdvisePrintsLoads(t *testing.T) {
	t.Parallel()
	policies := []sim.Policy{
		{IdleTime: 5 * time.Minute},
		{Periods: []string{"* 8-17 * * mon-fri", "* 9 * * sat"}, Timezone: "Europe/Berlin", IdleCount: 4, IdleTime: 90 * time.Second, ScaleFactor: 1.5, ScaleFactorLimit: 9},
		{Periods: []string{"* 12 * * *"}, IdleCount: 1, IdleTime: time.Hour, Preemptive: true},
	}
	a := advise.Advice{Input: &advise.Input{}, Pick: &advise.Candidate{Policies: policies, WarmPool: 3}}
	file, err := runnerconfig.Parse([]byte("[[runners]]\n[runners.autoscaler]\n" + a.Pick.TOML() + "[runners.autoscaler.plugin_config]\n" +
		"name = \"ci\"\nsubscription_id = \"00000000-0000-0000-0000-000000000000\"\nresource_group_name = \"ci\"\n" + a.PluginConfig()))
	require.NoError(t, err)
	assert.Equal(t, policies, policiesOf(file.Runners[0].Autoscaler))
	raw, err := json.Marshal(file.Runners[0].Autoscaler.PluginConfig)
	require.NoError(t, err)
	c, err := config.Parse(raw, func(string) string { return "" })
	require.NoError(t, err)
	assert.Equal(t, 3, c.WarmPoolSize.Int())

	a.Input.Fleet.WarmPool, a.Pick.WarmPool = 3, 0
	assert.Equal(t, "warm_pool_size = 0\n", a.PluginConfig(), "the one in use goes")
	a.Input.Fleet.WarmPool = 0
	assert.Empty(t, a.PluginConfig(), "there is nothing to change")
}
