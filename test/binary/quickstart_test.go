package binary_test

import (
	"bytes"
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

// newSubscription is a subscription without anything, in which the shell may do everything.
func newSubscription(t *testing.T, c armsim.Config) *shell {
	t.Helper()
	c.Subscription.Empty, c.Subscription.CheckReferences, c.MetadataService = true, true, true
	c.Boot, c.Delete, c.TimeScale = armsim.Duration{Median: time.Second}, armsim.Duration{Median: time.Second}, 5
	return newShell(t, armsim.Start(t, c))
}

// atRunner is a shell at the runner's machine, which has a managed identity and no
// secret. The instance metadata service of the simulator is behind a proxy.
func (s *shell) atRunner(identity string) *shell {
	s.Helper()
	group := "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/runners"
	require.NoError(s, s.sim.AttachIdentity(group+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"+identity))
	return s.as(launch.Environment{"HTTP_PROXY": s.sim.MetadataEndpoint})
}

// TestQuickstart goes from nothing to jobs and back, by the built binary over HTTPS and
// SSH, as docs/tutorials/first-job.md does.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ notRegistered, more []string }{
		"Uniform":  {notRegistered: []string{"Microsoft.Network"}},
		"Flexible": {more: []string{"--mode", "Flexible"}},
		"Spot":     {more: []string{"--spot"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newSubscription(t, armsim.Config{Subscription: armsim.Subscription{NotRegistered: c.notRegistered}}).quickstart(c.more)
		})
	}
}

func (s *shell) quickstart(more []string) {
	key := filepath.Join(s.dir, "id_ed25519")
	setup := at(s.sim, "setup", append(more, "--location", "westeurope", "--ssh-key", key, "--executor", "instance", "--identity", "ci-runner", "--max", "12", "--no-price")...)
	plan := s.must(0, append(setup, "--dry-run")...)
	assert.Contains(s, plan, "+ scale set \"ci\"")
	assert.NoFileExists(s, key)

	config := s.write("config.toml", s.must(0, setup...))
	s.judge(config)
	runner := s.atRunner("ci-runner")
	assert.Contains(s, runner.must(0, "doctor", "--config", config), " 0 wrong")
	assert.Contains(s, runner.must(0, "doctor", "--config", config, "--probe"), "run a command")
	assert.Contains(s, runner.must(0, "status", "--config", config, "--no-price"), "capacity 0, 0 instances")
	runner.runJobs(config)
	assert.Contains(s, s.must(0, setup...), "nothing to do")

	s.must(2, at(s.sim, "teardown")...)
	s.must(0, at(s.sim, "teardown", "--yes")...)
	assert.Contains(s, s.must(0, at(s.sim, "teardown", "--yes")...), "nothing to do")
	assert.Zero(s, s.sim.Stats().Machines)
	assert.Empty(s, s.sim.Stats().NotSimulated)
}

// write makes a config.toml of what setup printed. The one thing that it has to be told is
// the port: this machine's own 22 is in other hands.
func (s *shell) write(name, printed string) (path string) {
	_, block, ok := strings.Cut(printed, "\n# In config.toml")
	require.True(s, ok, printed)
	block = strings.Replace(block, "key_path", fmt.Sprintf("protocol_port = %d\n      key_path", s.sim.SSHPort), 1)
	return s.file(name, "concurrent = 12\n#"+block)
}

var identityLines = regexp.MustCompile(`credential = "managed_identity"\n *client_id = ".*"\n`)

// judge has the doctor look with the eyes of somebody who may see all, which the runner's
// identity may not.
func (s *shell) judge(config string) {
	s.Helper()
	text, err := os.ReadFile(config)
	require.NoError(s, err)
	require.Regexp(s, identityLines, string(text))
	all := s.file("all.toml", identityLines.ReplaceAllString(string(text), "credential = \"environment\"\n"))
	assert.Contains(s, s.must(0, "doctor", "--config", all), " 0 doubtful, 0 wrong, 0 not looked at")
}

var runningRow = regexp.MustCompile(`(?m)^│ \S+_\S+ +│ Succeeded +│ running `)

// runJobs runs the demo's jobs with a configuration, and looks at status meanwhile.
func (s *shell) runJobs(config string) {
	c := s.tool("demo", "-config", config, "-jobs", "6", "-pace", "4", "-timeout", "5m", "-log", filepath.Join(s.dir, "demo.log"))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(s, c.Start())
	ended := make(chan struct{})
	var err error
	go func() {
		err = c.Wait()
		close(ended)
	}()
	shown := s.awaitStatus(config, ended)
	<-ended
	log, _ := os.ReadFile(filepath.Join(s.dir, "demo.log"))
	require.NoError(s, err, "%s%s", &out, log)
	assert.Contains(s, out.String(), "demo: 6 jobs passed, 0 failed, 0 instances left")
	assert.NotContains(s, string(log), "PRIVATE KEY")
	assert.Regexp(s, runningRow, shown)
	assert.Contains(s, shown, "managed by ")
}

// awaitStatus returns what status shows once an instance runs; at the latest when ended is.
func (s *shell) awaitStatus(config string, ended <-chan struct{}) (shown string) {
	for {
		shown = s.must(0, "status", "--config", config, "--no-price")
		if runningRow.MatchString(shown) {
			return shown
		}
		select {
		case <-ended:
			return shown
		case <-time.After(launch.Tick):
		}
	}
}
