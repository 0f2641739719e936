package metrics

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

var identity = Identity{ResourceGroup: "rg", ScaleSet: "ci", Version: "v1", Revision: "abc"}

func sources(change func(*instancegroup.Snapshot)) Sources {
	s := instancegroup.Snapshot{Instances: map[instancegroup.State]int{instancegroup.Running: 3}}
	if change != nil {
		change(&s)
	}
	return Sources{
		Group:  func() instancegroup.Snapshot { return s },
		Budget: func() map[budget.Class]int { return map[budget.Class]int{budget.ListInstances: 7} },
	}
}

// gathered are the values of all metrics, histograms by their counts and sums, by
// name and labels other than the identity.
func gathered(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			var labels []string
			for _, l := range one.GetLabel() {
				if l.GetName() != "resource_group" && l.GetName() != "scale_set" {
					labels = append(labels, l.GetValue())
				}
			}
			key := strings.Join(append([]string{strings.TrimPrefix(f.GetName(), "fleeting_azure_")}, labels...), " ")
			switch f.GetType() {
			case dto.MetricType_HISTOGRAM:
				values[key+" count"], values[key+" sum"] = float64(one.GetHistogram().GetSampleCount()), one.GetHistogram().GetSampleSum()
			case dto.MetricType_COUNTER:
				values[key] = one.GetCounter().GetValue()
			default:
				values[key] = one.GetGauge().GetValue()
			}
		}
	}
	return values
}

func TestEventsAreCounted(t *testing.T) {
	t.Parallel()
	m := New(identity)
	m.Attach(sources(nil))
	m.Responded("Op", budget.ListInstances, 200)
	m.Responded("Op", budget.ListInstances, 429)
	m.Responded("Op", budget.ListInstances, 0)
	m.Withheld(budget.ReadScaleSet)
	m.Increased(5)
	m.IncreaseRefused()
	m.Removed(instancegroup.Evicted)
	m.Lost(2)
	m.Created(90 * time.Second)
	m.Deleted(30 * time.Second)
	m.Detected(10 * time.Second)
	m.Viewed(500 * time.Millisecond)
	got := gathered(t, m)
	for key, want := range map[string]float64{
		"requests_total 200 Op": 1, "requests_total 429 Op": 1, "requests_total none Op": 1,
		"throttled_requests_total " + string(budget.ListInstances): 1, "throttled_requests_total " + string(budget.ReadScaleSet): 0,
		"unsent_requests_total " + string(budget.ReadScaleSet): 1, "unsent_requests_total " + string(budget.ListInstances): 0,
		"increases_total accepted": 1, "increases_total refused": 1, "accepted_instances_total": 5, "lost_instances_total": 2,
		"removed_instances_total evicted": 1, "removed_instances_total requested": 0,
		"instance_creation_duration_seconds sum": 90, "instance_deletion_duration_seconds sum": 30,
		"detection_delay_seconds sum": 10, "list_duration_seconds sum": 0.5, "list_duration_seconds count": 1,
		"budget_calls " + string(budget.ListInstances): 7, "instances running": 3,
	} {
		value, found := got[key]
		assert.True(t, found, "%s is not among %v", key, slices.Sorted(maps.Keys(got)))
		assert.Equal(t, want, value, key)
	}
}

func TestStateIsReadWhenAsked(t *testing.T) {
	t.Parallel()
	m, at := New(identity), time.UnixMilli(0)
	s := instancegroup.Snapshot{}
	m.Attach(Sources{Group: func() instancegroup.Snapshot { return s }, Budget: func() map[budget.Class]int { return nil }})
	assert.NotContains(t, gathered(t, m), "last_view_timestamp_seconds", "there is none yet")
	at = at.Add(1500 * time.Millisecond)
	s = instancegroup.Snapshot{
		Capacity: 9, Pending: 2, Unaccounted: 1, Viewed: at, LeaseHeld: true,
		PauseFailedStarts: time.Minute, PauseRefused: time.Second, PauseTransient: 2 * time.Second,
	}
	got := gathered(t, m)
	for key, want := range map[string]float64{
		"capacity_instances": 9, "pending_instances": 2, "unaccounted_instances": 1, "last_view_timestamp_seconds": 1.5,
		"lease_held": 1, "lease_lost": 0,
		"increase_pause_seconds failed_starts": 60, "increase_pause_seconds refused": 1, "increase_pause_seconds transient": 2,
	} {
		assert.Equal(t, want, got[key], key)
	}
}

// Every metric, those of the process and of Go as well, says whose it is, as all
// plugins of a machine are scraped alike.
func TestMetricsAreLabelled(t *testing.T) {
	t.Parallel()
	m := New(identity)
	m.Attach(sources(nil))
	m.Responded("Op", budget.ListInstances, 200)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
		assert.NotEmpty(t, f.GetHelp(), f.GetName())
		for _, one := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range one.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			assert.Equal(t, "rg", labels["resource_group"], f.GetName())
			assert.Equal(t, "ci", labels["scale_set"], f.GetName())
		}
	}
	assert.True(t, names["go_goroutines"])
	assert.True(t, names["fleeting_azure_build_info"])
}
