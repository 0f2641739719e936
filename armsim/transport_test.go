package armsim_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestInProcess: within a synctest bubble, whose time the simulator takes.
func TestInProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := armsim.New(armsim.Config{InProcess: true, TimeScale: 3, Boot: armsim.Duration{Median: 30 * time.Second, Spread: 0.5}})
		require.NoError(t, err)
		path, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
		require.NoError(t, err)
		assert.Zero(t, s.Stats().Running)
		time.Sleep(5 * time.Minute)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint+path+"/virtualMachines?api-version="+version, http.NoBody)
		require.NoError(t, err)
		token, err := s.Token()
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := (&http.Client{Transport: s.Transport(), Timeout: time.Minute}).Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		var page object
		require.NoError(t, json.NewDecoder(response.Body).Decode(&page))
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Len(t, page["value"], 2)
		assert.Equal(t, 2, s.Stats().Running)
		s.Close()
		_, err = s.Transport().RoundTrip(r)
		assert.Error(t, err, "it is closed")
	})
}

func TestInProcessTouchesNothing(t *testing.T) {
	t.Parallel()
	s, err := armsim.New(armsim.Config{InProcess: true})
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []any{"", "", 0, "https://armsim.invalid"}, []any{s.ControlEndpoint, s.CAFile, s.SSHPort, s.Endpoint})
}

// TestTransportBesideTheNetwork reaches the same simulator.
func TestTransportBesideTheNetwork(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	s.client = &http.Client{Transport: s.Transport()}
	assert.Len(t, s.ids(t, set), 1)
}

func BenchmarkInProcess(b *testing.B) {
	for b.Loop() {
		s, err := armsim.New(armsim.Config{InProcess: true})
		require.NoError(b, err)
		s.Close()
	}
}
