package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// runner is a process of GitLab Runner.
type runner struct {
	command *exec.Cmd
	asked   atomic.Bool // to end
	ended   context.Context
	end     context.CancelFunc
	err     error // after ended: how it ended
}

// StartRunner starts another GitLab Runner when the one before has ended. It ends with
// this process, however that dies.
func (t *Testbed) StartRunner() error {
	if t.runner != nil && t.runner.ended.Err() == nil {
		return errors.New("start GitLab Runner: the one before has not ended")
	}
	log, err := os.OpenFile(t.options.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start GitLab Runner: %w", err)
	}
	defer log.Close() // the runner has it
	r := &runner{command: exec.Command(filepath.Join(t.bin(), "gitlab-runner"), "run", "--config", t.Config, "--working-directory", t.dir)}
	r.command.Stdout, r.command.Stderr = log, log
	r.command.Env = append(t.environment(), "PATH="+t.path())
	setGroup(r.command)
	r.ended, r.end = context.WithCancel(context.Background())
	started := make(chan error)
	go t.attend(r, started)
	if err := <-started; err != nil {
		return fmt.Errorf("start GitLab Runner: %w", err)
	}
	t.runner, t.closers = r, append(t.closers, r.kill)
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
	r.end()
	if t.options.Exited != nil && !r.asked.Load() {
		t.options.Exited(fmt.Errorf("GitLab Runner has ended by itself: %w; its log is %s", r.err, t.options.LogFile))
	}
}

// environment is that of this process without what it has of Azure, and the
// simulator's.
func (t *Testbed) environment() []string {
	all := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		upper := strings.ToUpper(variable)
		return strings.HasPrefix(upper, "AZURE_") || strings.HasPrefix(upper, "SSL_CERT_")
	})
	for key, value := range t.Simulator.Env {
		all = append(all, key+"="+value)
	}
	return all
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
	case <-t.runner.ended.Done():
		if t.runner.err != nil {
			return fmt.Errorf("GitLab Runner has ended: %w", t.runner.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("GitLab Runner does not end: %w", context.Cause(ctx))
	}
}

// kill ends the runner, by force if it lingers.
func (r *runner) kill() error {
	r.asked.Store(true)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		signalGroup(r.command.Process, sig)
		select {
		case <-r.ended.Done():
			return nil
		case <-time.After(20 * time.Second):
		}
	}
	return errors.New("GitLab Runner does not end")
}

// AwaitListed waits until the plugin has listed instances since now.
func (t *Testbed) AwaitListed(ctx context.Context) error {
	since := time.Now()
	return load.Poll(ctx, func(ctx context.Context) (bool, string, error) {
		journal, err := t.Simulator.Journal(ctx)
		return slices.ContainsFunc(journal, func(e armsim.Entry) bool {
			return strings.HasPrefix(e.Operation, "VirtualMachine") && strings.HasSuffix(e.Operation, "s_List") && e.Time.After(since)
		}), "the plugin lists no instances", err
	})
}

// HangUp sends SIGHUP to the runner and all that it has started, as systemctl
// kill does, and waits until the plugin has listed instances since.
func (t *Testbed) HangUp(ctx context.Context) error {
	signalGroup(t.runner.command.Process, syscall.SIGHUP)
	return t.AwaitListed(ctx)
}

// plugins are the processes of the plugin that were started for this testbed, as
// directories of /proc. They are identified by the path that the runner found, which
// no other testbed has.
func (t *Testbed) plugins() ([]string, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	return slices.DeleteFunc(all, func(process string) bool {
		line, _ := os.ReadFile(filepath.Join(process, "cmdline")) // it may have ended by now
		program, _, _ := strings.Cut(string(line), "\x00")
		return program != filepath.Join(t.bin(), pluginName)
	}), err
}
