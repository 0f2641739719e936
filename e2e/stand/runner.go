package stand

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
	told    atomic.Bool // to end
	ended   chan struct{}
	err     error // after ended: how it ended
}

// StartRunner starts GitLab Runner, which ends with this process, however that
// dies. It returns before the runner is ready. The error may say that the one
// before has not ended.
func (s *Stand) StartRunner() error {
	if s.runner != nil && !s.runner.hasEnded() {
		return errors.New("start GitLab Runner: the one before has not ended")
	}
	log, err := os.OpenFile(s.options.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start GitLab Runner: %w", err)
	}
	r := &runner{log: log, ended: make(chan struct{})}
	r.command = exec.Command(filepath.Join(s.bin(), "gitlab-runner"), "run", "--config", s.Config, "--working-directory", s.dir)
	r.command.Stdout, r.command.Stderr = log, log
	r.command.Env = append(s.environment(), "PATH="+s.path())
	ownGroup(r.command)
	started := make(chan error)
	go s.attend(r, started)
	if err := <-started; err != nil {
		return errors.Join(fmt.Errorf("start GitLab Runner: %w", err), log.Close())
	}
	s.runner = r
	return nil
}

// attend is with the runner from its start to its end.
func (s *Stand) attend(r *runner, started chan<- error) {
	runtime.LockOSThread() // see ownGroup
	err := r.command.Start()
	started <- err
	if err != nil {
		return
	}
	r.err = r.command.Wait()
	_ = r.log.Close()
	close(r.ended)
	if s.options.Died != nil && !r.told.Load() {
		s.options.Died(fmt.Errorf("GitLab Runner has ended by itself: %w; its log is %s", r.err, s.options.LogFile))
	}
}

// environment is that of this process and the simulator's: what the machine has
// of Azure is not for the plugin.
func (s *Stand) environment() []string {
	var all []string
	for _, variable := range os.Environ() {
		if upper := strings.ToUpper(variable); !strings.HasPrefix(upper, "AZURE_") && !strings.HasPrefix(upper, "SSL_CERT_") {
			all = append(all, variable)
		}
	}
	for key, value := range s.Simulator.Env {
		all = append(all, key+"="+value)
	}
	return all
}

func (r *runner) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// AskToQuit has the runner take no more jobs, and end when those that run are
// done.
func (s *Stand) AskToQuit() error {
	s.runner.told.Store(true)
	if err := s.runner.command.Process.Signal(syscall.SIGQUIT); err != nil {
		return fmt.Errorf("send SIGQUIT to GitLab Runner: %w", err)
	}
	return nil
}

// AwaitQuit waits until the runner has ended. The error says that it did not
// before ctx, or how it ended if not well.
func (s *Stand) AwaitQuit(ctx context.Context) error {
	select {
	case <-s.runner.ended:
		if s.runner.err != nil {
			return fmt.Errorf("GitLab Runner has ended: %w", s.runner.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("GitLab Runner does not end: %w", context.Cause(ctx))
	}
}

// kill ends the runner, in haste if it lingers.
func (r *runner) kill() {
	r.told.Store(true)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		signalGroup(r.command.Process, sig)
		select {
		case <-r.ended:
			return
		case <-time.After(20 * time.Second):
		}
	}
}

// plugins are the processes of the plugin that were started for this stand. They
// go by the path that the runner found, which no other stand has.
func (s *Stand) plugins() ([]int, error) {
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
		if program, _, _ := strings.Cut(string(line), "\x00"); program == filepath.Join(s.bin(), pluginName) {
			found = append(found, pid)
		}
	}
	return found, nil
}
