package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

func TestUseResourceGraph(t *testing.T) {
	t.Parallel()
	for written, want := range map[any]bool{nil: false, false: false, true: true} {
		c, err := config.Parse(with(map[string]any{"use_resource_graph": written}), nil)
		require.NoError(t, err)
		assert.Equal(t, want, c.UseResourceGraph.On(), written)
	}
	for _, written := range []any{"true", 1, []string{}} {
		_, err := config.Parse(with(map[string]any{"use_resource_graph": written}), nil)
		assert.ErrorContains(t, err, "expected a boolean; use true or false, without quotes")
	}
}
