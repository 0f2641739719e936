package binary_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// TestBinaryIsSmall: a library that is in for a small thing shows here.
func TestBinaryIsSmall(t *testing.T) {
	t.Parallel()
	const most = 25_000_000 // bytes
	info, err := os.Stat(launch.Binary(t, "fleeting-plugin-azure"))
	require.NoError(t, err)
	assert.LessOrEqual(t, info.Size(), int64(most))
}
