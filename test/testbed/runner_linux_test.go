package testbed

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// withRunner is a testbed whose runner is a script.
func withRunner(t *testing.T, script string) *Testbed {
	t.Helper()
	s := newTestbed(t)
	s.dir, s.Simulator = t.TempDir(), &load.Simulator{Process: &process.Process{Env: map[string]string{"AZURE_CLIENT_ID": "simulated"}}}
	s.options.LogFile = filepath.Join(s.dir, "log")
	require.NoError(t, os.Mkdir(s.bin(), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(s.bin(), "gitlab-runner"), []byte("#!/bin/sh\n"+script), 0o700))
	return s
}

func (s *Testbed) logged() string {
	text, _ := os.ReadFile(s.options.LogFile) // it may not be there yet
	return string(text)
}

func TestOneRunnerAtATime(t *testing.T) {
	t.Parallel()
	s := withRunner(t, "trap 'exit 0' QUIT; echo ready; while [ -e \"$0\" ]; do sleep 0.01; done")
	require.NoError(t, s.StartRunner())
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	require.EqualError(t, s.StartRunner(), "start GitLab Runner: the one before has not ended")
	require.Eventually(t, func() bool { return s.logged() == "ready\n" }, time.Minute, time.Millisecond)
	require.NoError(t, s.AskToQuit())
	require.NoError(t, s.AwaitQuit(t.Context()))
	require.NoError(t, s.StartRunner())
}

func TestTheMachinesAzureIsNotForTheRunner(t *testing.T) {
	t.Setenv("AZURE_CLIENT_SECRET", "of-the-machine")
	t.Setenv("azure_tenant_id", "of-the-machine")
	t.Setenv("SSL_CERT_DIR", "of-the-machine")
	t.Setenv("OTHER", "kept")
	s := withRunner(t, "env")
	require.NoError(t, s.StartRunner())
	require.NoError(t, s.AwaitQuit(t.Context()))
	text := s.logged()
	assert.NotContains(t, text, "of-the-machine")
	assert.Contains(t, text, "AZURE_CLIENT_ID=simulated\n")
	assert.Contains(t, text, "OTHER=kept\n")
}

// TestTheRunnerEndsWithItsParent runs itself as the parent, and kills that.
func TestTheRunnerEndsWithItsParent(t *testing.T) {
	const marker = "TESTBED_TEST_PARENT"
	if dir := os.Getenv(marker); dir != "" {
		s := &Testbed{dir: dir, Simulator: &load.Simulator{Process: &process.Process{}}, options: Options{Options: load.Options{LogFile: filepath.Join(dir, "log")}}}
		require.NoError(t, s.StartRunner())
		<-s.runner.ended.Done()
		t.Fatal("the runner has ended before its parent")
	}
	t.Parallel()
	s := withRunner(t, "trap 'echo signalled; exit' TERM; echo ready; while [ -e \"$0\" ]; do sleep 0.01; done")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	parent := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+t.Name()+"$")
	parent.Env = append(os.Environ(), marker+"="+s.dir)
	require.NoError(t, parent.Start())
	logged := func(word string) func() bool {
		return func() bool { return strings.Contains(s.logged(), word) }
	}
	assert.Eventually(t, logged("ready"), time.Minute, time.Millisecond)
	require.NoError(t, parent.Process.Signal(syscall.SIGKILL))
	_ = parent.Wait() // killed
	require.Eventually(t, logged("signalled"), 20*time.Second, time.Millisecond)
}
