package azure_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	// patience is far longer than anything here takes.
	patience = 30 * time.Second
	tick     = 100 * time.Millisecond
)

// build makes both binaries, once in a test process, and returns their
// directory. They get the race detector when the tests have it: it looks into
// the plugin's own process, and what the tests compiled is used again.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fleeting-plugin-azure-")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "./cmd/fleeting-plugin-azure", "./cmd/armsim")...).CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("go build: %w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if plugin := os.Getenv(runnerVariable); plugin != "" {
		fmt.Fprintln(os.Stderr, actAsRunner(plugin))
		os.Exit(1)
	}
	code := m.Run()
	if dir, _ := build(); dir != "" { // whether it was built is not the point here
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func binary(t *testing.T, name string) string {
	t.Helper()
	dir, err := build()
	require.NoError(t, err)
	return filepath.Join(dir, name)
}

// environment is what a process finds in its environment.
type environment map[string]string

// environmentOf is what a client of the simulator needs.
func environmentOf(s *armsim.Server) environment {
	env := environment{}
	for _, variable := range s.Env() {
		key, value, _ := strings.Cut(variable, "=")
		env[key] = value
	}
	return env
}

// settings is a plugin_config as a user writes it.
type settings map[string]any

// settingsFor is the plugin_config for a scale set of a simulator.
func settingsFor(s *armsim.Server, name string) settings {
	env := environmentOf(s)
	return settings{
		"name": name, "subscription_id": env["AZURE_SUBSCRIPTION_ID"], "resource_group_name": env["AZURE_RESOURCE_GROUP"],
		"credential": "environment",
		"cloud": settings{
			"authority_host": env["AZURE_AUTHORITY_HOST"], "resource_manager_endpoint": s.Endpoint, "resource_manager_audience": s.Audience,
		},
	}
}

// login is a connector_config that Init accepts.
func login() provider.Settings {
	return provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true, Timeout: patience, Keepalive: time.Second,
	}}
}

// plugin is the built plugin as a process, seen over gRPC as the runner does.
type plugin struct {
	provider.InstanceGroup
	log  *output // all that the process logged or printed
	env  environment
	dir  string
	stop func()
}

// startPlugin starts the built plugin with nothing of Azure in its environment
// but env. The environment of a process is set by a script of its own, so that
// tests with different ones can run beside each other.
func startPlugin(t *testing.T, env environment, config any) *plugin {
	t.Helper()
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	p := &plugin{log: &output{}, env: env, dir: t.TempDir()}
	runner, err := fleet.RunPlugin(p.script(t), raw, fleet.WithPluginLogger(hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: p.log})))
	require.NoError(t, err, p.log)
	p.InstanceGroup, p.stop = runner.InstanceGroup(), runner.Kill
	t.Cleanup(func() {
		p.stop()
		p.checkLog(t)
	})
	return p
}

// script is written by a process of its own: a child that Go forks meanwhile
// for another test would keep the file open for writing, and Linux refuses to
// run such a file (golang/go#22315).
func (p *plugin) script(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "#!/bin/sh\necho $$ >%s\n", quote(filepath.Join(p.dir, "pid")))
	for _, variable := range os.Environ() {
		key, _, _ := strings.Cut(variable, "=")
		if upper := strings.ToUpper(key); strings.HasSuffix(upper, "_PROXY") || strings.HasPrefix(upper, "SSL_CERT_") || strings.HasPrefix(upper, "AZURE_") {
			fmt.Fprintf(&text, "unset %s\n", key)
		}
	}
	text.WriteString("export GORACE=atexit_sleep_ms=0\n") // a second for each process otherwise
	for _, key := range slices.Sorted(maps.Keys(p.env)) {
		fmt.Fprintf(&text, "export %s=%s\n", key, quote(p.env[key]))
	}
	fmt.Fprintf(&text, "exec %s\n", quote(binary(t, "fleeting-plugin-azure")))
	file := filepath.Join(p.dir, "plugin")
	write := exec.CommandContext(t.Context(), "/bin/sh", "-c", `umask 077; cat >"$0" && chmod 700 "$0"`, file)
	write.Stdin = strings.NewReader(text.String())
	require.NoError(t, write.Run())
	return file
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// murder ends the process as a crash does: it learns nothing of it.
func (p *plugin) murder(t *testing.T) { p.signal(t, os.Kill) }

func (p *plugin) signal(t *testing.T, s os.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Signal(s))
}

// checkLog looks for what no test may leave in the log.
func (p *plugin) checkLog(t *testing.T) {
	text := p.log.String()
	for _, bad := range []string{"DATA RACE", "panic:", p.env["AZURE_CLIENT_SECRET"], login().Password, "eyJ", "PRIVATE KEY"} {
		if bad != "" && strings.Contains(text, bad) {
			t.Errorf("the plugin's log holds %q:\n%s", bad, text)
		}
	}
}

// open is Init with a login that is good enough.
func (p *plugin) open(t *testing.T) provider.ProviderInfo {
	t.Helper()
	info, err := p.Init(t.Context(), hclog.NewNullLogger(), login())
	require.NoError(t, err)
	return info
}

// openPlugin is a plugin that drives the scale set of a simulator.
func openPlugin(t *testing.T, s *armsim.Server) *plugin {
	t.Helper()
	p := startPlugin(t, environmentOf(s), settingsFor(s, "ci"))
	p.open(t)
	return p
}

// update returns the last state reported of each instance.
func (p *plugin) update(t *testing.T) (map[string]provider.State, error) {
	states := map[string]provider.State{}
	err := p.Update(t.Context(), func(id string, s provider.State) { states[id] = s })
	return states, err
}

// running waits until n instances run and there are no others, and returns
// their IDs in order.
func (p *plugin) running(t *testing.T, n int) []string {
	t.Helper()
	var ids []string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		states, err := p.update(t)
		assert.NoError(c, err)
		ids = slices.Sorted(maps.Keys(states))
		assert.Len(c, ids, n)
		for id, s := range states {
			assert.Equal(c, provider.StateRunning, s, id)
		}
	}, patience, tick)
	return ids
}

// output is a buffer that a process may write to while a test reads.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// simulate starts a simulator whose instances come and go quickly, with one
// scale set.
func simulate(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec) *armsim.Server {
	t.Helper()
	if c.Boot.Median == 0 {
		c.Boot.Median = 200 * time.Millisecond
	}
	if c.Delete.Median == 0 {
		c.Delete.Median = 200 * time.Millisecond
	}
	s := armsim.Start(t, c)
	_, err := s.CreateScaleSet(t.Context(), spec)
	require.NoError(t, err)
	return s
}

func (o *output) contains(s string) bool { return strings.Contains(o.String(), s) }
