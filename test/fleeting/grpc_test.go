package fleeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// gRPC drops an answer that has an error beside it: three instances of five
// would come, none would count as pending, and five more would be asked for. The
// error is told with the next call, or logged.
func TestContractAErrorBesideASuccess(t *testing.T) {
	t.Parallel()
	refused := armsim.Fault{Operation: "VirtualMachineScaleSets_DeleteInstances", Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 403}}}
	s := launch.Simulator(t, armsim.Config{NoMachines: true, CoreQuota: 8}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1}) // of 2 cores each
	p := launch.Open(t, s)
	p.AwaitRunning(t, 1)
	n, err := p.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 3, n, "what the quota leaves")
	assert.Equal(t, 4, s.Stats().Capacity)
	n, err = p.Increase(t.Context(), 2)
	require.ErrorContains(t, err, "quota")
	assert.Zero(t, n)
	assert.Equal(t, 4, s.Stats().Capacity)

	ids := p.AwaitRunning(t, 4)
	require.NoError(t, s.AddFaults(refused))
	done, err := p.Decrease(t.Context(), []string{ids[0], "ci_99-01234567"})
	require.NoError(t, err)
	assert.Equal(t, []string{"ci_99-01234567"}, done, "it is not there")
	require.Eventually(t, func() bool { return p.Log.Contains("AuthorizationFailed") }, launch.Patience, launch.Tick)
	assert.Equal(t, ids, p.AwaitRunning(t, 4))
}
