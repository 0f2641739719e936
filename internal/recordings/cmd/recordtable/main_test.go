package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const recorded = `{"entries": [{"index": 1, "method": "GET", "status": 200,
 "url": "/subscriptions/S/resourceGroups/secretGroup/providers/Microsoft.Compute/virtualMachineScaleSets/secretSet?api-version=1"}]}`

// kept writes a recording and the table that it gives.
func kept(t *testing.T) (dir, table string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one.json"), []byte(recorded), 0o600))
	var out bytes.Buffer
	require.NoError(t, run([]string{dir}, &out, io.Discard))
	table = filepath.Join(t.TempDir(), "exchanges.json")
	require.NoError(t, os.WriteFile(table, out.Bytes(), 0o600))
	return dir, table
}

func TestCheckPasses(t *testing.T) {
	dir, table := kept(t)
	var out bytes.Buffer
	require.NoError(t, run([]string{"-check", table, "-sources", t.TempDir(), dir}, &out, io.Discard))
	assert.Empty(t, out.String())
}

func TestCheckFindsANewRecording(t *testing.T) {
	dir, table := kept(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two.json"), []byte(recorded), 0o600))
	err := run([]string{"-check", table, dir}, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "two: not in the table")
}

func TestCheckFindsAnotherLayout(t *testing.T) {
	dir, table := kept(t)
	raw, err := os.ReadFile(table)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(table, append(raw, '\n'), 0o600))
	assert.ErrorContains(t, run([]string{"-check", table, dir}, io.Discard, io.Discard), "written or ordered otherwise")
}

func TestCheckFindsNames(t *testing.T) {
	dir, table := kept(t)
	sources := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(sources, "a.go"), []byte("package a // secretSet"), 0o600))
	err := run([]string{"-check", table, "-sources", sources, dir}, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "secretSet of recording one")
}

func TestUsage(t *testing.T) {
	assert.ErrorContains(t, run(nil, io.Discard, io.Discard), "usage")
	assert.ErrorContains(t, run([]string{""}, io.Discard, io.Discard), "usage")
	_, table := kept(t)
	assert.ErrorContains(t, run([]string{"-check", table, t.TempDir()}, io.Discard, io.Discard), "no *.json")
}
