package binary_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// The runner keeps what it knows of an instance under its ID, over restarts.
func TestRestartKeepsIDs(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 4})
	p := launch.Open(t, s)
	ids := p.AwaitRunning(t, 4)
	p.Kill(t)
	require.Eventually(t, func() bool {
		_, err := p.States(t)
		return err != nil
	}, launch.Patience, launch.Tick)

	next := launch.Open(t, s)
	states, err := next.States(t)
	require.NoError(t, err)
	assert.Len(t, states, 4)
	assert.Equal(t, ids, next.AwaitRunning(t, 4))
	done, err := next.Decrease(t.Context(), ids)
	require.NoError(t, err)
	assert.ElementsMatch(t, ids, done)
	next.AwaitRunning(t, 0)
	assert.Zero(t, s.Stats().Capacity)
}
