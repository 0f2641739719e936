//go:build unix

package binary_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func TestPluginSurvivesSIGHUP(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
	p.Signal(t, syscall.SIGHUP)
	p.Open(t)
	p.AwaitRunning(t, 1)
	p.Signal(t, syscall.SIGHUP)
	n, err := p.Increase(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	ids := p.AwaitRunning(t, 2)
	_, err = p.Decrease(t.Context(), ids[:1])
	require.NoError(t, err)
	p.AwaitRunning(t, 1)
	assert.NotContains(t, p.Log.String(), "plugin process exited")
	p.Stop()
	requirePluginEnd(t, p, "the runner asked it to")
}

// TestCase03SIGHUPInMidJob sends SIGHUP to the process group of a runner and its
// plugin while a job runs.
func TestCase03SIGHUPInMidJob(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci", PublicKey: public})
	r := startJobRunner(t, s, key)
	r.require(t, "job: begun")
	require.NoError(t, syscall.Kill(-r.cmd.Process.Pid, syscall.SIGHUP))
	r.require(t, "runner: reloads")
	r.say(t, "go on")
	r.require(t, "job: go on")
	r.require(t, "runner: job done")
	r.say(t, "end")
	r.require(t, "runner: no instance is left")
	require.NoError(t, r.cmd.Wait())
	assert.Zero(t, s.Stats().Capacity)
	assert.Equal(t, 2, s.Stats().Created)
}

// jobRunner is a process that started the plugin, in a process group with it.
type jobRunner struct {
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Reader
}

func startJobRunner(t *testing.T, s *armsim.Server, key []byte) *jobRunner {
	t.Helper()
	p := &launch.Plugin{Env: launch.EnvironmentOf(s), Dir: t.TempDir()}
	input := jobRunnerInput{Plugin: p.Script(t), Config: launch.ConfigFor(s, "ci"), Login: provider.ConnectorConfig{
		Key: key, ProtocolPort: s.SSHPort, Timeout: launch.Patience, Keepalive: time.Second,
	}}
	raw, err := json.Marshal(input)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "input.json")
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	self, err := os.Executable()
	require.NoError(t, err)
	r := &jobRunner{cmd: exec.Command(self)}
	r.cmd.Env = append(os.Environ(), jobRunnerVariable+"="+file)
	r.cmd.Stderr, r.cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Setpgid: true}
	r.stdin, err = r.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := r.cmd.StdoutPipe()
	require.NoError(t, err)
	r.lines = bufio.NewReader(stdout)
	require.NoError(t, r.cmd.Start())
	t.Cleanup(func() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }) // it may have ended
	return r
}

// require waits for the next line, which ends early with a process that dies.
func (r *jobRunner) require(t *testing.T, want string) {
	t.Helper()
	line, err := r.lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, want, strings.TrimSpace(line))
}

func (r *jobRunner) say(t *testing.T, line string) {
	t.Helper()
	_, err := fmt.Fprintln(r.stdin, line)
	require.NoError(t, err)
}
