package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// runner is a process of GitLab Runner.
type runner struct {
	command *exec.Cmd
	log     *os.File
	asked   atomic.Bool // to end
	ended   chan struct{}
	err     error // after ended: how it ended
}

// StartRunner starts GitLab Runner, which ends with this process, however that
// dies. It returns before the runner is ready. There may be one at a time.
func (t *Testbed) StartRunner() error {
	if !t.lastEnded() {
		return errors.New("start GitLab Runner: the one before has not ended")
	}
	log, err := os.OpenFile(t.options.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start GitLab Runner: %w", err)
	}
	r := &runner{log: log, ended: make(chan struct{})}
	r.command = exec.Command(filepath.Join(t.bin(), "gitlab-runner"), "run", "--config", t.Config, "--working-directory", t.dir)
	r.command.Stdout, r.command.Stderr = log, log
	r.command.Env = append(t.environment(), "PATH="+t.path())
	setGroup(r.command)
	started := make(chan error)
	go t.attend(r, started)
	if err := <-started; err != nil {
		return errors.Join(fmt.Errorf("start GitLab Runner: %w", err), log.Close())
	}
	t.runner = r
	return nil
}

// attend starts the runner and waits for its end.
func (t *Testbed) attend(r *runner, started chan<- error) {
	runtime.LockOSThread() // see setGroup
	err := r.command.Start()
	started <- err
	if err != nil {
		return
	}
	r.err = r.command.Wait()
	_ = r.log.Close()
	close(r.ended)
	if t.options.Exited != nil && !r.asked.Load() {
		t.options.Exited(fmt.Errorf("GitLab Runner has ended by itself: %w; its log is %s", r.err, t.options.LogFile))
	}
}

// environment is that of this process without what it has of Azure, and the
// simulator's.
func (t *Testbed) environment() []string {
	var all []string
	for _, variable := range os.Environ() {
		if upper := strings.ToUpper(variable); !strings.HasPrefix(upper, "AZURE_") && !strings.HasPrefix(upper, "SSL_CERT_") {
			all = append(all, variable)
		}
	}
	for key, value := range t.Simulator.Env {
		all = append(all, key+"="+value)
	}
	return all
}

// lastEnded reports whether there is no runner, or none that runs.
func (t *Testbed) lastEnded() bool {
	if t.runner == nil {
		return true
	}
	select {
	case <-t.runner.ended:
		return true
	default:
		return false
	}
}

// AskToQuit has the runner take no further jobs, and end when those that run are
// done.
func (t *Testbed) AskToQuit() error {
	t.runner.asked.Store(true)
	if err := t.runner.command.Process.Signal(syscall.SIGQUIT); err != nil {
		return fmt.Errorf("send SIGQUIT to GitLab Runner: %w", err)
	}
	return nil
}

// AwaitQuit waits until the runner has ended. It returns an error if that was not
// before ctx, or was a failure.
func (t *Testbed) AwaitQuit(ctx context.Context) error {
	select {
	case <-t.runner.ended:
		if t.runner.err != nil {
			return fmt.Errorf("GitLab Runner has ended: %w", t.runner.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("GitLab Runner does not end: %w", context.Cause(ctx))
	}
}

// kill ends the runner, by force if it lingers.
func (r *runner) kill() {
	r.asked.Store(true)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		signalGroup(r.command.Process, sig)
		select {
		case <-r.ended:
			return
		case <-time.After(20 * time.Second):
		}
	}
}

// plugins are the processes of the plugin that were started for this testbed. They
// are identified by the path that the runner found, which no other testbed has.
func (t *Testbed) plugins() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for the plugin's processes: %w", err)
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil {
			continue // it has ended by now
		}
		if program, _, _ := strings.Cut(string(line), "\x00"); program == filepath.Join(t.bin(), pluginName) {
			found = append(found, pid)
		}
	}
	return found, nil
}
