package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	control "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
)

func TestControlOfAProcessIsNotForAll(t *testing.T) {
	t.Parallel()
	p, err := control.Start(binary, "--no-machines")
	require.NoError(t, err)
	defer func() { assert.NoError(t, p.Close()) }()
	for token, status := range map[string]int{p.ControlToken: http.StatusOK, "": http.StatusUnauthorized, "other": http.StatusUnauthorized} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Env["ARMSIM_CONTROL"]+"/stats", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, status, response.StatusCode)
	}
}

func TestFaultsOfAProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "faults.json")
	require.NoError(t, os.WriteFile(file, []byte(`{
		"faults": [{"name": "stock-out", "operation": "instance.create", "skip": 1, "absent": {"code": "AllocationFailed"}}],
		"events": [{"do": "kill"}]
	}`), 0o600))
	p, err := control.Start(binary, "--no-machines", "--boot", "1ms", "--scale-set", "ci", "--capacity", "3", "--faults", file)
	require.NoError(t, err)
	defer func() { assert.NoError(t, p.Close()) }()
	instances, err := p.Instances(t.Context())
	require.NoError(t, err)
	assert.Len(t, instances, 1)

	slow := armsim.Fault{Operation: "instance.delete", For: armsim.Span(time.Hour), Effect: armsim.Effect{Slow: 2}}
	require.NoError(t, p.AddFaults(t.Context(), slow, slow))
	require.NoError(t, p.AddEvents(t.Context(), armsim.Event{After: armsim.Span(time.Hour), Do: "quota"}))
	require.ErrorContains(t, p.AddFaults(t.Context(), armsim.Fault{}), "it has no effect")
	states, err := p.Faults(t.Context())
	require.NoError(t, err)
	require.Len(t, states, 3)
	assert.Equal(t, armsim.FaultState{Fault: armsim.Fault{
		Name: "stock-out", Operation: "instance.create", Skip: 1, Effect: armsim.Effect{Absent: &armsim.Failure{Code: "AllocationFailed"}},
	}, Matched: 3, Applied: 2}, states[0])
	slow.Name = "fault 2"
	assert.Equal(t, armsim.FaultState{Fault: slow}, states[1])
	require.NoError(t, p.ClearFaults(t.Context()))
	states, err = p.Faults(t.Context())
	require.NoError(t, err)
	assert.Empty(t, states)
}
