package metrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	m := New(Identity{ResourceGroup: "rg", ScaleSet: "ci"})
	second := m.Further(Identity{ResourceGroup: "rg", ScaleSet: "second"})
	m.Warmed(3)
	m.WarmStarted(20 * time.Second)
	m.WarmStarted(30 * time.Second)
	second.Warmed(7)
	_, log := serve(t, m, "127.0.0.1:0")
	s, err := Read(t.Context(), log.address(t), Identity{ResourceGroup: "RG", ScaleSet: "ci"})
	require.NoError(t, err)
	assert.Equal(t, Starts{Warm: 3, Took: 25 * time.Second}, s)
	s, err = Read(t.Context(), log.address(t), Identity{ResourceGroup: "rg", ScaleSet: "other"})
	require.NoError(t, err)
	assert.Zero(t, s)
}

func TestReadFromNobody(t *testing.T) {
	s, log := serve(t, New(Identity{}), "127.0.0.1:0")
	address := log.address(t)
	s.Close(t.Context())
	_, err := Read(t.Context(), address, Identity{})
	require.ErrorContains(t, err, "fix: see that the runner runs")
	_, err = Read(t.Context(), "nonsense", Identity{})
	require.ErrorContains(t, err, `read the metrics of "nonsense"`)
}
