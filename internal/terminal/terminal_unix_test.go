//go:build unix

package terminal

import (
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// device is a terminal, and what is shown on it.
func device(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("there are no pseudo-terminals here:", err)
	}
	t.Cleanup(func() {
		_ = tty.Close()
		_ = screen.Close()
	})
	return screen, tty
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	_, tty := device(t)
	for name, c := range map[string]struct {
		environment          map[string]string
		colour, redraw, live bool
	}{
		"with colours":   {map[string]string{"TERM": "xterm"}, true, true, true},
		"without TERM":   {nil, true, true, true},
		"NO_COLOR":       {map[string]string{"NO_COLOR": "1"}, false, true, true},
		"NO_COLOR empty": {map[string]string{"NO_COLOR": ""}, true, true, true}, // as no-color.org has it
		"dumb":           {map[string]string{"TERM": "dumb"}, false, false, false},
	} {
		one := New(tty, tty, environment(c.environment))
		assert.Equal(t, c.colour, one.colour, name)
		assert.Equal(t, c.redraw, one.redraw, name)
		assert.Equal(t, c.live, one.live, name)
	}
	painted := New(tty, tty, environment(nil)).Paint(Bad, "text")
	assert.Equal(t, "\033[31mtext\033[0m", painted)

	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	mixed := New(file, tty, environment(nil))
	assert.Equal(t, Terminal{Out: file, Err: tty, live: true}, mixed, "results go to a file, and a person waits")
}

// TestSpin: it moves on standard error where that alone is a terminal, and what was done
// at once is never seen.
func TestSpin(t *testing.T) {
	t.Parallel()
	screen, tty := device(t)
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	one := New(file, tty, environment(map[string]string{"TERM": "xterm"}))
	one.Spin("too short")()
	done := one.Spin("waiting")
	buffer := make([]byte, 4096)
	shown := ""
	for !strings.Contains(shown, "waiting") {
		n, err := screen.Read(buffer)
		require.NoError(t, err)
		shown += string(buffer[:n])
	}
	done()
	assert.NotContains(t, shown, "too short")
}

// TestProgress: a bar on a terminal, and nothing anywhere else.
func TestProgress(t *testing.T) {
	t.Parallel()
	screen, tty := device(t)
	show, end := New(tty, tty, environment(map[string]string{"TERM": "xterm"})).Progress("working")
	show(1, 4)
	buffer, shown := make([]byte, 4096), ""
	for !strings.Contains(shown, "working ██████░░░░░░░░░░░░░░░░░░ 1 of 4") {
		n, err := screen.Read(buffer)
		require.NoError(t, err)
		shown += string(buffer[:n])
	}
	end()
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	show, end = New(file, file, environment(nil)).Progress("working")
	show(1, 4)
	end()
	info, err := file.Stat()
	require.NoError(t, err)
	assert.Zero(t, info.Size())
}
