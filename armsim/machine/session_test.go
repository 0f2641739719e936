package machine_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func TestStreamsAndExitCode(t *testing.T) {
	session := bootOne(t).session()
	var stdout, stderr bytes.Buffer
	session.Stdin = strings.NewReader("in")
	session.Stdout, session.Stderr = &stdout, &stderr

	err := session.Run("cat; echo err >&2; exit 7")
	var exit *ssh.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitStatus())
	assert.Equal(t, "in", stdout.String())
	assert.Equal(t, "err\n", stderr.String())
}

func TestEnvironmentIsCleanAndOwn(t *testing.T) {
	t.Setenv("LEAKED", "yes")
	s := newSite(t)
	cfg := s.config("vm")
	cfg.Env = []string{"EXTRA=e=e"}
	h := s.boot(cfg)
	session := h.session()
	require.NoError(t, session.Setenv("SENT", "s"))
	require.Error(t, session.Setenv("BAD=KEY", "s"))
	require.NoError(t, session.Setenv("ARMSIM_MACHINE", "mine"))

	out, err := session.Output(`echo "$HOME $TMPDIR $USER $LOGNAME $SHELL $HOSTNAME $EXTRA $SENT<$LEAKED>$ARMSIM_MACHINE"`)
	require.NoError(t, err)
	want := h.Dir() + " " + h.Dir() + "/tmp azureuser azureuser /bin/sh vm e=e s<>"
	require.True(t, strings.HasPrefix(string(out), want), "%s", out)
	assert.NotContains(t, string(out), "mine")
	assert.Empty(t, h.output(`test -d "$TMPDIR" && test -n "$ARMSIM_MACHINE"`))
}

func TestShellReadsItsScript(t *testing.T) {
	h := bootOne(t)
	session := h.session()
	require.NoError(t, session.RequestPty("xterm", 24, 80, nil))
	require.NoError(t, session.WindowChange(25, 81))
	var stdout bytes.Buffer
	session.Stdin, session.Stdout = strings.NewReader("pwd -P\nexit 3\n"), &stdout
	require.NoError(t, session.Shell())

	var exit *ssh.ExitError
	require.ErrorAs(t, session.Wait(), &exit)
	assert.Equal(t, 3, exit.ExitStatus())
	assert.Equal(t, h.Dir()+"\n", stdout.String())
}

func TestSecondCommandInASessionIsRefused(t *testing.T) {
	session := bootOne(t).session()
	require.NoError(t, session.Start("cat"))
	ok, err := session.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"true"}))
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestSignalsReachTheWholeGroup(t *testing.T) {
	session := bootOne(t).session()
	stdout, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start(`trap 'wait; echo told; exit 5' TERM; sh -c 'echo ready; exec sleep 1000' & wait`))
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.NoError(t, session.Signal(ssh.SIGTERM))

	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.Equal(t, "told\n", string(rest))
	var exit *ssh.ExitError
	require.ErrorAs(t, session.Wait(), &exit)
	assert.Equal(t, 5, exit.ExitStatus())
}

func TestDeathBySignal(t *testing.T) {
	h := bootOne(t)
	for signal, status := range map[string]int{"KILL": 137, "TERM": 143} {
		var exit *ssh.ExitError
		require.ErrorAs(t, h.session().Run("kill -"+signal+" $$"), &exit)
		assert.Equal(t, signal, exit.Signal())
		assert.Equal(t, status, exit.ExitStatus())
	}
}

func TestBackgroundChildDoesNotHoldTheSession(t *testing.T) {
	h := bootOne(t)
	assert.Equal(t, "done\n", h.output("sleep 1000 & echo done"))
}

func TestChattyBackgroundChildDoesNotHoldTheSession(t *testing.T) {
	h := bootOne(t)
	assert.True(t, strings.HasPrefix(h.output("echo done; yes &"), "done\n"))
}

func TestSlowReaderLosesNothing(t *testing.T) {
	const size = 5 << 20
	session := bootOne(t).session()
	stdout, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start("sleep 1000 & head -c 5242880 /dev/zero"))
	n, err := io.Copy(io.Discard, bufio.NewReaderSize(stdout, 100))
	require.NoError(t, err)
	assert.EqualValues(t, size, n)
	require.NoError(t, session.Wait())
}

func TestOpenStdinDoesNotHoldTheSession(t *testing.T) {
	session := bootOne(t).session()
	_, err := session.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, session.Run("true"))
}

// GitLab Runner's instance_ready_command asks for it, whatever PATH the machine has.
func TestCloudInitIsDone(t *testing.T) {
	s := newSite(t)
	cfg := s.config("vm")
	cfg.Env = []string{"PATH=/usr/bin:/bin"}
	h := s.boot(cfg)
	assert.Equal(t, "status: done\n", h.output("cloud-init status --wait || test $? -eq 2"))
	assert.Equal(t, "tmp\n", h.output("ls"))
}
