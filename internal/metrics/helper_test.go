package metrics

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	fleeting "gitlab.com/gitlab-org/fleeting/fleeting/metrics/prometheus"
	taskscaler "gitlab.com/gitlab-org/fleeting/taskscaler/metrics/prometheus"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

var update = flag.Bool("update", false, "rewrite the table of metrics in the guide")

const guide = "../../docs/guides/monitoring.md"

// family is a metric as Prometheus sees it.
type family struct {
	help, kind string
	labels     []string
}

func families(t *testing.T, from prometheus.Gatherer) map[string]family {
	t.Helper()
	all, err := from.Gather()
	require.NoError(t, err)
	found := map[string]family{}
	for _, f := range all {
		labels := map[string]bool{}
		for _, one := range f.GetMetric() {
			for _, l := range one.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		found[f.GetName()] = family{f.GetHelp(), strings.ToLower(f.GetType().String()), slices.Sorted(maps.Keys(labels))}
	}
	return found
}

// own are the metrics of the plugin.
func own(t *testing.T) map[string]family {
	t.Helper()
	m := New(identity)
	s := sources(nil)
	group := s.Group()
	group.Viewed = group.Viewed.AddDate(2025, 0, 0)
	s.Group = func() instancegroup.Snapshot { return group }
	m.Attach(s)
	m.Responded("Op", budget.ListInstances, 200)
	return families(t, m.registry)
}

// ofRunner are the metrics that fleeting and taskscaler give to the runner, from their own
// collectors, with the labels that the runner gives to them (its
// executors/internal/autoscaler/provider.go).
func ofRunner(t *testing.T) map[string]family {
	t.Helper()
	labels := prometheus.Labels{"runner": "x", "runner_name": "x", "system_id": "x"}
	f, s := fleeting.New(fleeting.WithConstLabels(labels)), taskscaler.New(taskscaler.WithConstLabels(labels))
	f.InternalOperationInc("x")
	f.InstanceOperationInc("x")
	f.InstancesCountSet("x", 1)
	s.ScaleOperationInc("x")
	s.TaskOperationInc("x")
	s.TasksCountSet("x", 1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(f, s)
	return families(t, registry)
}

var histogramKind = strings.ToLower(dto.MetricType_HISTOGRAM.String())
