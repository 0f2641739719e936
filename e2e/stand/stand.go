package stand

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/jobapi"
)

// The executors that use the plugin.
const (
	Instance         = "instance"
	DockerAutoscaler = "docker-autoscaler"
)

// Options say what to bring up.
type Options struct {
	Runner    string // GitLab Runner's binary
	Plugin    string // our binaries
	Simulator string
	LogFile   string // of the runner; appended to

	// Died is called when a runner ends that nobody told to; nil: nobody cares.
	Died func(error)

	Executor     string
	Docker       *Docker // of docker-autoscaler
	Mode         string  // orchestration mode; empty: Uniform
	Boot         time.Duration
	Concurrent   int // jobs at a time
	MaxInstances int
	MaxUseCount  int
	IdleCount    int
	KeepState    bool // the next runner goes on with the instances that are there
	Control      bool // the stand-in's control endpoint is wanted
}

// Stand is a simulator, a stand-in for GitLab and perhaps a runner. Its methods
// are for one goroutine; Jobs and Simulator are for any.
type Stand struct {
	Simulator *process.Process
	Jobs      *jobapi.Server
	URL       string // of the stand-in
	Config    string // path of config.toml

	// JobsLogin and SimulatorLogin are files for curl's --config with what their
	// control endpoints demand: other users can see a command's arguments.
	JobsLogin, SimulatorLogin string

	options   Options
	dir       string
	config    config
	jobsToken string
	runner    *runner
	server    *http.Server
	closers   []func() error
}

// Start brings up all but the runner. The error says what could not be had.
func Start(ctx context.Context, o Options) (*Stand, error) {
	s := &Stand{options: o}
	for _, step := range []func(context.Context) error{s.makeDir, s.startSimulator, s.startJobs, s.writeLogins, s.prepareConfig} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// makeDir makes the stand's own directory, with the binaries where the runner
// and the jobs look for them: on PATH, under the names that they have there.
func (s *Stand) makeDir(context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "stand-"); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(s.dir) })
	if err := os.Mkdir(s.bin(), 0o700); err != nil {
		return err
	}
	for name, binary := range map[string]string{"gitlab-runner": s.options.Runner, pluginName: s.options.Plugin} {
		binary, err := filepath.Abs(binary)
		if err != nil {
			return err
		}
		if err := os.Symlink(binary, filepath.Join(s.bin(), name)); err != nil {
			return err
		}
	}
	return nil
}

const pluginName = "fleeting-plugin-azure"

// path is PATH with those binaries.
func (s *Stand) path() string { return s.bin() + string(os.PathListSeparator) + os.Getenv("PATH") }

func (s *Stand) bin() string { return filepath.Join(s.dir, "bin") }

// startSimulator gives the instances the SSH port that every runner dials. Where
// it cannot be had, any will do for a runner that lets its user choose.
func (s *Stand) startSimulator(ctx context.Context) error {
	args := []string{
		"--scale-set", "runners", "--orchestration-mode", s.options.Mode, "--spot", "Delete",
		"--boot", s.options.Boot.String(), "--delete", "1s", "--page-size", "50",
		"--machine-env", "PATH=" + s.path(), // jobs need gitlab-runner, to upload artifacts
	}
	simulator, err := process.Start(s.options.Simulator, append(args, "--ssh-port", sshPort)...)
	if err != nil {
		if !strings.Contains(err.Error(), "bind:") { // the port has nothing to do with it
			return err
		}
		version, unknown := Version(ctx, s.options.Runner)
		if unknown != nil || !version.choosesPort() {
			return fmt.Errorf("%w; GitLab Runner dials port %s of an instance and has protocol_port only since 17.11 (this is %s); "+
				"fix: run as root, stop the SSH server of this machine, or let everybody have that port (sysctl net.ipv4.ip_unprivileged_port_start=%s)",
				err, sshPort, version, sshPort)
		}
		if simulator, err = process.Start(s.options.Simulator, args...); err != nil {
			return err
		}
	}
	s.Simulator = simulator
	s.closers = append(s.closers, simulator.Close)
	return nil
}

const sshPort = "22"

func (s *Stand) startJobs(ctx context.Context) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the stand-in for GitLab: %w", err)
	}
	token, err := newToken()
	if err != nil {
		return err
	}
	s.config.Token, s.URL = token, "http://"+listener.Addr().String()
	c := jobapi.Config{Runners: map[string]string{token: s.options.Executor}, LongPoll: time.Second}
	if s.options.Control {
		c.ControlToken = rand.Text()
	}
	s.Jobs, s.jobsToken = jobapi.New(c), c.ControlToken
	s.server = &http.Server{Handler: s.Jobs, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.server.Serve(listener) // ends with ErrServerClosed
	}()
	s.closers = append(s.closers, func() error {
		defer func() { <-ended }()
		return s.server.Close()
	})
	return nil
}

func (s *Stand) writeLogins(context.Context) error {
	if !s.options.Control {
		return nil
	}
	s.JobsLogin, s.SimulatorLogin = filepath.Join(s.dir, "jobs.curl"), filepath.Join(s.dir, "armsim.curl")
	for file, token := range map[string]string{s.JobsLogin: s.jobsToken, s.SimulatorLogin: s.Simulator.ControlToken} {
		if err := os.WriteFile(file, []byte("header = "+quote("Authorization: Bearer "+token)+"\n"), 0o600); err != nil {
			return fmt.Errorf("write the control endpoints' tokens: %w", err)
		}
	}
	return nil
}

// Close ends the runner, in haste if it has to, and all else, and removes what
// they have made. It may be called more than once. The error tells what is left.
func (s *Stand) Close() error {
	var err error
	if s.runner != nil {
		s.runner.kill()
		if s.options.Docker != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err = s.options.Docker.Sweep(ctx, s.URL)
		}
		s.runner = nil
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	s.closers = nil
	return err
}

// Left counts the instances that there are; the error says that it could not.
func (s *Stand) Left(ctx context.Context) (int, error) {
	stats, err := s.Simulator.Stats(ctx)
	if err != nil {
		return 0, fmt.Errorf("count instances: %w", err)
	}
	return max(stats.Instances, stats.Machines, stats.Addresses), nil
}

// Inspect tells what else is there once the runner has ended, and should not be.
func (s *Stand) Inspect(ctx context.Context) error {
	var found []error
	stats, err := s.Simulator.Stats(ctx)
	if len(stats.NotSimulated) > 0 {
		found = append(found, fmt.Errorf("the plugin asked for what is not simulated: %s", stats.NotSimulated[0]))
	}
	found = append(found, err)
	processes, err := s.plugins()
	for _, pid := range processes {
		found = append(found, fmt.Errorf("the plugin's process %d is left", pid))
	}
	found = append(found, err)
	if s.options.Docker != nil {
		containers, err := s.options.Docker.Containers(ctx, s.URL, 0)
		for _, id := range containers {
			found = append(found, fmt.Errorf("container %s is left", id))
		}
		found = append(found, err)
	}
	return errors.Join(found...)
}
