package stand

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// StartRunner starts GitLab Runner. It returns before the runner is ready.
func (s *Stand) StartRunner() error {
	log, err := os.OpenFile(s.options.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start GitLab Runner: %w", err)
	}
	r := &runner{log: log, ended: make(chan struct{})}
	r.command = exec.Command(filepath.Join(s.bin(), "gitlab-runner"), "run", "--config", s.Config, "--working-directory", s.dir)
	r.command.Stdout, r.command.Stderr = log, log
	r.command.Env = os.Environ()
	for key, value := range s.Simulator.Env {
		r.command.Env = append(r.command.Env, key+"="+value)
	}
	r.command.Env = append(r.command.Env, "PATH="+s.path())
	ownGroup(r.command)
	if err := r.command.Start(); err != nil {
		return errors.Join(fmt.Errorf("start GitLab Runner: %w", err), log.Close())
	}
	s.runner = r
	go func() {
		r.err = r.command.Wait()
		_ = log.Close()
		close(r.ended)
		if s.options.Died != nil && !r.told.Load() {
			s.options.Died(fmt.Errorf("GitLab Runner has ended by itself: %w; its log is %s", r.err, s.options.LogFile))
		}
	}()
	return nil
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

// RunnerVersion is a release of GitLab Runner.
type RunnerVersion struct {
	Major, Minor int
	text         string
}

// String is the version as the runner tells it.
func (v RunnerVersion) String() string { return v.text }

func (v RunnerVersion) since(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// TakesPolicies says whether a runner that runs takes a policy's change from
// config.toml. Older ones do with their next start.
func (v RunnerVersion) TakesPolicies() bool { return v.since(17, 5) }

// choosesPort says whether connector_config has protocol_port, which came with
// 17.11.
func (v RunnerVersion) choosesPort() bool { return v.since(17, 11) }

// Version asks a runner's binary for its version. The error says that it is not
// GitLab Runner, or which words of it are no version.
func Version(ctx context.Context, binary string) (RunnerVersion, error) {
	out, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return RunnerVersion{text: "unknown"}, fmt.Errorf("ask %s for its version: %w; fix: name the binary of GitLab Runner", binary, err)
	}
	for line := range strings.Lines(string(out)) {
		if text, found := strings.CutPrefix(line, "Version:"); found {
			return parseVersion(strings.TrimSpace(text))
		}
	}
	return RunnerVersion{text: "unknown"}, fmt.Errorf("%s --version tells no version; fix: name the binary of GitLab Runner", binary)
}

func parseVersion(text string) (RunnerVersion, error) {
	v := RunnerVersion{text: text}
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return v, fmt.Errorf("%q is no version of GitLab Runner", text)
	}
	var errMajor, errMinor error
	v.Major, errMajor = strconv.Atoi(parts[0])
	v.Minor, errMinor = strconv.Atoi(parts[1])
	if err := errors.Join(errMajor, errMinor); err != nil {
		return v, fmt.Errorf("%q is no version of GitLab Runner: %w", text, err)
	}
	return v, nil
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
