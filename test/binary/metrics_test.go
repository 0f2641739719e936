package binary_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

var metricsAt = regexp.MustCompile(`metrics are served: .*address=(127\.0\.0\.1:\d+)`)

// scrape reads the metrics as Prometheus does: values by name and labels, without the
// labels that all have.
func scrape(t *testing.T, p *launch.Plugin) map[string]float64 {
	t.Helper()
	require.Eventually(t, func() bool { return metricsAt.MatchString(p.Log.String()) }, launch.Patience, launch.Tick, "%s", p.Log)
	response, err := http.Get("http://" + metricsAt.FindStringSubmatch(p.Log.String())[1] + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	values := map[string]float64{}
	common := regexp.MustCompile(`,?(resource_group|scale_set)="ci"`)
	for _, m := range regexp.MustCompile(`(?m)^(\w+)\{(.*)\} (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, m[2], `resource_group="ci"`)
		value, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err, m[0])
		values[m[1]+"{"+strings.TrimPrefix(common.ReplaceAllString(m[2], ""), ",")+"}"] = value
	}
	return values
}

// startMeasured starts a plugin that serves metrics.
func startMeasured(t *testing.T, s *armsim.Server, address string) *launch.Plugin {
	t.Helper()
	config := launch.ConfigFor(s, "ci")
	config["metrics_listen"] = address
	p := launch.Start(t, launch.EnvironmentOf(s), config)
	p.Open(t)
	return p
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	require.Eventually(t, func() bool { return s.Stats().Running == 1 }, launch.Patience, launch.Tick, "one that the first view shows being created is measured, too")
	p := startMeasured(t, s, ":0")
	p.AwaitRunning(t, 1)
	_, err := p.Increase(t.Context(), 2)
	require.NoError(t, err)
	ids := p.AwaitRunning(t, 3)
	done, err := p.Decrease(t.Context(), ids[:1])
	require.NoError(t, err)
	require.Len(t, done, 1)
	p.AwaitRunning(t, 2)

	got := scrape(t, p)
	for key, want := range map[string]float64{
		`fleeting_azure_requests_total{code="202",operation="VirtualMachineScaleSets_DeleteInstances"}`: 1,
		`fleeting_azure_instances{state="running"}`:                                                     2,
		`fleeting_azure_instances{state="dead"}`:                                                        0,
		`fleeting_azure_increases_total{outcome="accepted"}`:                                            1,
		`fleeting_azure_increases_total{outcome="refused"}`:                                             0,
		`fleeting_azure_accepted_instances_total{}`:                                                     2,
		`fleeting_azure_lost_instances_total{}`:                                                         0,
		`fleeting_azure_removed_instances_total{reason="requested"}`:                                    1,
		`fleeting_azure_instance_creation_duration_seconds_count{}`:                                     2,
		`fleeting_azure_instance_deletion_duration_seconds_count{}`:                                     1,
		`fleeting_azure_detection_delay_seconds_count{}`:                                                2,
		`fleeting_azure_unaccounted_instances{}`:                                                        0,
		`fleeting_azure_lease_held{}`:                                                                   1,
		`fleeting_azure_lease_lost{}`:                                                                   0,
	} {
		value, found := got[key]
		assert.True(t, found, key)
		assert.Equal(t, want, value, key)
	}
	for _, key := range []string{
		`fleeting_azure_requests_total{code="200",operation="VirtualMachineScaleSetVMs_List"}`,
		`fleeting_azure_requests_total{code="200",operation="VirtualMachineScaleSets_Get"}`,
		`fleeting_azure_budget_calls{class="GET virtualmachinescalesets/virtualmachines list"}`,
		`fleeting_azure_last_view_timestamp_seconds{}`, `fleeting_azure_list_duration_seconds_count{}`,
		`go_goroutines{}`, `fleeting_azure_capacity_instances{}`,
	} {
		assert.Positive(t, got[key], key)
	}
	for _, o := range armops.All() {
		counted := 0.0
		for key, value := range got {
			if strings.HasPrefix(key, "fleeting_azure_requests_total{") && strings.Contains(key, `operation="`+o.Name+`"`) {
				counted += value
			}
		}
		assert.EqualValues(t, s.Stats().Requests[o.Name], counted, o.Name)
	}
}

// TestMetricsPortIsTaken: the second of two plugins with one port works all the same.
func TestMetricsPortIsTaken(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	first := startMeasured(t, s, ":0")
	scrape(t, first)
	port := metricsAt.FindStringSubmatch(first.Log.String())[1]

	second := startMeasured(t, s, port)
	require.Eventually(t, func() bool { return second.Log.Contains("metrics cannot be served") }, launch.Patience, launch.Tick)
	assert.Contains(t, second.Log.String(), fmt.Sprintf("address=%s", port))
	second.AwaitRunning(t, 1)
}
