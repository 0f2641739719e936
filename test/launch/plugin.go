package launch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Plugin is the built plugin as a process, seen over gRPC as the runner does.
type Plugin struct {
	provider.InstanceGroup
	Log  *Output // all that the process logged or printed
	Env  Environment
	Dir  string
	Stop func()
}

// Start starts the built plugin with nothing of Azure in its environment
// but env. The environment of a process is set by a script of its own, so that
// tests with different ones can run in parallel.
func Start(t *testing.T, env Environment, config any) *Plugin {
	t.Helper()
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	p := &Plugin{Log: &Output{}, Env: env, Dir: t.TempDir()}
	runner, err := fleet.RunPlugin(p.Script(t), raw, fleet.WithPluginLogger(hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: p.Log})))
	require.NoError(t, err, p.Log)
	p.InstanceGroup, p.Stop = runner.InstanceGroup(), runner.Kill
	t.Cleanup(func() {
		p.Stop()
		p.CheckLog(t)
	})
	return p
}

// Script writes a script that starts the plugin, and returns its path. It is
// written by a process of its own: a child that Go forks meanwhile
// for another test would keep the file open for writing, and Linux refuses to
// run such a file (golang/go#22315).
func (p *Plugin) Script(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "#!/bin/sh\necho $$ >%s\n", quote(filepath.Join(p.Dir, "pid")))
	for _, variable := range os.Environ() {
		if key, _, _ := strings.Cut(variable, "="); isAzures(key) {
			fmt.Fprintf(&text, "unset %s\n", key)
		}
	}
	text.WriteString("export GORACE=atexit_sleep_ms=0\n") // a second for each process otherwise
	for _, key := range slices.Sorted(maps.Keys(p.Env)) {
		fmt.Fprintf(&text, "export %s=%s\n", key, quote(p.Env[key]))
	}
	fmt.Fprintf(&text, "exec %s\n", quote(Binary(t, "fleeting-plugin-azure")))
	file := filepath.Join(p.Dir, "plugin")
	write := exec.CommandContext(t.Context(), "/bin/sh", "-c", `umask 077; cat >"$0" && chmod 700 "$0"`, file)
	write.Stdin = strings.NewReader(text.String())
	require.NoError(t, write.Run())
	return file
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Kill ends the process as a crash does: it learns nothing of it.
func (p *Plugin) Kill(t *testing.T) { p.Signal(t, os.Kill) }

func (p *Plugin) Signal(t *testing.T, s os.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, "pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Signal(s))
}

// CheckLog looks for what no test may leave in the log.
func (p *Plugin) CheckLog(t *testing.T) {
	text := p.Log.String()
	for _, bad := range []string{"DATA RACE", "panic:", p.Env["AZURE_CLIENT_SECRET"], Login().Password, "eyJ", "PRIVATE KEY"} {
		if bad != "" && strings.Contains(text, bad) {
			t.Errorf("the plugin's log holds %q:\n%s", bad, text)
		}
	}
}

// Open is Init with a login that is good enough.
func (p *Plugin) Open(t *testing.T) provider.ProviderInfo {
	t.Helper()
	info, err := p.Init(t.Context(), hclog.NewNullLogger(), Login())
	require.NoError(t, err)
	return info
}

// Open is a plugin that drives the scale set of a simulator.
func Open(t *testing.T, s *armsim.Server) *Plugin {
	t.Helper()
	p := Start(t, EnvironmentOf(s), ConfigFor(s, "ci"))
	p.Open(t)
	return p
}

// States returns the last state reported of each instance.
func (p *Plugin) States(t *testing.T) (map[string]provider.State, error) {
	states := map[string]provider.State{}
	err := p.Update(t.Context(), func(id string, s provider.State) { states[id] = s })
	return states, err
}

// AwaitRunning waits until n instances run and there are no others, and returns
// their IDs in order.
func (p *Plugin) AwaitRunning(t *testing.T, n int) []string {
	t.Helper()
	var ids []string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		states, err := p.States(t)
		assert.NoError(c, err)
		ids = slices.Sorted(maps.Keys(states))
		assert.Len(c, ids, n)
		for id, s := range states {
			assert.Equal(c, provider.StateRunning, s, id)
		}
	}, Patience, Tick)
	return ids
}

// Await waits until the plugin reports exactly these states.
func (p *Plugin) Await(t *testing.T, want map[string]provider.State) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		states, err := p.States(t)
		assert.NoError(c, err)
		assert.Equal(c, want, states)
	}, Patience, Tick)
}

// Output is a buffer that a process may write to while a test reads.
type Output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(b)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

func (o *Output) Contains(s string) bool { return strings.Contains(o.String(), s) }
