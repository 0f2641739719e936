package testbed

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
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
		require.ErrorContains(t, err, "no version of GitLab Runner; fix: use a release, or build your own with CGO_ENABLED=0 go build -ldflags", text)
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
	v, err := version(t.Context(), program("runner", "printf 'Version:      17.9.3\\nGit revision: abc\\n'"))
	require.NoError(t, err)
	assert.Equal(t, "17.9.3", v.String())
	_, err = version(t.Context(), program("own-build", "printf 'Version:      \\nGit revision: \\n'"))
	require.ErrorContains(t, err, "common.VERSION=17.9.3")
	for name, script := range map[string]string{"other": "echo hello", "broken": "exit 1"} {
		_, err = version(t.Context(), program(name, script))
		require.ErrorContains(t, err, "fix: name the binary of GitLab Runner")
		assert.NotContains(t, err.Error(), "\n")
	}
}

// program is an ELF file with one segment of that type.
func program(t *testing.T, segment elf.ProgType) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
	}
	header.Ehsize, header.Phentsize, header.Phnum = uint16(binary.Size(header)), uint16(binary.Size(elf.Prog64{})), 1
	header.Phoff = uint64(header.Ehsize)
	var file bytes.Buffer
	require.NoError(t, binary.Write(&file, binary.LittleEndian, header))
	require.NoError(t, binary.Write(&file, binary.LittleEndian, elf.Prog64{Type: uint32(segment)}))
	path := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	return path
}

func TestCheckStatic(t *testing.T) {
	t.Parallel()
	require.NoError(t, checkStatic(program(t, elf.PT_LOAD)))
	require.ErrorContains(t, checkStatic(program(t, elf.PT_INTERP)), "is linked dynamically, and helper containers of docker-autoscaler have no C library; fix: use a release, or build your own with CGO_ENABLED=0")
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600))
	require.ErrorContains(t, checkStatic(script), "fix: name the binary of GitLab Runner for Linux")
}
