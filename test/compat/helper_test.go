package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

const (
	patience = 30 * time.Second
	tick     = 100 * time.Millisecond

	password = "Not-a-real-1" // that no log may hold
)

// programs is the directory of the built plugin and simulator, and of launcher.
var programs string

// log is what all plugins and provisioners log: the loader of the oldest runner
// takes no logger and writes to hclog's default.
var log = &output{}

// launcher starts the plugin in the environment that the simulator has written
// alongside it. It is written before any test runs, and linked to: what one test
// writes, a child that Go forks for another may hold open, and Linux refuses to
// run such a file (golang/go#22315).
const launcher = `#!/bin/sh
. "${0%/*}/env.sh"
exec "$COMPAT_PROGRAMS/fleeting-plugin-azure"
`

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	for _, variable := range os.Environ() { // what the machine has of Azure is not for the plugin
		key, _, _ := strings.Cut(variable, "=")
		if upper := strings.ToUpper(key); strings.HasPrefix(upper, "AZURE_") || strings.HasPrefix(upper, "SSL_CERT_") {
			if err := os.Unsetenv(key); err != nil {
				return 0, err
			}
		}
	}
	dir, err := os.MkdirTemp("", "fleeting-plugin-azure-compat-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "launcher"), []byte(launcher), 0o700); err != nil {
		return 0, err
	}
	programs, hclog.DefaultOutput = dir, log
	if err := os.Setenv("COMPAT_PROGRAMS", dir); err != nil {
		return 0, err
	}
	code := m.Run()
	for _, bad := range []string{"DATA RACE", "panic:", "PRIVATE KEY", password} {
		if text := log.String(); strings.Contains(text, bad) {
			return 1, fmt.Errorf("the log holds %q:\n%s", bad, text)
		}
	}
	return code, nil
}

// build makes the programs of the other module with the flags of the tests, whose
// compiled packages are used again.
func build(dir string) error {
	args := []string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}
	info, _ := debug.ReadBuildInfo()
	for _, flag := range []string{"-race", "-trimpath"} {
		if slices.Contains(info.Settings, debug.BuildSetting{Key: flag, Value: "true"}) {
			args = append(args, flag)
		}
	}
	command := exec.Command("go", append(args, "./cmd/fleeting-plugin-azure", "./cmd/armsim")...)
	command.Dir = "../.."
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// simulator is a running armsim with the scale set "ci".
type simulator struct {
	dir string            // with env.sh and the plugin's launcher in it
	env map[string]string // what it exported
}

func simulate(t *testing.T, flags ...string) *simulator {
	t.Helper()
	s := &simulator{dir: t.TempDir(), env: map[string]string{}}
	command := exec.Command(filepath.Join(programs, "armsim"), append([]string{"--watch-stdin", "--scale-set", "ci",
		"--boot", "200ms", "--delete", "200ms", "--state-dir", t.TempDir()}, flags...)...)
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	command.Stderr = os.Stderr
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("armsim: %v", err)
		}
	})
	var script bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(stdout, &script)); lines.Scan() && lines.Text() != "# ready"; {
		key, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		s.env[key] = strings.Trim(value, "'")
	}
	require.Contains(t, s.env, "ARMSIM_SCALE_SET", "armsim did not start")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "env.sh"), script.Bytes(), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(programs, "launcher"), filepath.Join(s.dir, "plugin")))
	return s
}

// control sends a request to the simulator's control endpoint and reads the
// response into what is given.
func (s *simulator) control(t *testing.T, method, path, body string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.env["ARMSIM_CONTROL"]+path, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
	require.NoError(t, json.Unmarshal(text, into))
}

// instance is one as the simulator knows it.
type instance struct{ Name, VMID, PrivateAddress string }

// instances are all there are, by the plugin's ID.
func (s *simulator) instances(t *testing.T) map[string]instance {
	t.Helper()
	var all []instance
	s.control(t, http.MethodGet, "/instances", "", &all)
	byID := map[string]instance{}
	for _, i := range all {
		byID[strings.ToLower(i.Name)+"-"+i.VMID[:8]] = i
	}
	return byID
}

// outside does to an instance what another client, or Azure itself, may do.
func (s *simulator) outside(t *testing.T, verb, id string) {
	t.Helper()
	var response any
	s.control(t, http.MethodPost, "/instances/"+s.instances(t)[id].VMID+"/"+verb, "", &response)
}

// requireEmpty waits until nothing is left.
func (s *simulator) requireEmpty(t *testing.T) {
	t.Helper()
	var stats struct {
		Instances, Capacity, Machines int
		NotSimulated                  []string
	}
	await(t, func() (bool, any) {
		s.control(t, http.MethodGet, "/stats", "", &stats)
		return stats.Instances+stats.Capacity+stats.Machines == 0, stats
	})
	require.Empty(t, stats.NotSimulated)
}

// await calls ready until it reports true, in the test's own goroutine, so that
// ready may end the test. What it has seen last is in the failure.
func await(t *testing.T, ready func() (ok bool, seen any)) {
	t.Helper()
	deadline, again := time.After(patience), time.NewTicker(tick)
	defer again.Stop()
	for {
		ok, seen := ready()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("timed out; last seen: %+v", seen)
		}
	}
}

// login is what connector_config would be: a key and nothing else.
func (s *simulator) login(t *testing.T) provider.Settings {
	t.Helper()
	key, err := os.ReadFile(s.env["ARMSIM_SSH_KEY_FILE"])
	require.NoError(t, err)
	return provider.Settings{ConnectorConfig: provider.ConnectorConfig{Key: key, Timeout: patience, Keepalive: time.Second}}
}

// dial is how to log in at the simulator's machines. Runners before 17.11 have
// no protocol_port, and their connector goes to port 22 of an address without one.
func (s *simulator) dial(info provider.ConnectInfo) provider.ConnectInfo {
	info.InternalAddr = net.JoinHostPort(info.InternalAddr, s.env["ARMSIM_SSH_PORT"])
	return info
}

// sh runs a command on an instance and returns what it prints.
func (s *simulator) sh(t *testing.T, info provider.ConnectInfo, command string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := connector.Run(t.Context(), s.dial(info), connector.ConnectorOptions{
		RunOptions: connector.RunOptions{Command: command, Stdout: &out},
	})
	return out.String(), err
}

// start starts the plugin, as an older runner does, with the plugin_config that
// fits the simulator, after change, if any.
func (s *simulator) start(t *testing.T, change func(config map[string]any)) provider.InstanceGroup {
	t.Helper()
	config := map[string]any{
		"name": "ci", "subscription_id": s.env["AZURE_SUBSCRIPTION_ID"], "resource_group_name": s.env["AZURE_RESOURCE_GROUP"],
		"credential": "environment",
		"cloud": map[string]any{
			"authority_host": s.env["AZURE_AUTHORITY_HOST"], "resource_manager_endpoint": s.env["ARMSIM_ENDPOINT"],
			"resource_manager_audience": s.env["ARMSIM_AUDIENCE"],
		},
	}
	if change != nil {
		change(config)
	}
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	runner, err := fleet.RunPlugin(filepath.Join(s.dir, "plugin"), raw)
	require.NoError(t, err)
	t.Cleanup(runner.Kill)
	return runner.InstanceGroup()
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
