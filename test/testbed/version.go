package testbed

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// RunnerVersion is a release of GitLab Runner.
type RunnerVersion struct {
	Major, Minor int
	text         string
}

// String is the version as the runner prints it.
func (v RunnerVersion) String() string { return v.text }

func (v RunnerVersion) since(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// TakesPolicies reports whether a running runner takes a policy's change from
// config.toml. Older ones do with their next start.
func (v RunnerVersion) TakesPolicies() bool { return v.since(17, 5) }

// LogsForPlugin reports whether the runner gives the plugin's loader a logger, so
// that the plugin's lines in the runner's log can be identified.
func (v RunnerVersion) LogsForPlugin() bool { return v.since(17, 0) }

// CleansUpInTime reports whether the containers of a job that is cancelled or timed
// out are removed. Before the fix of its issue with dial-stdio the connection to
// Docker ended with the job's context (environmentDialContext in
// executors/docker/docker.go).
func (v RunnerVersion) CleansUpInTime() bool { return v.since(18, 1) }

// choosesPort reports whether connector_config has protocol_port, which came with
// 17.11.
func (v RunnerVersion) choosesPort() bool { return v.since(17, 11) }

// CheckRunner sets Version. It returns an error if the runner cannot have these
// executors.
func (o *Options) CheckRunner(ctx context.Context, executors ...string) (err error) {
	if o.Runner == "" {
		return errors.New("-runner must name GitLab Runner's binary; see -help")
	}
	for _, executor := range executors {
		switch executor {
		case Instance:
		case DockerAutoscaler:
			err = checkStatic(o.Runner)
		default:
			err = fmt.Errorf("executor %q: it must be %s or %s", executor, Instance, DockerAutoscaler)
		}
		if err != nil {
			return err
		}
	}
	o.Version, err = version(ctx, o.Runner)
	return err
}

// version asks a runner's binary for its version. It returns an error if that is
// not GitLab Runner or prints no version.
func version(ctx context.Context, binary string) (RunnerVersion, error) {
	out, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return RunnerVersion{}, fmt.Errorf("ask %s for its version: %w; fix: name the binary of GitLab Runner", binary, err)
	}
	_, rest, found := strings.Cut("\n"+string(out), "\nVersion:")
	if !found {
		return RunnerVersion{}, fmt.Errorf("%s --version prints no version; fix: name the binary of GitLab Runner", binary)
	}
	text, _, _ := strings.Cut(rest, "\n")
	return parseVersion(strings.TrimSpace(text))
}

// ownBuild is how to build a runner with what is missing in it otherwise.
const ownBuild = `fix: use a release, or build your own with CGO_ENABLED=0 go build -ldflags "-X gitlab.com/gitlab-org/gitlab-runner/common.VERSION=17.9.3", with its version`

func parseVersion(text string) (RunnerVersion, error) {
	v := RunnerVersion{text: text}
	if _, err := fmt.Sscanf(text, "%d.%d", &v.Major, &v.Minor); err != nil {
		return v, fmt.Errorf("%q is no version of GitLab Runner; %s", text, ownBuild)
	}
	return v, nil
}

// checkStatic returns an error unless a runner's binary is linked statically: for
// docker-autoscaler it becomes the helper in a container without a C library.
func checkStatic(binary string) error {
	program, err := elf.Open(binary)
	if err != nil {
		return fmt.Errorf("look whether %s is linked statically: %w; fix: name the binary of GitLab Runner for Linux", binary, err)
	}
	defer program.Close()
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked dynamically, and helper containers of docker-autoscaler have no C library; %s", binary, ownBuild)
		}
	}
	return nil
}
