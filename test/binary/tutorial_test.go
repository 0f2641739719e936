package binary_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// TestTutorial keeps what docs/tutorials/first-job.md shows to what the commands print.
// There "…" stands for what differs from run to run.
func TestTutorial(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "tutorials", "first-job.md"))
	require.NoError(t, err)
	printed := tutorial(t)
	blocks := regexp.MustCompile("(?s)```text\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, len(printed), "%s", strings.Join(printed, "\n----\n"))
	for n, block := range blocks {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(block[1]), "…", "[^\n]*")
		assert.Regexp(t, "^"+pattern+"$", printed[n])
	}
}

// publicCloud is what the configuration of a simulator has, and that of a reader has not.
var publicCloud = regexp.MustCompile(`\n      \[runners\.autoscaler\.plugin_config\.cloud\](\n        [^\n]*){3}`)

// tutorial is what a reader gets to see, step by step.
func tutorial(t *testing.T) []string {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\n[ \"$*\" = 'system dial-stdio' ] && printf 'HTTP/1.1 200 OK\\r\\n\\r\\nOK'\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755)) //nolint:gosec // a program
	sim := armsim.Start(t, armsim.Config{
		Subscription: armsim.Subscription{Empty: true, CheckReferences: true}, TimeScale: 5,
		Boot: armsim.Duration{Median: time.Second}, Delete: armsim.Duration{Median: time.Second}, MachineEnv: []string{"PATH=" + bin + ":" + os.Getenv("PATH")},
	})
	s := newShell(t, sim)
	var printed []string
	step := func(args ...string) {
		r := s.run(args...)
		require.Equal(t, 0, r.code, "%v: %s%s", args, r.stdout, r.stderr)
		printed = append(printed, r.stdout)
	}
	setup := at(sim, "setup", "--resource-group", "ci", "--location", "westeurope", "--identity", "ci-runner", "--price", "0.115")
	step(append(setup, "--dry-run")...)
	step(setup...)
	plan, block, _ := strings.Cut(printed[1], "\n\n")
	assert.Equal(t, printed[0], plan+"\n", "it is done as it was shown")
	printed[1] = publicCloud.ReplaceAllString(block, "")
	config := strings.Replace(block, `"managed_identity"`, `"environment"`, 1)
	config = strings.Replace(config, "    # Without", fmt.Sprintf("    [runners.autoscaler.connector_config]\n      protocol_port = %d\n    # Without", sim.SSHPort), 1)
	s.file("config.toml", "concurrent = 10\n"+config)

	step("doctor", "--config", "config.toml")
	step("doctor", "--config", "config.toml", "--probe")
	_, printed[3], _ = strings.Cut(printed[3], "not looked at\n")
	require.NoError(t, sim.Raise("ci", 1))
	status := []string{"status", "--config", "config.toml", "--price", "0.115"}
	require.Eventually(t, func() bool { return strings.Contains(s.run(status...).stdout, "running") }, launch.Patience, launch.Tick)
	step(status...)
	step(at(sim, "teardown", "--resource-group", "ci", "--yes")...)
	return printed
}
