//go:build unix

package process

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start starts a script in place of armsim.
func start(t *testing.T, script string) (*Process, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "armsim")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o700))
	return Start(file)
}

func TestStartTellsWhatTheCommandSaid(t *testing.T) {
	t.Parallel()
	_, err := start(t, "echo 'no port;\nfix: another' >&2; exit 1")
	require.ErrorContains(t, err, "no port; fix: another")
}

func TestCloseTellsHowTheCommandEnded(t *testing.T) {
	t.Parallel()
	p, err := start(t, "echo '# ready'; cat; echo 'panic: odd' >&2; exit 2")
	require.NoError(t, err)
	require.EqualError(t, p.Close(), "end armsim: exit status 2: panic: odd")
}

func TestCloseEndsACommandThatLingers(t *testing.T) {
	t.Parallel()
	p, err := start(t, "echo '# ready'; exec sleep 600")
	require.NoError(t, err)
	p.endTimeout = 10 * time.Millisecond
	require.ErrorContains(t, p.Close(), "end armsim: signal: killed")
}
