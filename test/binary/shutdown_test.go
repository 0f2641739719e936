package binary_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func TestNothingIsWrittenAfterShutdown(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	p := launch.Open(t, s)
	ids := p.AwaitRunning(t, 1)
	writes := launch.WritesOf(s)
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))

	n, err := p.Increase(t.Context(), 1)
	require.ErrorContains(t, err, `the plugin is shutting down; nothing was changed`)
	assert.Zero(t, n)
	gone, err := p.Decrease(t.Context(), ids)
	require.ErrorContains(t, err, "the plugin is shutting down")
	assert.Empty(t, gone)
	assert.Equal(t, writes, launch.WritesOf(s))
	assert.Equal(t, ids, p.AwaitRunning(t, 1), "reading goes on")
}
