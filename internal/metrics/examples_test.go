package metrics

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// runner are the metrics of GitLab Runner that the examples name, from its source at
// 19.4.0 (d79f3e7b8): commands/builds_helper.go, commands/multi.go and
// helpers/prometheus/failures_collector.go.
var runner = map[string]family{
	"gitlab_runner_jobs":                       {kind: "gauge", labels: []string{"runner", "runner_name", "system_id", "state", "stage", "executor_stage"}},
	"gitlab_runner_limit":                      {kind: "gauge", labels: []string{"runner", "runner_name", "system_id"}},
	"gitlab_runner_job_queue_duration_seconds": {kind: "histogram", labels: []string{"runner", "runner_name", "system_id", "project_jobs_running"}},
	"gitlab_runner_failed_jobs_total":          {kind: "counter", labels: []string{"runner", "runner_name", "failure_reason", "mode"}},
}

// ofTargets are the labels that Prometheus, or the guide's scrape configuration, adds.
var ofTargets = []string{"job", "instance", "runner_name"}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("../../examples/prometheus-rules.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	var all []rule
	for _, g := range file.Groups {
		assert.NotEmpty(t, g.Name)
		all = append(all, g.Rules...)
	}
	return all
}

// expressions are those of the dashboard and its variables.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../examples/grafana-dashboard.json")
	require.NoError(t, err)
	var d struct {
		Panels []struct {
			Title, Type string
			Datasource  map[string]string
			Targets     []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &d))
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
		if v.Definition != "" {
			all = append(all, v.Definition)
		}
	}
	assert.Equal(t, []string{"datasource", "runner_name", "scale_set"}, variables)
	for _, p := range d.Panels {
		assert.NotEmpty(t, p.Title)
		if p.Type != "row" {
			assert.Equal(t, "${datasource}", p.Datasource["uid"], p.Title)
			assert.NotEmpty(t, p.Targets, p.Title)
		}
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\b(?:fleeting|gitlab_runner|go|process)_\w+\b`)
	quoted     = regexp.MustCompile(`"[^"]*"`)
	ofHistory  = regexp.MustCompile(`_(bucket|sum|count)$`)
	matcher    = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*""`)
	grouping   = regexp.MustCompile(`\b(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
)

// TestExamplesNameWhatExists: each metric and each label of the dashboard and the alerts.
func TestExamplesNameWhatExists(t *testing.T) {
	t.Parallel()
	known := own(t)
	maps.Copy(known, ofRunner(t))
	maps.Copy(known, runner)
	all := expressions(t)
	for _, r := range rules(t) {
		all = append(all, r.Expr)
	}
	used := map[string]bool{}
	for _, expr := range all {
		plain := quoted.ReplaceAllString(expr, `""`)
		names := metricName.FindAllString(plain, -1)
		if len(names) == 0 {
			assert.Regexp(t, `^up\{job="[a-z-]+"\}`, expr)
		}
		labels := slices.Clone(ofTargets)
		for _, name := range names {
			base := name
			if f := known[ofHistory.ReplaceAllString(name, "")]; f.kind == histogramKind {
				base = ofHistory.ReplaceAllString(name, "")
				assert.NotEqual(t, base, name, "a histogram in %s", expr)
				labels = append(labels, "le")
			}
			f, found := known[base]
			assert.True(t, found, "there is no metric %s, in %s", name, expr)
			rated := strings.Contains(plain, "increase("+name) || strings.Contains(plain, "rate("+name)
			assert.Equal(t, f.kind != "gauge", rated, "%s of type %s in %s", name, f.kind, expr)
			labels = append(labels, f.labels...)
			used[base] = true
		}
		for _, label := range labelsIn(plain) {
			assert.Contains(t, labels, label, "in %s", expr)
		}
	}
	for _, prefix := range []string{"fleeting_azure_", "fleeting_provisioner_", "fleeting_taskscaler_", "gitlab_runner_"} {
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(name string) bool { return strings.HasPrefix(name, prefix) }), prefix)
	}
	for name := range runner {
		assert.True(t, used[name], "%s is listed and not used", name)
	}
}

// labelsIn are the labels that an expression without its strings matches, or groups by.
func labelsIn(expr string) (labels []string) {
	for _, m := range matcher.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, m[1])
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.Split(m[1], ",") {
			labels = append(labels, strings.TrimSpace(label))
		}
	}
	return labels
}

func TestRulesAreWhole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(guide)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range rules(t) {
		assert.False(t, seen[r.Alert], r.Alert)
		seen[r.Alert] = true
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.NotEmpty(t, r.Annotations["description"], r.Alert)
		assert.Contains(t, []string{"critical", "warning", "info"}, r.Labels["severity"], r.Alert)
		assert.Contains(t, string(text), "`"+r.Alert+"`", "the guide")
		assert.Equal(t, strings.Count(r.Expr, "("), strings.Count(r.Expr, ")"), r.Alert)
	}
	for _, m := range regexp.MustCompile("`((?:FleetingAzure|GitLabRunner)\\w+)`").FindAllStringSubmatch(string(text), -1) {
		assert.True(t, seen[m[1]], "the guide names %s", m[1])
	}
}
