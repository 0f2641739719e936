package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// source is what a release is built from. Nothing in it depends on the clone:
// tags, branches and abbreviations of the revision do.
type source struct {
	dir      string
	revision string
	date     time.Time // of the commit, in UTC
}

// checkVersion wants what fleeting-artifact takes for a version, and strictly.
func checkVersion(version string) error {
	switch {
	case version == "":
		return errors.New("release: no version; fix: make release VERSION=1.2.3")
	case strings.HasPrefix(version, "v"):
		return fmt.Errorf("release: version %q begins with v; fix: VERSION=%s", version, version[1:])
	case strings.Contains(version, "+"):
		return fmt.Errorf("release: version %q has build metadata, which tags cannot; fix: leave out what follows the +", version)
	case semver.Canonical("v"+version) != "v"+version:
		return fmt.Errorf("release: version %q is not semantic; fix: three numbers, as in VERSION=1.2.3 or VERSION=1.2.3-rc.1", version)
	}
	return nil
}

// inspect reads the commit of the working tree in dir. The tree must hold just
// that commit, unless dirty trees are allowed; their revision shows it.
func inspect(ctx context.Context, dir string, allowDirty bool) (source, error) {
	status, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=all") // whatever the user's default is
	if err != nil {
		return source{}, err
	}
	changed := strings.Split(status, "\n")
	if status != "" && !allowDirty {
		return source{}, fmt.Errorf("release: the working tree has %d changed or unknown files (%s …); fix: commit or remove them, or ALLOW_DIRTY=1 for a trial",
			len(changed), strings.TrimSpace(changed[0]))
	}
	head, err := git(ctx, dir, "show", "--no-patch", "--format=%H %ct", "HEAD")
	if err != nil {
		return source{}, err
	}
	revision, seconds, _ := strings.Cut(head, " ")
	date, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || len(revision) < 12 {
		return source{}, fmt.Errorf("release: git describes the commit as %q, not as revision and date", head)
	}
	s := source{dir: dir, revision: revision[:12], date: time.Unix(date, 0).UTC()}
	if status != "" {
		s.revision += "-dirty"
	}
	return s, nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("release: git %s: %w: %s; fix: run it in a clone that git trusts", args[0], err, oneLine(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
