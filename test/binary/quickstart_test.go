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

// operator is a person at a shell, in front of a simulated subscription.
type operator struct {
	*testing.T
	sim *armsim.Server
	dir string
	env launch.Environment // of the shell
}

// newOperator may do everything in a subscription without anything.
func newOperator(t *testing.T, c armsim.Config) *operator {
	t.Helper()
	c.Subscription.Empty, c.Subscription.CheckReferences, c.MetadataService = true, true, true
	c.Boot, c.Delete, c.TimeScale = armsim.Duration{Median: time.Second}, armsim.Duration{Median: time.Second}, 5
	sim := armsim.Start(t, c)
	o := &operator{T: t, sim: sim, dir: t.TempDir(), env: launch.EnvironmentOf(sim)}
	o.env["HOME"], o.env["XDG_CACHE_HOME"] = o.dir, o.dir
	return o
}

// atRunner is the same person at the runner's machine, which has a managed identity and
// no secret. The instance metadata service of the simulator is behind a proxy.
func (o *operator) atRunner(identity string) *operator {
	o.Helper()
	require.NoError(o, o.sim.AttachIdentity(o.group()+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"+identity))
	env := launch.Environment{"HTTP_PROXY": o.sim.MetadataEndpoint}
	for _, key := range []string{"SSL_CERT_FILE", "ARMSIM_CONTROL", "HOME", "XDG_CACHE_HOME"} {
		env[key] = o.env[key]
	}
	return &operator{T: o.T, sim: o.sim, dir: o.dir, env: env}
}

func (o *operator) group() string {
	return "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/runners"
}

// run runs the plugin's binary, and returns what it prints.
func (o *operator) run(code int, args ...string) string {
	o.Helper()
	out, problems, got := launch.Run(o.T, o.env, args...)
	require.Equal(o, code, got, "%v: %s%s", args, out, problems)
	assert.NotContains(o, out+problems, o.sim.Principal.Secret)
	assert.NotContains(o, out, "\033[", "colours in a pipe")
	return out
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
			newOperator(t, armsim.Config{Subscription: armsim.Subscription{NotRegistered: c.notRegistered}}).quickstart(c.more)
		})
	}
}

func (o *operator) quickstart(more []string) {
	key := filepath.Join(o.dir, "id_ed25519")
	setup := at(o.sim, "setup", append(more, "--location", "westeurope", "--ssh-key", key, "--executor", "instance", "--identity", "ci-runner", "--max", "12", "--no-price")...)
	plan := o.run(0, append(setup, "--dry-run")...)
	assert.Contains(o, plan, "+ scale set \"ci\"")
	assert.NoFileExists(o, key)

	config := o.write("config.toml", o.run(0, setup...))
	o.judge(config)
	runner := o.atRunner("ci-runner")
	assert.Contains(o, runner.run(0, "doctor", "--config", config), " 0 wrong")
	assert.Contains(o, runner.run(0, "doctor", "--config", config, "--probe"), "run a command")
	assert.Contains(o, runner.run(0, "status", "--config", config, "--no-price"), "capacity 0, 0 instances")
	runner.runJobs(config)
	assert.Contains(o, o.run(0, setup...), "nothing to do")

	o.run(2, at(o.sim, "teardown")...)
	o.run(0, at(o.sim, "teardown", "--yes")...)
	assert.Contains(o, o.run(0, at(o.sim, "teardown", "--yes")...), "nothing to do")
	assert.Zero(o, o.sim.Stats().Machines)
	assert.Empty(o, o.sim.Stats().NotSimulated)
}

// write makes a config.toml of what setup printed. The one thing that it has to be told is
// the port: this machine's own 22 is in other hands.
func (o *operator) write(name, printed string) (path string) {
	_, block, ok := strings.Cut(printed, "\n# In config.toml")
	require.True(o, ok, printed)
	block = strings.Replace(block, "key_path", fmt.Sprintf("protocol_port = %d\n      key_path", o.sim.SSHPort), 1)
	return o.file(name, "concurrent = 12\n#"+block)
}

func (o *operator) file(name, text string) (path string) {
	path = filepath.Join(o.dir, name)
	require.NoError(o, os.WriteFile(path, []byte(text), 0o600))
	return path
}

var identityLines = regexp.MustCompile(`credential = "managed_identity"\n *client_id = ".*"\n`)

// judge has the doctor look with the eyes of somebody who may see all, which the runner's
// identity may not.
func (o *operator) judge(config string) {
	o.Helper()
	text, err := os.ReadFile(config)
	require.NoError(o, err)
	require.Regexp(o, identityLines, string(text))
	all := o.file("all.toml", identityLines.ReplaceAllString(string(text), "credential = \"environment\"\n"))
	assert.Contains(o, o.run(0, "doctor", "--config", all), " 0 doubtful, 0 wrong, 0 not looked at")
}

var runningRow = regexp.MustCompile(`(?m)^│ \S+_\S+ +│ Succeeded +│ running `)

// runJobs runs the demo's jobs with a configuration, and looks at status meanwhile.
func (o *operator) runJobs(config string) {
	c := launch.Tool(o.T, o.env, "demo", "-config", config, "-jobs", "12", "-pace", "4", "-log", filepath.Join(o.dir, "demo.log"))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(o, c.Start())
	ended := make(chan struct{})
	var err error
	go func() {
		err = c.Wait()
		close(ended)
	}()
	shown := o.awaitStatus(config, ended)
	<-ended
	log, _ := os.ReadFile(filepath.Join(o.dir, "demo.log"))
	require.NoError(o, err, "%s%s", &out, log)
	assert.Contains(o, out.String(), "demo: 12 jobs passed, 0 failed, 0 instances left")
	assert.NotContains(o, string(log), "PRIVATE KEY")
	assert.Regexp(o, runningRow, shown)
	assert.Contains(o, shown, "managed by ")
}

// awaitStatus returns what status shows once an instance runs; at the latest when ended is.
func (o *operator) awaitStatus(config string, ended <-chan struct{}) (shown string) {
	for {
		shown = o.run(0, "status", "--config", config, "--no-price")
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
