package testbed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// The executors that use the plugin.
const (
	Instance         = "instance"
	DockerAutoscaler = "docker-autoscaler"
)

// Options describe what to bring up. LogFile is the runner's, with the plugin's
// log in it, and is appended to.
type Options struct {
	load.Options
	Runner  string // GitLab Runner's binary
	Version RunnerVersion

	// Exited is called when a runner ends that was not asked to; nil: nothing is.
	Exited func(error)

	Executor    string
	Concurrent  int // jobs at a time
	MaxUseCount int
	KeepState   bool // the next runner goes on with the instances that are there
}

// Testbed is a simulator, a stand-in for GitLab and a runner. Its methods
// are for one goroutine; Jobs and Simulator are for any.
type Testbed struct {
	Simulator *load.Simulator
	Jobs      *jobapi.Server
	Docker    *Docker // of docker-autoscaler; else nil
	URL       string  // of Jobs
	Config    string  // path of config.toml

	// Login is a file for curl's --config with what the control endpoints of Jobs and
	// Simulator demand: other users can see a command's arguments.
	Login string

	options Options
	dir     string
	config  config
	runner  *runner
	closers []func() error
}

// Start brings all up. It returns before the runner is ready. The error names what is
// not available.
func Start(ctx context.Context, o Options) (*Testbed, error) {
	t := &Testbed{options: o}
	startDocker := func() error { return t.startDocker(ctx) }
	for _, step := range []func() error{startDocker, t.makeDir, t.startSimulator, t.startJobs, t.writeLogin, t.prepareConfig, t.StartRunner} {
		if err := step(); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// startDocker finds or starts the engine if the executor needs it.
func (t *Testbed) startDocker(ctx context.Context) (err error) {
	if t.options.Executor != DockerAutoscaler {
		return nil
	}
	if t.Docker, err = newDocker(ctx, t.options.Runner); err == nil {
		t.closers = append(t.closers, t.Docker.engine.Close, func() error { return t.Docker.sweep(t.URL) })
	}
	return err
}

// makeDir makes the testbed's own directory, with the binaries where the runner
// and the jobs look for them: on PATH, under the names that they have there.
func (t *Testbed) makeDir() (err error) {
	if t.dir, err = os.MkdirTemp("", "testbed-"); err != nil {
		return err
	}
	t.closers = append(t.closers, func() error { return os.RemoveAll(t.dir) })
	if err := os.Mkdir(t.bin(), 0o700); err != nil {
		return err
	}
	for name, binary := range map[string]string{"gitlab-runner": t.options.Runner, pluginName: t.options.Plugin} {
		binary, err := filepath.Abs(binary)
		if err != nil {
			return err
		}
		if err := os.Symlink(binary, filepath.Join(t.bin(), name)); err != nil {
			return err
		}
	}
	return nil
}

const pluginName = "fleeting-plugin-azure"

// path is PATH with those binaries.
func (t *Testbed) path() string { return t.bin() + string(os.PathListSeparator) + os.Getenv("PATH") }

func (t *Testbed) bin() string { return filepath.Join(t.dir, "bin") }

// startSimulator gives the instances the SSH port that every runner dials. Where
// it is not available, any will do for a runner that lets its user choose.
func (t *Testbed) startSimulator() (err error) {
	path := "PATH=" + t.path() // jobs need gitlab-runner, to upload artifacts
	t.Simulator, err = load.StartSimulator(t.options.Options, "--machine-env", path, "--ssh-port", sshPort)
	if err != nil && strings.Contains(err.Error(), "bind:") {
		if !t.options.Version.choosesPort() {
			return fmt.Errorf("%w; GitLab Runner dials port %s of an instance and has protocol_port only since 17.11 (this is %s); "+
				"fix: run as root, stop the SSH server of this machine, or let everybody have that port (sysctl net.ipv4.ip_unprivileged_port_start=%s)",
				err, sshPort, t.options.Version, sshPort)
		}
		t.Simulator, err = load.StartSimulator(t.options.Options, "--machine-env", path)
	}
	if err == nil {
		t.closers = append(t.closers, t.Simulator.Close)
	}
	return err
}

const sshPort = "22"

func (t *Testbed) startJobs() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the stand-in for GitLab: %w", err)
	}
	t.config.Token, t.URL = newToken(), "http://"+listener.Addr().String()
	t.Jobs = jobapi.New(jobapi.Config{Token: t.config.Token, LongPoll: time.Second, ControlToken: t.Simulator.ControlToken})
	server := &http.Server{Handler: t.Jobs, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	t.closers = append(t.closers, server.Close)
	return nil
}

func (t *Testbed) writeLogin() error {
	t.Login = filepath.Join(t.dir, "control.curl")
	return os.WriteFile(t.Login, []byte("header = "+quote("Authorization: Bearer "+t.Simulator.ControlToken)+"\n"), 0o600)
}

// Close ends the runner, by force if it lingers, and all else, and removes what
// they have made. The error names what is left.
func (t *Testbed) Close() (err error) {
	for _, closer := range slices.Backward(t.closers) {
		err = errors.Join(err, closer())
	}
	return err
}

// Inspect returns what is left beyond instances once the runner has ended.
func (t *Testbed) Inspect(ctx context.Context) error {
	processes, err := t.plugins()
	found := []error{err}
	for _, process := range processes {
		found = append(found, fmt.Errorf("the plugin's process %s is left", process))
	}
	if t.Docker != nil {
		containers, err := t.Docker.containers(ctx, 0)
		found = append(found, err)
		for _, id := range containers {
			found = append(found, fmt.Errorf("container %s is left", id))
		}
	}
	return errors.Join(found...)
}
