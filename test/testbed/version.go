package testbed

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
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

// Version asks a runner's binary for its version. It returns an error if
// that is not GitLab Runner or prints no version.
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
	return RunnerVersion{text: "unknown"}, fmt.Errorf("%s --version prints no version; fix: name the binary of GitLab Runner", binary)
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
