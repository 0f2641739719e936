package azure_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// gRPC drops an answer that has an error beside it: three instances of five
// would come, none would count as pending, and five more would be asked for. The
// error is told with the next call, or logged.
func TestContractAErrorBesideASuccess(t *testing.T) {
	t.Parallel()
	refused := armsim.Fault{Operation: "VirtualMachineScaleSets_DeleteInstances", Effect: armsim.Effect{Error: &armsim.ErrorAnswer{Status: 403}}}
	s := simulate(t, armsim.Config{NoMachines: true, CoreQuota: 8}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1}) // of 2 cores each
	p := openPlugin(t, s)
	p.running(t, 1)
	n, err := p.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 3, n, "what the quota leaves")
	assert.Equal(t, 4, s.Stats().Capacity)
	n, err = p.Increase(t.Context(), 2)
	require.ErrorContains(t, err, "quota")
	assert.Zero(t, n)
	assert.Equal(t, 4, s.Stats().Capacity)

	ids := p.running(t, 4)
	require.NoError(t, s.AddFaults(refused))
	done, err := p.Decrease(t.Context(), []string{ids[0], "ci_99-01234567"})
	require.NoError(t, err)
	assert.Equal(t, []string{"ci_99-01234567"}, done, "it is not there")
	require.Eventually(t, func() bool { return p.log.contains("AuthorizationFailed") }, patience, tick)
	assert.Equal(t, ids, p.running(t, 4))
}

// Azure/azure-sdk-for-go#19389 and AzureAD/microsoft-authentication-library-for-dotnet#5176:
// whoever gives the tokens is down for a while, as a machine's identity endpoint,
// which the simulator has not, so it is Entra ID here. The fleet is kept, and no
// restart is needed. (The log is searched for secrets when the plugin ends.)
func TestF39EntraIDIsDown(t *testing.T) {
	t.Parallel()
	s := simulate(t, armsim.Config{NoMachines: true, TokenLifetime: 2 * time.Second}, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	p := openPlugin(t, s)
	ids := p.running(t, 2)
	require.NoError(t, s.AddFaults(armsim.Fault{Operation: "Token", Effect: armsim.Effect{Error: &armsim.ErrorAnswer{Status: 503}}}))
	down := 0
	for begun := time.Now(); time.Since(begun) < patience && down == 0; time.Sleep(tick) {
		states, err := p.update(t)
		if err != nil {
			down++
			assert.Empty(t, states)
			continue
		}
		for id, state := range states {
			assert.Equal(t, provider.StateRunning, state, id)
		}
	}
	require.Equal(t, 1, down, "or nothing is proved")
	s.ClearFaults()
	require.Eventually(t, func() bool {
		states, err := p.update(t)
		return err == nil && slices.Equal(ids, slices.Sorted(maps.Keys(states)))
	}, patience, tick)
	assert.Equal(t, ids, p.running(t, 2))
}
