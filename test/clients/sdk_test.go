package clients_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages is where make clients installs what sdk.mjs imports.
const packages = "../../bin/clients/node_modules"

// TestJavaScriptSDK takes a scale set through its life with Microsoft's SDK for
// JavaScript.
func TestJavaScriptSDK(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(packages); err != nil {
		missing(t, "MICROSOFT'S SDK FOR JAVASCRIPT", "make clients")
	}
	node, err := filepath.Abs(packages + "/.bin/node") // the newest SDK wants a newer one than Debian has
	require.NoError(t, err)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			runSDK(t, node, mode)
		})
	}
}

func runSDK(t *testing.T, node, mode string) {
	s, dir := start(t), t.TempDir()
	script, err := os.ReadFile("sdk.mjs")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sdk.mjs"), script, 0o600))
	installed, err := filepath.Abs(packages)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(installed, filepath.Join(dir, "node_modules"))) // modules are found beside the script
	args := []string{"sdk.mjs", mode}
	if !simulates(t, "VirtualMachineScaleSetVMs_RunCommand") {
		args = append(args, "run-command")
	}
	stdout, stderr, err := execute(t, append(s.Env(), "NODE_EXTRA_CA_CERTS="+s.CAFile, "CLIENTS_SSH_KEY="+publicKey), dir, node, args...)
	t.Log(stdout)
	require.NoError(t, err, stderr)
	checkJournal(t, s, "VirtualMachineScaleSets_Get 404") // after the deletion
}
