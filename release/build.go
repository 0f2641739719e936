package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	module     = "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	pluginName = "fleeting-plugin-azure"

	// sbomTool lists the modules that Go's linker put into a binary.
	sbomTool = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
)

// goCommand is Go's command, which decides on the bytes.
var goCommand = "go"

// defaults are what Go takes where nothing is set. They are set here so that
// what a user has set, by `go env -w` too, does not change the bytes.
var defaults = []string{
	"GOENV=off", "CGO_ENABLED=0", "GOFLAGS=-modcacherw", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off",
	"GOAMD64=v1", "GO386=sse2", "GOARM=7", "GOARM64=v8.0", "GOPPC64=power8", "GORISCV64=rva20u64",
}

// places are the settings of where Go finds things. They stay the user's.
var places = []string{
	"GOCACHE", "GOMODCACHE", "GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOTOOLCHAIN",
}

// environment is that of Go for a platform; an empty one is the host.
func environment(ctx context.Context, p platform) ([]string, error) {
	out, err := exec.CommandContext(ctx, goCommand, append([]string{"env", "-json"}, places...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("release: %s env: %w; fix: put Go on PATH", goCommand, err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("release: %s env: %w", goCommand, err)
	}
	all := slices.Concat(os.Environ(), defaults, []string{"GOOS=" + p.os, "GOARCH=" + p.goArch()})
	for key, value := range settings {
		all = append(all, key+"="+value)
	}
	return all, nil
}

// build makes one of cmd/ for one platform. The same source, version and Go give
// the same bytes, in whatever directory and at whatever time.
func build(ctx context.Context, s source, version string, p platform, command, file string) error {
	set := func(variable, value string) string { return "-X " + module + "." + variable + "=" + value }
	flags := []string{
		"-s", "-w",
		set("version", version), set("reference", "v"+version),
		set("revision", s.revision), set("builtAt", s.date.Format(time.RFC3339)),
	}
	cmd := exec.CommandContext(ctx, goCommand, "build", "-trimpath", "-buildvcs=false",
		"-ldflags", strings.Join(flags, " "), "-o", file, "./cmd/"+command)
	cmd.Dir = s.dir
	var err error
	if cmd.Env, err = environment(ctx, p); err != nil {
		return err
	}
	return run(cmd, "build for "+p.String())
}

// describe writes what is in a binary as CycloneDX, without what differs each
// time (serial number, time) or on each machine (the digests of the tool).
func describe(ctx context.Context, version, binary, file string) error {
	list := file + ".tmp"
	cmd := exec.CommandContext(ctx, goCommand, "run", sbomTool, "bin", "-json", "-std", "-noserial", "-notimestamp",
		"-version", "v"+version, "-output", list, binary)
	var err error
	if cmd.Env, err = environment(ctx, platform{}); err != nil {
		return err
	}
	if err := run(cmd, "list what is in "+filepath.Base(binary)); err != nil {
		return err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	if text, err = withoutToolDigests(text); err != nil {
		return fmt.Errorf("release: list of what is in %s: %w", filepath.Base(binary), err)
	}
	return errors.Join(os.Remove(list), os.WriteFile(file, text, 0o644))
}

func withoutToolDigests(sbom []byte) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(sbom, &all); err != nil {
		return nil, err
	}
	metadata, _ := all["metadata"].(map[string]any)
	tools, _ := metadata["tools"].([]any)
	for _, tool := range tools {
		if tool, ok := tool.(map[string]any); ok {
			delete(tool, "hashes")
		}
	}
	return json.MarshalIndent(all, "", "  ")
}

func run(cmd *exec.Cmd, what string) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("release: %s: %w: %s", what, err, oneLine(string(out)))
	}
	return nil
}

// sum writes SHA256SUMS for all files of a directory, as sha256sum reads it.
func sum(dir string) error {
	files, err := os.ReadDir(dir) // in order of their names
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, file := range files {
		digest, err := digestOf(filepath.Join(dir, file.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", digest, file.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o644)
}

func digestOf(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}
