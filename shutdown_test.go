package azure_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestNothingIsWrittenAfterShutdown(t *testing.T) {
	t.Parallel()
	s := simulate(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	p := openPlugin(t, s)
	ids := p.running(t, 1)
	writes := writesOf(s)
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, p.Shutdown(t.Context()))

	n, err := p.Increase(t.Context(), 1)
	require.ErrorContains(t, err, `the plugin is shutting down; nothing was changed`)
	assert.Zero(t, n)
	gone, err := p.Decrease(t.Context(), ids)
	require.ErrorContains(t, err, "the plugin is shutting down")
	assert.Empty(t, gone)
	assert.Equal(t, writes, writesOf(s))
	assert.Equal(t, ids, p.running(t, 1), "reading goes on")
}
