// Package binary_test looks at the built plugin as the runner does: as a process,
// over gRPC, from its start to its end.
package binary_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// runnerVariable makes this test binary a runner: it starts the plugin that the
// variable names with the plugin_config on its standard input, says so, asks
// for as many instances as its argument says, and then waits to be killed.
const runnerVariable = "FLEETING_TEST_RUNNER"

// jobRunnerVariable makes this test binary a runner with a job, of the description
// in the file that the variable names.
const jobRunnerVariable = "FLEETING_TEST_JOB_RUNNER"

func TestMain(m *testing.M) {
	if plugin := os.Getenv(runnerVariable); plugin != "" {
		fmt.Fprintln(os.Stderr, actAsRunner(plugin))
		os.Exit(1)
	}
	if file := os.Getenv(jobRunnerVariable); file != "" {
		if err := actAsJobRunner(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(launch.MainAsReleased(m))
}

func actAsRunner(plugin string) error {
	config, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	runner, err := fleet.RunPlugin(plugin, config, fleet.WithPluginLogger(hclog.NewNullLogger()))
	if err != nil {
		return err
	}
	if _, err := runner.InstanceGroup().Init(context.Background(), hclog.NewNullLogger(), launch.Login()); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := runner.InstanceGroup().Increase(context.Background(), count); err != nil {
		return err
	}
	select {}
}

// runner is a process that started the plugin. Both hold the writing end of a
// pipe, and its reading end tells when both are dead: unlike a process ID it
// knows neither zombies nor successors.
type runner struct {
	cmd   *exec.Cmd
	alive *os.File
	ended bool // the plugin, too
}

func startRunner(t *testing.T, env launch.Environment, config launch.PluginConfig, increase int) *runner {
	t.Helper()
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	p := &launch.Plugin{Env: env, Dir: t.TempDir()}
	self, err := os.Executable()
	require.NoError(t, err)
	alive, hold, err := os.Pipe()
	require.NoError(t, err)
	r := &runner{cmd: exec.Command(self, strconv.Itoa(increase)), alive: alive}
	r.cmd.Env = append(os.Environ(), runnerVariable+"="+p.Script(t))
	r.cmd.Stdin, r.cmd.Stderr = bytes.NewReader(raw), os.Stderr
	r.cmd.ExtraFiles = []*os.File{hold}
	stdout, err := r.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, r.cmd.Start())
	require.NoError(t, hold.Close())
	t.Cleanup(func() {
		r.kill()
		if !r.ended {
			p.Kill(t)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	return r
}

// kill gives the runner no chance to end its plugin.
func (r *runner) kill() {
	_ = r.cmd.Process.Kill() // it may be dead already
	_ = r.cmd.Wait()         // it was killed, which is an error here
}

// requireEnd waits until the plugin of a dead runner is dead as well.
func (r *runner) requireEnd(t *testing.T) {
	t.Helper()
	require.NoError(t, r.alive.SetReadDeadline(time.Now().Add(launch.Patience)))
	_, err := io.ReadAll(r.alive)
	require.NoError(t, err, "the plugin outlives its runner")
	r.ended = true
}

func TestPluginEndsWithItsParent(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	r := startRunner(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"), 0)
	r.kill()
	r.requireEnd(t)
}

func TestPluginEndsOnSIGTERM(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testing.T, *launch.Plugin){
		"before Init": func(*testing.T, *launch.Plugin) {},
		"after Init":  func(t *testing.T, p *launch.Plugin) { p.Open(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
			p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
			begin(t, p)
			p.Signal(t, syscall.SIGTERM)
			requirePluginEnd(t, p, "SIGTERM received")
		})
	}
}

func TestPluginSaysThatTheRunnerEndedIt(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	p := launch.Open(t, s)
	p.Stop()
	requirePluginEnd(t, p, "the runner asked it to")
}

// requireEnd waits for the end with an exit status of 0, of which go-plugin's
// client writes to the log.
func requirePluginEnd(t *testing.T, p *launch.Plugin, reason string) {
	t.Helper()
	require.Eventually(t, func() bool { return p.Log.Contains("plugin process exited") }, launch.Patience, launch.Tick)
	for line := range strings.Lines(p.Log.String()) {
		if strings.Contains(line, "plugin process exited") {
			assert.NotContains(t, line, "error=")
		}
	}
	assert.Equal(t, 1, strings.Count(p.Log.String(), fmt.Sprintf("plugin ends: reason=%q", reason)), p.Log)
}

// A write under way is finished though the runner, and with it the call that
// asked for it, is dead, and nobody reads what the plugin writes to its log.
func TestPluginFinishesAWriteWithoutItsParent(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	a := holdWrites(t, s)
	r := startRunner(t, a.env, a.config, 3)
	a.requireWrite(t)
	r.kill()
	select {
	case <-a.cut:
		t.Fatal("the plugin gave its write up")
	case <-time.After(3 * time.Second): // it has noticed by then; were it slower, nothing would be proved
	}
	a.release()
	r.requireEnd(t)
	assert.Equal(t, 3, s.Stats().Capacity)
}

func TestPluginFinishesAWriteAfterSIGTERM(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	a := holdWrites(t, s)
	p := launch.Start(t, a.env, a.config)
	p.Open(t)
	go func() { _, _ = p.Increase(t.Context(), 3) }() // its answer may not make it out of the process
	a.requireWrite(t)
	p.Signal(t, syscall.SIGTERM)
	_, err := p.Increase(t.Context(), 1)
	require.ErrorContains(t, err, "the plugin is shutting down; nothing was changed")
	a.release()
	requirePluginEnd(t, p, "SIGTERM received")
	assert.Equal(t, 3, s.Stats().Capacity)
}

// slowAzure is a simulator that does not get writes before they are released.
type slowAzure struct {
	env     launch.Environment
	config  launch.PluginConfig
	held    chan struct{} // closed when the first write has come
	cut     chan struct{} // closed when its sender gave it up
	release func()
}

func (a *slowAzure) requireWrite(t *testing.T) {
	t.Helper()
	select {
	case <-a.held:
	case <-time.After(launch.Patience):
		t.Fatal("the plugin writes nothing")
	}
}

func holdWrites(t *testing.T, s *armsim.Server) *slowAzure {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	require.NoError(t, err)
	released, release := context.WithCancel(t.Context())
	a := &slowAzure{env: launch.EnvironmentOf(s), config: launch.ConfigFor(s, "ci"), held: make(chan struct{}), cut: make(chan struct{}), release: release}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: s.Client().Transport}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			close(a.held)
			select {
			case <-released.Done():
			case <-r.Context().Done():
				close(a.cut)
			}
		}
		forward.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true // it tells at once when a sender gives up
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(release)

	ours := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(bundle, append(ours, s.CAPEM...), 0o600))
	a.env["SSL_CERT_FILE"] = bundle
	a.config["cloud"].(launch.PluginConfig)["resource_manager_endpoint"] = server.URL
	return a
}
