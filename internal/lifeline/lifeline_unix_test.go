//go:build unix

package lifeline

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roleVariable makes this test binary a child that watches, or the parent that
// starts one, has the reading end of its standard error, and waits.
const roleVariable = "LIFELINE_TEST_ROLE"

const timeout = 30 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "parent":
		fmt.Println(runParent())
		os.Exit(1)
	case "child":
		runChild()
	}
	os.Exit(m.Run())
}

func runParent() error {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=child")
	child.Stdin, child.Stdout = os.Stdin, os.Stdout
	if _, err := child.StderrPipe(); err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	return child.Wait()
}

// runChild reports that it watches and, before it exits, why it exits. In between
// it waits for its standard input to close.
func runChild() {
	Watch(context.Background(), Options{Interval: 5 * time.Millisecond}, func(reason string) {
		fmt.Println("ending")
		_, _ = io.Copy(io.Discard, os.Stdin)
		_, err := fmt.Fprintln(os.Stderr, "may not be read")
		fmt.Println(reason, err != nil)
		os.Exit(0)
	})
	fmt.Println(os.Getpid())
	select {}
}

// childProcess is a parent or a child with the pipes of the child.
type childProcess struct {
	cmd   *exec.Cmd
	pid   int // of the child
	stdin io.Closer
	out   *bufio.Reader // ends when all that write to it have ended
}

func start(t *testing.T, role string) *childProcess {
	t.Helper()
	p := &childProcess{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0") // a second for each process otherwise
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	reader, writer, err := os.Pipe() // StdoutPipe's ends with the parent
	require.NoError(t, err)
	require.NoError(t, reader.SetReadDeadline(time.Now().Add(timeout)))
	p.cmd.Stdout, p.stdin, p.out = writer, stdin, bufio.NewReader(reader)
	require.NoError(t, p.cmd.Start())
	require.NoError(t, writer.Close())
	_, err = fmt.Fscanln(p.out, &p.pid)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
		}
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

func (p *childProcess) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

func TestParentDies(t *testing.T) {
	p := start(t, "parent")
	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.cmd.Wait(), "it was killed; this closes standard input, too")
	require.Equal(t, "ending", p.line(t))
	assert.Equal(t, "the parent process has ended true", p.line(t), "standard error is broken by then")
	_, err := p.out.ReadByte()
	assert.ErrorIs(t, err, io.EOF, "it is called once")
}

func TestSIGTERM(t *testing.T) {
	p := start(t, "child")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, "ending", p.line(t))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM), "a second one has no effect")
	require.NoError(t, p.stdin.Close())
	assert.Equal(t, "SIGTERM received false", p.line(t))
	assert.NoError(t, p.cmd.Wait())
	_, err := p.out.ReadByte()
	assert.ErrorIs(t, err, io.EOF, "it is called once")
}

// TestSurvivedSignals are those that a runner takes as something other than its
// end, and that reach the plugin as well: SIGQUIT is its sign to stop after its
// jobs, SIGHUP to read its configuration again. Either would come first if both
// were pending: their numbers are lower than SIGTERM's.
func TestSurvivedSignals(t *testing.T) {
	for name, survived := range map[string]syscall.Signal{"SIGHUP": syscall.SIGHUP, "SIGQUIT": syscall.SIGQUIT} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "child")
			require.NoError(t, p.cmd.Process.Signal(survived))
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
			require.Equal(t, "ending", p.line(t))
			require.NoError(t, p.cmd.Process.Signal(survived), "while it ends, too")
			require.NoError(t, p.stdin.Close())
			assert.Equal(t, "SIGTERM received false", p.line(t))
			assert.NoError(t, p.cmd.Wait())
		})
	}
}
