package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	secretForTest = "PLACEHOLDER~client.secret"
	oldConfig     = `concurrent = 2
[[runners]]
  executor = "docker+machine"
  [runners.machine]
    MachineDriver = "azure"
    MachineName = "ci-%s"
    MachineOptions = [
      "azure-subscription-id=00000000-0000-4000-8000-000000000001",
      "azure-client-id=00000000-0000-4000-8000-000000000002",
      "azure-client-secret=` + secretForTest + `",
      "azure-use-private-ip=true",
    ]
`
)

func runForTest(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	root := newRootCommand()
	root.SetOut(&out)
	root.SetErr(&errs)
	code = execute(root, args)
	return code, out.String(), errs.String()
}

func writeForTest(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	return path
}

func TestMigrateText(t *testing.T) {
	t.Parallel()
	path := writeForTest(t, "config.toml", oldConfig, 0o600)
	code, stdout, stderr := runForTest("migrate", path)
	assert.Equal(t, exitFailed, code, "the tenant is missing")
	assert.Empty(t, stderr)
	for _, part := range []string{"Needs a decision:\n", "Mapped:\n", "New configuration:\n", "fleeting-plugin-azure setup --name ci ", "--environment-out FILE"} {
		assert.Contains(t, stdout, part)
	}
	assert.NotContains(t, stdout, secretForTest)

	code, stdout, stderr = runForTest("migrate", path, "--tenant", "contoso.onmicrosoft.com")
	assert.Equal(t, exitOK, code, stderr)
	assert.NotContains(t, stdout, "Needs a decision")
}

func TestMigrateFiles(t *testing.T) {
	t.Parallel()
	path := writeForTest(t, "config.toml", oldConfig, 0o644)
	environment := writeForTest(t, "machine.env", "AZURE_TENANT_ID=contoso.onmicrosoft.com\n", 0o600)
	dir := t.TempDir()
	out, secret := filepath.Join(dir, "new.toml"), filepath.Join(dir, "azure.env")
	args := []string{"migrate", path, "--environment", environment, "--out", out, "--environment-out", secret}
	code, stdout, stderr := runForTest(args...)
	require.Equal(t, exitOK, code, stderr)
	assert.NotContains(t, stdout+stderr, secretForTest)
	assertFile(t, out, `executor = "docker-autoscaler"`, 0o640)
	assertFile(t, secret, "AZURE_CLIENT_SECRET="+secretForTest+"\n", 0o600)

	code, _, stderr = runForTest(args...)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "exists; name another file, or give --force")
	code, _, stderr = runForTest(append(args, "--force")...)
	assert.Equal(t, exitOK, code, stderr)

	code, _, stderr = runForTest("migrate", path, "--out", path, "--force", "--tenant", "contoso.onmicrosoft.com")
	assert.Equal(t, exitOK, code, stderr)
	assertFile(t, path, `executor = "docker-autoscaler"`, 0o640)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary files are left")
}

func assertFile(t *testing.T, path, part string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), part)
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" { // which has other rights
		assert.Equal(t, mode, info.Mode().Perm())
	}
}

func TestMigrateKeepsALink(t *testing.T) {
	t.Parallel()
	path := writeForTest(t, "config.toml", oldConfig, 0o600)
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	_, _, stderr := runForTest("migrate", path, "--out", link, "--force")
	assert.Empty(t, stderr)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
	assertFile(t, path, `executor = "docker-autoscaler"`, 0o600)
}

func TestMigrateJSON(t *testing.T) {
	t.Parallel()
	path := writeForTest(t, "config.toml", oldConfig, 0o600)
	code, stdout, _ := runForTest("migrate", path, "--output", "json")
	assert.Equal(t, exitFailed, code)
	var result struct {
		Config string
		Notes  []struct{ Verdict, Option, Text string }
		Setups []struct{ Args []string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &result))
	assert.NotEmpty(t, result.Config)
	assert.NotEmpty(t, result.Notes)
	assert.Len(t, result.Setups, 1)
	assert.NotContains(t, stdout, secretForTest)
}

func TestMigrateBadInput(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.toml")
	good := writeForTest(t, "config.toml", oldConfig, 0o600)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"migrate"}, exitUsage, "accepts 1 arg(s), received 0; see fleeting-plugin-azure migrate --help"},
		{[]string{"migrate", "a", "b"}, exitUsage, "accepts 1 arg(s)"},
		{[]string{"migrate", good, "--unknown"}, exitUsage, "unknown flag: --unknown"},
		{[]string{"migrate", good, "--output", "yaml"}, exitUsage, `--output is text or json, not "yaml"`},
		{[]string{"migrate", good, "--environment-out", good, "--force"}, exitUsage, "--environment-out needs a file of its own"},
		{[]string{"migrate", missing}, exitFailed, "there is no file " + missing},
		{[]string{"migrate", t.TempDir()}, exitFailed, "cannot be read; name a file"},
		{[]string{"migrate", good, "--environment", missing}, exitFailed, "there is no file " + missing},
		{[]string{"migrate", writeForTest(t, "a.toml", "", 0o600)}, exitFailed, "the configuration is empty"},
		{[]string{"migrate", writeForTest(t, "a.toml", "a = 1\nb = \n", 0o600)}, exitFailed, "line 2: is not valid TOML"},
		{[]string{"migrate", good, "--out", filepath.Join(missing, "out.toml")}, exitFailed, "write "},
	} {
		code, stdout, stderr := runForTest(c.args...)
		assert.Equal(t, c.code, code, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Contains(t, stderr, c.want)
		assert.Regexp(t, `^fleeting-plugin-azure migrate: [^\n]+\n$`, stderr)
	}
}

func TestRunCommand(t *testing.T) {
	for _, args := range [][]string{nil, {"version"}, {"bootstrap"}, {"serve"}, {"-version"}, {"help"}, {"-h"}, {"anything"}} {
		_, handled := runCommand(args)
		assert.False(t, handled, args)
	}
	root := newRootCommand()
	for _, name := range []string{"migrate", "completion", "__complete", "__completeNoDesc"} {
		assert.True(t, hasCommand(root, name), name)
	}
	for _, c := range root.Commands() {
		assert.Contains(t, usage, "\n  "+c.Name()+" ", "the help lists every command")
	}
	code, stdout, _ := runForTest("completion", "bash")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "bash completion")
	code, stdout, _ = runForTest("migrate", "--help")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "--environment-out")
}
