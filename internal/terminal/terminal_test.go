package terminal

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func environment(values map[string]string) func(string) string {
	return func(key string) string { return values[key] }
}

// TestNotATerminal: neither a buffer, nor a file, nor a pipe gets anything but text.
func TestNotATerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	_, pipe, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	var buffer bytes.Buffer
	for _, one := range []Terminal{New(&buffer, &buffer, environment(nil)), New(file, file, environment(nil)), New(pipe, pipe, environment(nil)), {}} {
		for _, style := range []Style{Plain, Good, Doubtful, Bad, Faint} {
			assert.Equal(t, "text", one.Paint(style, "text"))
		}
		assert.False(t, one.Clear())
		done := one.Spin("waiting")
		done()
		done()
	}
	assert.Empty(t, buffer.String())
}
