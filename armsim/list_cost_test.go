package armsim_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// longLists are a scale set with so many instances, and what lists them and
// their interfaces.
func longLists(t testing.TB, mode string, instances, page int) (*sim, map[string]string) {
	t.Helper()
	s := virtual(t, armsim.Config{InProcess: true, PageSize: page, Seed: 1})
	set, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: instances})
	require.NoError(t, err)
	s.Advance(settled)
	if mode == "Uniform" {
		return s, map[string]string{"instances": set + "/virtualMachines", "interfaces": set + "/networkInterfaces"}
	}
	return s, map[string]string{"instances": s.machinesPath(), "interfaces": s.ResourcePath("/providers/Microsoft.Network/networkInterfaces")}
}

// read reads a response without looking into it.
func (s *sim) read(t testing.TB, path string) {
	r, err := http.NewRequest(http.MethodGet, s.Endpoint+path+"?api-version="+version, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	response, err := s.client.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
}

// TestPagesCostWhatTheyShow: a page costs as much of a long list as of a short
// one. Allocations stand for the work of rendering.
func TestPagesCostWhatTheyShow(t *testing.T) {
	const page = 20
	for _, mode := range modes {
		short, lists := longLists(t, mode, 2*page, page)
		long, _ := longLists(t, mode, 500, page)
		for name, path := range lists {
			few := testing.AllocsPerRun(5, func() { short.read(t, path) })
			many := testing.AllocsPerRun(5, func() { long.read(t, path) })
			assert.Less(t, many, 1.3*few, "%s of a %s set", name, mode)
		}
	}
}

// BenchmarkLists reads a page of the lists of a scale set with 1,000 instances.
func BenchmarkLists(b *testing.B) {
	for _, mode := range modes {
		for _, page := range []int{50, 1000} {
			s, lists := longLists(b, mode, 1000, page)
			for name, path := range lists {
				b.Run(fmt.Sprintf("%s/%s/page=%d", mode, name, page), func(b *testing.B) {
					for b.Loop() {
						s.read(b, path)
					}
				})
			}
		}
	}
}
