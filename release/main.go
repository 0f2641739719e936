// Command release builds what users install: a static binary for each platform,
// with a list of what is in it and checksums, and pushes it to a registry from
// which GitLab Runner installs. `make release` runs it. It must import nothing
// of this module, and nothing of it gets into the plugin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/mod/semver"
)

// options are the command line.
type options struct {
	version    string
	registry   string // empty: nothing is pushed
	allowDirty bool
	out        string
}

func main() {
	var o options
	flag.StringVar(&o.version, "version", "", "semantic version, without v")
	flag.StringVar(&o.registry, "registry", "", "push to host[:port][/path] of an OCI registry")
	flag.BoolVar(&o.allowDirty, "allow-dirty", false, "build a working tree that differs from its commit")
	flag.StringVar(&o.out, "out", "dist", "directory for what is built")
	flag.StringVar(&goCommand, "go", goCommand, "Go's command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := release(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// release checks everything before it builds anything.
func release(ctx context.Context, o options) error {
	repo, err := o.target()
	if err != nil {
		return err
	}
	s, err := inspect(ctx, ".", o.allowDirty)
	if err != nil {
		return err
	}
	images, downloads := filepath.Join(o.out, "oci"), filepath.Join(o.out, "download")
	if err := makeAll(ctx, s, o.version, images, downloads); err != nil {
		return err
	}
	if err := makeSimulator(ctx, s, o.version, o.out, downloads); err != nil {
		return err
	}
	if err := sum(downloads); err != nil {
		return err
	}
	if now, err := inspect(ctx, ".", o.allowDirty); err != nil || now != s {
		return errors.Join(errors.New("release: the working tree was changed during the build; fix: leave it alone and build again"), err)
	}
	fmt.Printf("%s %s (%s) is in %s and %s\n", pluginName, o.version, s.revision, images, downloads)
	if repo == "" {
		fmt.Println("not pushed: no REGISTRY")
		return nil
	}
	got, err := push(ctx, images, repo, o.version, s.date)
	if err != nil {
		return err
	}
	simulator, err := pushSimulator(ctx, o.out, repo, o.version, s.date)
	if err != nil {
		return err
	}
	return report(got, simulator, repo, filepath.Join(images, "digests"))
}

// target is the repository to push to; empty: nothing is pushed. What would harm
// those who install from it is refused.
func (o options) target() (string, error) {
	if err := checkVersion(o.version); err != nil || o.registry == "" {
		return "", err
	}
	repo, err := repository(o.registry)
	switch {
	case err != nil:
		return "", err
	case semver.Prerelease("v"+o.version) != "":
		return "", fmt.Errorf("release: version %s is a pre-release, and fleeting-artifact would move the tag latest to it; fix: push three numbers alone, or leave out REGISTRY", o.version)
	case o.allowDirty && !strings.HasPrefix(repo, "127.0.0.1"):
		return "", fmt.Errorf("release: uncommitted work is not pushed to %s; fix: commit it, or REGISTRY=localhost:5000 for a trial", repo)
	}
	return repo, nil
}

// makeAll builds every platform: the binary where fleeting-artifact looks for
// it, and the same file alongside its SBOM under a name to download.
func makeAll(ctx context.Context, s source, version, images, downloads string) error {
	for _, dir := range []string{images, downloads} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, p := range platforms() {
		fmt.Println("build", p)
		binary, download := filepath.Join(images, p.plugin()), filepath.Join(downloads, p.download())
		absolute, err := filepath.Abs(binary)
		if err != nil {
			return err
		}
		if err := build(ctx, s, version, p, pluginName, absolute); err != nil {
			return err
		}
		if err := os.Link(binary, download); err != nil {
			return err
		}
		if err := describe(ctx, version, download, filepath.Join(downloads, p.sbom())); err != nil {
			return err
		}
	}
	return nil
}

// report prints what was pushed, and writes it to a file for what signs it: a line
// for the index and one for each image, with its download name and its address, and
// one for the simulator's.
func report(got pushed, simulator, repo, file string) error {
	var lines strings.Builder
	fmt.Fprintf(&lines, "index %s\n", got.index)
	for _, p := range platforms() {
		fmt.Fprintf(&lines, "%s %s\n", p.name(), got.images[p])
	}
	fmt.Fprintf(&lines, "%s %s\n", simulatorName, simulator)
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		return err
	}
	fmt.Print("pushed\n", lines.String())
	if host, _, _ := strings.Cut(repo, "/"); strings.Contains(host, ":") {
		fmt.Fprintf(os.Stderr, "note: `gitlab-runner fleeting install` cannot install from a registry with a port (%s)\n", host)
	}
	return nil
}
