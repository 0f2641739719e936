package launch

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Tool is one of our binaries with arguments, to be started with nothing of Azure in its
// environment but env.
func Tool(t *testing.T, env Environment, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), Binary(t, name), args...) //nolint:gosec // our own binary
	for _, variable := range os.Environ() {
		if key, _, _ := strings.Cut(variable, "="); !isAzures(key) {
			c.Env = append(c.Env, variable)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(env)) {
		c.Env = append(c.Env, key+"="+env[key])
	}
	return c
}

// isAzures reports whether a variable says where Azure is, or as whom to sign in.
func isAzures(key string) bool {
	key = strings.ToUpper(key)
	return strings.HasSuffix(key, "_PROXY") || strings.HasPrefix(key, "SSL_CERT_") || strings.HasPrefix(key, "AZURE_")
}

// Run runs the plugin's binary to its end.
func Run(t *testing.T, env Environment, args ...string) (out, problems string, code int) {
	t.Helper()
	c := Tool(t, env, "fleeting-plugin-azure", args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run() // what it printed says more
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}
