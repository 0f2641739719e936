package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the program under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "armsim-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "armsim.exe")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build armsim: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// process is a simulator that runs alone; env is what it exported.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *bytes.Buffer
	env    map[string]string
}

// launch starts the program and returns once it is ready. It ends with the
// test.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, append(args, "--watch-stdin")...), stderr: &bytes.Buffer{}, env: map[string]string{}}
	p.cmd.Stderr = p.stderr
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.stdin = stdin
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = p.cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "# ready" {
		if assignment, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			key, value, _ := strings.Cut(assignment, "=")
			p.env[key] = strings.Trim(value, "'")
		}
	}
	require.Equal(t, "# ready", lines.Text(), "armsim did not get ready")
	return p
}
