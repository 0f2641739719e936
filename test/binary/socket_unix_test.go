//go:build unix

package binary_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// shortDir is a directory whose path leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// startIn starts a plugin that makes temporary files in dir.
func startIn(t *testing.T, dir string) *launch.Plugin {
	t.Helper()
	return launch.Start(t, launch.Environment{"TMPDIR": dir}, launch.PluginConfig{})
}

func socketsIn(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	return found
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPluginRemovesItsSocket(t *testing.T) {
	t.Parallel()
	for reason, end := range map[string]func(*testing.T, *launch.Plugin){
		"the runner asked it to": func(_ *testing.T, p *launch.Plugin) { p.Stop() },
		"SIGTERM received":       func(t *testing.T, p *launch.Plugin) { p.Signal(t, syscall.SIGTERM) },
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			p := startIn(t, dir)
			require.Len(t, socketsIn(t, dir), 1)
			end(t, p)
			requirePluginEnd(t, p, reason)
			requireEmpty(t, dir)
		})
	}
}

// A plugin that was killed removes nothing; the next one does, but only that.
func TestPluginRemovesTheSocketsOfKilledOnes(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	running := startIn(t, dir)
	kept := socketsIn(t, dir)
	killed := startIn(t, dir)
	killed.Kill(t)
	require.Eventually(t, func() bool { return killed.Log.Contains("plugin process exited") }, launch.Patience, launch.Tick)
	require.Len(t, socketsIn(t, dir), 2)
	past := time.Now().Add(-time.Hour)
	for _, socket := range socketsIn(t, dir) {
		require.NoError(t, os.Chtimes(filepath.Dir(socket), past, past))
	}
	next := startIn(t, dir)
	assert.Len(t, socketsIn(t, dir), 2)
	assert.Subset(t, socketsIn(t, dir), kept)
	for _, p := range []*launch.Plugin{next, running} {
		p.Stop()
		requirePluginEnd(t, p, "the runner asked it to")
	}
	requireEmpty(t, dir)
}

// A path that has room for a socket right in it, and for no directory, keeps the
// plugin from nothing.
func TestPluginWithALongTemporaryDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(shortDir(t), strings.Repeat("x", 80))[:85]
	require.NoError(t, os.Mkdir(dir, 0o700))
	startIn(t, dir)
	made, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, made, 1)
	assert.Regexp(t, `^plugin\d+$`, made[0].Name())
}

func TestCommandsMakeNoSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, argument := range []string{"version", "help", "serve"} { // the last one refuses to: no runner has started it
		command := exec.CommandContext(t.Context(), launch.Binary(t, "fleeting-plugin-azure"), argument)
		command.Env = append(os.Environ(), "TMPDIR="+dir)
		out, err := command.CombinedOutput()
		assert.Equal(t, argument == "serve", err != nil, "%s", out)
	}
	requireEmpty(t, dir)
}
