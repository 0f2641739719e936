package testbed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	for text, choosesPort := range map[string]bool{
		"15.11.0": false, "16.11.3": false, "17.5.0": false, "17.9.3": false, "17.10.1": false, "17.11.0": true, "18.0.0~pre.1.gabc": true, "19.3.0": true,
	} {
		v, err := parseVersion(text)
		require.NoError(t, err)
		assert.Equal(t, text, v.String())
		assert.Equal(t, choosesPort, v.choosesPort(), text)
		assert.Equal(t, v.Major > 16, v.TakesPolicies(), text)
		assert.Equal(t, v.Major > 16, v.LogsForPlugin(), text)
		assert.Equal(t, v.Major > 18, v.CleansUpInTime(), text)
	}
	for _, text := range []string{"", "development version", "17", "x.1"} {
		v, err := parseVersion(text)
		require.ErrorContains(t, err, "no version", text)
		assert.False(t, v.choosesPort())
	}
}

func TestVersionOfSomethingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := func(name, script string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700))
		return path
	}
	v, err := Version(t.Context(), program("runner", "printf 'Version:      17.9.3\\nGit revision: abc\\n'"))
	require.NoError(t, err)
	assert.Equal(t, "17.9.3", v.String())
	for name, script := range map[string]string{"other": "echo hello", "broken": "exit 1"} {
		_, err = Version(t.Context(), program(name, script))
		require.ErrorContains(t, err, "fix: name the binary of GitLab Runner")
		assert.NotContains(t, err.Error(), "\n")
	}
}
