package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestControlOfFaults(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	for _, step := range []struct{ method, target, body, want string }{
		{"GET", "/faults", "", `[]`},
		{"POST", "/faults", `{"operation":"VirtualMachineScaleSets_Get","for":"1h","error":{"status":503}}`, `{"added":1}`},
		{"POST", "/faults", `[{"name":"b","cut":"after","object":"x"},{"name":"c","slow":2}]`, `{"added":2}`},
		{"POST", "/faults", `{"name":"d"}`, `{"error":"add fault 1: it has no effect; set one, as error, delay, cut or fail"}`},
		{"POST", "/faults", `{"wen":1}`, `{"error":"control /faults: json: unknown field \"wen\""}`},
		{"POST", "/faults", ``, `{"error":"control /faults: EOF"}`},
		{"GET", "/faults", "", `[
			{"name":"fault 1","operation":"VirtualMachineScaleSets_Get","for":"1h0m0s","error":{"status":503},"matched":0,"applied":0},
			{"name":"b","cut":"after","object":"x","matched":0,"applied":0},
			{"name":"c","slow":2,"matched":0,"applied":0}]`},
		{"POST", "/events", `{"after":"1s","do":"tag"}`, `{"added":1}`},
		{"POST", "/events", `[{"do":"hug"}]`, `{"error":"add event 1: do \"hug\": there is nothing of that name; known: deallocate, delete, evict, kill, start, raise, tag, quota, stock"}`},
		{"POST", "/instances/ci_0/deallocate", "", `{"deallocated":"ci_0"}`},
		{"POST", "/instances/ci_0/start", "", `{"started":"ci_0"}`},
		{"POST", "/instances/ci_0/delete", "", `{"deleted":"ci_0"}`},
		{"POST", "/instances/ci_0/start", "", `{"error":"start instance \"ci_0\": it is being deleted"}`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), step.method, s.ControlEndpoint+step.target, strings.NewReader(step.body))
		require.NoError(t, err)
		assert.JSONEq(t, step.want, readAll(t, r), "%s %s", step.method, step.target)
	}
	assert.Equal(t, http.StatusServiceUnavailable, s.get(t, set).status)
	status, _ := s.control(t, http.MethodDelete, "/faults", "")
	assert.Equal(t, http.StatusOK, status)
	s.Advance(settled)
	assert.Equal(t, "1", s.get(t, set).text("tags.armsim"))
	assert.Empty(t, s.Instances())
}
