package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	for version, fix := range map[string]string{
		"0.1.0": "", "1.2.3": "", "10.20.30": "", "1.2.3-rc.1": "", "1.2.3-0.a-b": "",
		"":             "make release VERSION=1.2.3",
		"v1.2.3":       "VERSION=1.2.3",
		"1.2":          "three numbers",
		"1":            "three numbers",
		"latest":       "three numbers",
		"1.2.3.4":      "three numbers",
		"01.2.3":       "three numbers",
		"1.2.3-01":     "three numbers",
		"1.2.3-":       "three numbers",
		"1.2.3-a_b":    "three numbers",
		"1.2.3\n":      "three numbers",
		"-1.2.3":       "three numbers",
		"1.2.3+build":  "leave out what follows the +",
		"1.2.3-rc.1+b": "leave out what follows the +",
	} {
		err := checkVersion(version)
		if fix == "" {
			require.NoError(t, err, version)
			continue
		}
		require.ErrorContains(t, err, "fix: ", version)
		require.ErrorContains(t, err, fix, version)
	}
}

func TestRepository(t *testing.T) {
	for registry, want := range map[string]string{
		"registry.example.com":               "registry.example.com/fleeting-plugin-azure",
		"registry.example.com/group/project": "registry.example.com/group/project/fleeting-plugin-azure",
		"registry.example.com:5050/group/":   "registry.example.com:5050/group/fleeting-plugin-azure",
		"localhost:5000":                     "127.0.0.1:5000/fleeting-plugin-azure",
		"localhost/ci":                       "127.0.0.1/ci/fleeting-plugin-azure",
		"registry:5000":                      "",
		"group/project":                      "",
		"registry.example.com/Group":         "",
		"registry.example.com/group:1.2.3":   "",
		"https://registry.example.com":       "",
	} {
		got, err := repository(registry)
		require.Equal(t, want, got, registry)
		if want == "" {
			require.ErrorContains(t, err, "fix: REGISTRY=", registry)
		}
	}
}

// clone makes a repository of one commit.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("as committed\n"), 0o644))
	for _, line := range []string{"init --quiet", "add file", "-c user.name=t -c user.email=t@example.com commit --quiet --message=one"} {
		cmd := exec.CommandContext(t.Context(), "git", strings.Fields(line)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_COMMITTER_DATE=2026-03-04T06:06:07+01:00")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return dir
}

func TestInspect(t *testing.T) {
	dir := clone(t)
	s, err := inspect(t.Context(), dir, false)
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{12}$", s.revision)
	require.Equal(t, time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), s.date)

	unknown := filepath.Join(dir, "unknown.go")
	require.NoError(t, os.WriteFile(unknown, nil, 0o644))
	_, err = inspect(t.Context(), dir, false)
	require.ErrorContains(t, err, "unknown.go", "Go would build it")
	require.ErrorContains(t, err, "fix: ")
	dirty, err := inspect(t.Context(), dir, true)
	require.NoError(t, err)
	require.Equal(t, s.revision+"-dirty", dirty.revision)
	configure := exec.CommandContext(t.Context(), "git", "config", "status.showUntrackedFiles", "no")
	configure.Dir = dir
	require.NoError(t, configure.Run())
	_, err = inspect(t.Context(), dir, false)
	require.ErrorContains(t, err, "unknown.go", "whatever the user does not want to see")

	require.NoError(t, os.Remove(unknown))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("changed\n"), 0o644))
	_, err = inspect(t.Context(), dir, false)
	require.ErrorContains(t, err, "fix: ")

	_, err = inspect(t.Context(), t.TempDir(), false)
	require.ErrorContains(t, err, "fix: ")
}

// TestRefusedBeforeAnythingIsBuilt: none of these leaves a file.
func TestRefusedBeforeAnythingIsBuilt(t *testing.T) {
	t.Chdir(clone(t))
	require.NoError(t, os.WriteFile("unknown", nil, 0o644))
	out := filepath.Join(t.TempDir(), "dist")
	for _, o := range []options{
		{},
		{version: "v0.1.0"},
		{version: "0.1.0"}, // the tree is not clean
		{version: "0.1.0", registry: "registry:5000", allowDirty: true},
		{version: "0.1.0", registry: "registry.example.com", allowDirty: true},
		{version: "0.1.0-rc.1", registry: "localhost:5000", allowDirty: true}, // it would become the latest
	} {
		o.out = out
		err := release(t.Context(), o)
		require.ErrorContains(t, err, "fix: ", o)
		require.NotContains(t, err.Error(), "\n", o)
		require.NoDirExists(t, out)
	}
}

// TestSameBytesElsewhere builds from a copy of the module in another directory,
// and with what a user may have set.
func TestSameBytesElsewhere(t *testing.T) {
	here := filepath.Join(buildReal(t, "0.1.0"), host(t).plugin())
	elsewhere := made
	elsewhere.dir = t.TempDir()
	for _, part := range []string{"cmd/" + pluginName, "instancegroup", "internal"} {
		require.NoError(t, os.CopyFS(filepath.Join(elsewhere.dir, part), os.DirFS(filepath.Join("..", part))))
	}
	for _, pattern := range []string{"../*.go", "../go.mod", "../go.sum"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(elsewhere.dir, filepath.Base(file)), text, 0o644))
		}
	}
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOFLAGS", "-tags=other")
	settings := filepath.Join(t.TempDir(), "env") // as `go env -w` writes it
	require.NoError(t, os.WriteFile(settings, []byte("GOEXPERIMENT=jsonv2\n"), 0o600))
	t.Setenv("GOENV", settings)
	there := filepath.Join(t.TempDir(), "plugin")
	require.NoError(t, build(t.Context(), elsewhere, "0.1.0", host(t), pluginName, there))
	want, err := digestOf(here)
	require.NoError(t, err)
	got, err := digestOf(there)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestSums(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte("hello\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o644))
	require.NoError(t, sum(dir))
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	require.NoError(t, err)
	require.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n"+
		"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  b\n", string(text))
}

func TestToolDigestsAreLeftOut(t *testing.T) {
	got, err := withoutToolDigests([]byte(`{"specVersion": "1.6", "version": 1,
		"metadata": {"tools": [{"name": "tool", "version": "v1", "hashes": [{"alg": "MD5", "content": "00"}]}], "properties": [{"name": "hash"}]},
		"components": [{"name": "module", "hashes": [{"alg": "SHA-256", "content": "11"}]}]}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"specVersion": "1.6", "version": 1,
		"metadata": {"tools": [{"name": "tool", "version": "v1"}], "properties": [{"name": "hash"}]},
		"components": [{"name": "module", "hashes": [{"alg": "SHA-256", "content": "11"}]}]}`, string(got))
}
