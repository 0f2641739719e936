package machine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// begin starts a command and returns the first line it writes, which says that
// it runs, and where the rest can be read.
func begin(t *testing.T, session *ssh.Session, command string) (string, io.Reader) {
	t.Helper()
	stdout, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start(command))
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	return line[:len(line)-1], lines
}

// daemon is a command that starts this binary's daemon, listening on loopback.
func daemon(t *testing.T, how string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return listenVariable + "=127.0.0.1:0 " + how + " '" + self + "'"
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestPowerOffKillsARunningCommand(t *testing.T) {
	h := bootOne(t)
	session := h.session()
	address, _ := begin(t, session, "trap '' TERM HUP; "+daemon(t, ""))
	require.True(t, listens(address))

	h.PowerOff()
	assert.False(t, listens(address))
	err := session.Wait()
	var missing *ssh.ExitMissingError
	require.ErrorAs(t, err, &missing)
}

func TestPowerOffKillsWhatEscaped(t *testing.T) {
	for _, how := range []string{"setsid", "nohup setsid -f", "setsid nohup setsid -f"} {
		t.Run(how, func(t *testing.T) {
			h := bootOne(t)
			session := h.session()
			// The session ends soon after its shell does, which must not be before
			// the daemon listens.
			file := filepath.Join(t.TempDir(), "address")
			address, rest := begin(t, session, fmt.Sprintf("%s >'%s' & until grep -qs . '%s'; do sleep 0.01; done; cat '%[2]s'", daemon(t, how), file, file))
			_, err := io.ReadAll(rest)
			require.NoError(t, err)
			require.NoError(t, session.Wait())
			require.True(t, listens(address), "a daemon outlives its session")

			h.PowerOff()
			assert.False(t, listens(address))
		})
	}
}

func TestPowerOffSparesOtherMachines(t *testing.T) {
	s := newSite(t)
	doomed, spared := s.boot(s.config("doomed")), s.boot(s.config("spared"))
	address, _ := begin(t, spared.session(), daemon(t, "setsid"))
	begin(t, doomed.session(), daemon(t, "setsid"))

	doomed.Destroy()
	assert.True(t, listens(address))
}

func TestLostConnectionKillsTheGroup(t *testing.T) {
	h := bootOne(t)
	client := h.client()
	session, err := client.NewSession()
	require.NoError(t, err)
	address, _ := begin(t, session, daemon(t, ""))
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()

	require.NoError(t, client.Close())
	waitForEnd(conn)
}

func TestPowerOffCutsSilentConnections(t *testing.T) {
	h := bootOne(t)
	conn, err := net.Dial("tcp", h.address(0))
	require.NoError(t, err)
	defer conn.Close()
	_, err = bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err, "the server greets")

	h.PowerOff()
	waitForEnd(conn)
}

// waitForEnd returns when the other side of conn is gone, closed or reset.
func waitForEnd(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
