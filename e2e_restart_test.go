package azure_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// The runner keeps what it knows of an instance under its ID, over restarts.
func TestRestartKeepsIDs(t *testing.T) {
	t.Parallel()
	s := simulate(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 4})
	p := openPlugin(t, s)
	ids := p.running(t, 4)
	p.murder(t)
	require.Eventually(t, func() bool {
		_, err := p.update(t)
		return err != nil
	}, patience, tick)

	next := openPlugin(t, s)
	states, err := next.update(t)
	require.NoError(t, err)
	assert.Len(t, states, 4)
	assert.Equal(t, ids, next.running(t, 4))
	done, err := next.Decrease(t.Context(), ids)
	require.NoError(t, err)
	assert.ElementsMatch(t, ids, done)
	next.running(t, 0)
	assert.Zero(t, s.Stats().Capacity)
}
