package binary_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// requests are those since the last call, by operation.
func requests(s *armsim.Server, before map[string]int) map[string]int {
	since := map[string]int{}
	for operation, n := range s.Stats().Requests {
		if n > before[operation] {
			since[operation] = n - before[operation]
		}
		before[operation] = n
	}
	return since
}

// TestRequestsOfAQuietFleet counts what updates of 200 instances cost while nothing
// happens: nothing, before it is time for another list.
func TestRequestsOfAQuietFleet(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := launch.Simulator(t, armsim.Config{NoMachines: true, PageSize: 60},
				armsim.ScaleSetSpec{Name: "ci", Capacity: 200, OrchestrationMode: mode, PublicAddress: true})
			p := launch.Open(t, s)
			// No more than a few lists: the plugin keeps to Azure's limits.
			require.Eventually(t, func() bool { return s.Stats().Running == 200 }, launch.Patience, launch.Tick)
			p.AwaitRunning(t, 200)
			p.AwaitRunning(t, 200) // the tag is written with the second update
			seen := map[string]int{}
			requests(s, seen)
			for range 3 {
				_, err := p.States(t)
				require.NoError(t, err)
				assert.Empty(t, requests(s, seen), "200 instances stand on 4 pages of 60")
			}
		})
	}
}

// TestRequestsOfAScaleOut: 50 instances come up together and 50 jobs want to
// connect at once. The addresses are read in bulk.
func TestRequestsOfAScaleOut(t *testing.T) {
	for mode, list := range map[string]string{
		"Uniform":  "NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces",
		"Flexible": "NetworkInterfaces_List",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := launch.Simulator(t, armsim.Config{NoMachines: true, PageSize: 100}, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode})
			p := launch.Open(t, s)
			_, err := p.Increase(t.Context(), 50)
			require.NoError(t, err)
			require.Eventually(t, func() bool { return s.Stats().Running == 50 }, launch.Patience, launch.Tick)
			var ids []string
			require.NoError(t, p.Update(t.Context(), func(id string, state provider.State) {
				assert.Equal(t, provider.StateRunning, state)
				ids = append(ids, id)
			}))
			connectAll(t, p, ids)
			assert.LessOrEqual(t, s.Stats().Requests[list], 2)
		})
	}
}

func connectAll(t *testing.T, p *launch.Plugin, ids []string) {
	require.Len(t, ids, 50)
	var jobs sync.WaitGroup
	for _, id := range ids {
		jobs.Go(func() {
			info, err := p.ConnectInfo(t.Context(), id)
			assert.NoError(t, err)
			assert.NotEmpty(t, info.InternalAddr)
		})
	}
	jobs.Wait()
}
