package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// control asks the control endpoint and returns the status and the response.
func (s *sim) control(t *testing.T, method, target, token string) (int, any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.ControlEndpoint+target, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	return response.StatusCode, decode(t, response)
}

func TestControl(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	require.NoError(t, err)
	for _, step := range []struct {
		method, target string
		status         int
		path           string
		want           any
	}{
		{"GET", "/clock", 200, "virtual", true},
		{"GET", "/instances", 200, "0.provisioningState", "Creating"},
		{"POST", "/clock?advance=1m", 200, "virtual", true},
		{"GET", "/stats", 200, "running", 1.0},
		{"GET", "/journal", 200, "0.operation", "VirtualMachineScaleSets_CreateOrUpdate"},
		{"GET", "/journal?after=1", 200, "0", nil},
		{"POST", "/instances/none/kill", 400, "error", `kill instance "none": there is none of that name`},
		{"POST", "/instances/ci_0/hug", 400, "error", `control instance "ci_0": unknown verb "hug"; known: kill, evict, deallocate, start, delete`},
		{"POST", "/clock?advance=soon", 400, "virtual", nil},
		{"POST", "/clock?advance=-1s", 400, "virtual", nil},
		{"POST", "/limits?taken=0.5", 200, "taken", 0.5},
		{"POST", "/limits?taken=1", 400, "error", "share request limits: taken 1: it must be from 0 to below 1"},
		{"POST", "/limits", 400, "error", `share request limits: taken "": a number is needed`},
		{"GET", "/nothing", 400, "virtual", nil},
	} {
		status, body := s.control(t, step.method, step.target, "")
		assert.Equal(t, step.status, status, step.target)
		assert.Equal(t, step.want, get(body, step.path), step.target)
	}
	status, _ := s.control(t, "POST", "/instances/"+s.Instances()[0].VMID+"/kill", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Zero(t, s.Stats().Running)
}

func TestControlToken(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{ControlToken: "hush"})
	for token, want := range map[string]int{"": 401, "wrong": 401, "hush": 200} {
		status, _ := s.control(t, "GET", "/stats", token)
		assert.Equal(t, want, status)
	}
}
