package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting-artifact/pkg/installer"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

var (
	scratch string // removed by TestMain

	made = source{dir: "..", revision: "0123456789ab", date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
)

// host is the platform that the tests run on.
func host(t *testing.T) platform {
	t.Helper()
	for _, p := range platforms() {
		if p.os == runtime.GOOS && p.goArch() == runtime.GOARCH {
			return p
		}
	}
	t.Skipf("nothing is released for %s/%s", runtime.GOOS, runtime.GOARCH)
	return platform{}
}

var filled sync.Map // directory to whether

// buildReal is a directory as `make release` fills it: the plugin for this host, and
// stand-ins for other platforms.
func buildReal(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(scratch, "real", version)
	if _, done := filled.LoadOrStore(dir, true); !done {
		fill(t, dir, version)
		require.NoError(t, build(t.Context(), made, version, host(t), pluginName, filepath.Join(dir, host(t).plugin())))
	}
	return dir
}

// standIns has a stand-in for this host, too. It is far quicker than 20 MB that
// are compressed under the race detector.
func standIns(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(scratch, "stand-in", version)
	if _, done := filled.LoadOrStore(dir, true); !done {
		fill(t, dir, version)
	}
	return dir
}

func fill(t *testing.T, dir, version string) {
	t.Helper()
	for _, p := range platforms() {
		file := filepath.Join(dir, p.plugin())
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, append(standIn(t, p), version...), 0o755))
	}
}

// release pushes a directory as `make release` does and returns the repository.
func (r *testRegistry) release(t *testing.T, dir string) (string, pushed) {
	t.Helper()
	repo, err := repository(r.host + "/ci")
	require.NoError(t, err)
	got, err := push(t.Context(), dir, repo, filepath.Base(dir), made.date)
	require.NoError(t, err)
	return repo, got
}

// install is what `gitlab-runner fleeting install` does, and returns what the
// runner would start for the same address.
func install(t *testing.T, address, dir string) string {
	t.Helper()
	require.NoError(t, installer.Install(t.Context(), address, installer.WithDirectory(dir)))
	file, err := installer.LookPath(address, dir)
	require.NoError(t, err)
	return file
}

// fetch reads an image from its registry.
func fetch(t *testing.T, address string) v1.Image {
	t.Helper()
	ref, err := name.NewDigest(address)
	require.NoError(t, err)
	image, err := remote.Image(ref)
	require.NoError(t, err)
	return image
}

// requireWorks runs an installed plugin as users and as the runner do.
func requireWorks(t *testing.T, file, version string) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, machine(t, bytes.NewReader(standIn(t, host(t)))), machine(t, f))

	out, err := exec.CommandContext(t.Context(), file, "--version").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, line := range []string{"fleeting-plugin-azure", version, "0123456789ab", "v" + version, "2026-03-04T05:06:07Z", runtime.GOOS + "/" + runtime.GOARCH} {
		require.Regexp(t, `(?m): +`+line+`$`, string(out))
	}

	started, err := fleeting.RunPlugin(file, []byte(`{"name": "ci"}`), fleeting.WithPluginLogger(hclog.NewNullLogger()))
	require.NoError(t, err)
	defer started.Kill()
	_, err = started.InstanceGroup().Init(t.Context(), hclog.NewNullLogger(), provider.Settings{})
	require.ErrorContains(t, err, "subscription_id", "the plugin's own error")
}

func TestInstall(t *testing.T) {
	r := newRegistry(t)
	repo, first := r.release(t, buildReal(t, "0.1.0"))
	r.release(t, buildReal(t, "0.2.0"))
	for constraint, want := range map[string]string{"latest": "0.2.0", "0.1": "0.1.0"} {
		t.Run(constraint, func(t *testing.T) { requireWorks(t, install(t, repo+":"+constraint, t.TempDir()), want) })
	}
	t.Run("bootstrap", func(t *testing.T) { requireBootstraps(t, repo, first.images[host(t)]) })
}

// installed is the version that a constraint gets on a new host.
func installed(t *testing.T, repo, constraint string) string {
	t.Helper()
	return filepath.Base(filepath.Dir(install(t, repo+constraint, t.TempDir())))
}

// TestConstraints: a fix for an older line does not move the others.
func TestConstraints(t *testing.T) {
	r := newRegistry(t)
	repo, _ := r.release(t, standIns(t, "0.1.0"))
	r.release(t, standIns(t, "0.2.0"))
	require.Equal(t, "0.1.0", installed(t, repo, ":0.1"))
	r.release(t, standIns(t, "0.1.1"))
	r.release(t, standIns(t, "0.0.9"))
	for constraint, want := range map[string]string{
		":latest": "0.2.0", "": "0.2.0", ":0": "0.2.0", ":0.2": "0.2.0", ":0.2.0": "0.2.0",
		":0.1": "0.1.1", ":0.1.1": "0.1.1", ":0.1.0": "0.1.0", ":0.0": "0.0.9",
	} {
		require.Equal(t, want, installed(t, repo, constraint), constraint)
	}
	err := installer.Install(t.Context(), repo+":1", installer.WithDirectory(t.TempDir()))
	require.ErrorContains(t, err, "MANIFEST_UNKNOWN")
}

// TestRunnerTakesTheNewestInstalled: with one directory for all, what is
// installed first stays until something newer is.
func TestRunnerTakesTheNewestInstalled(t *testing.T) {
	r, dir := newRegistry(t), t.TempDir()
	t.Setenv("FLEETING_PLUGIN_PATH", dir)
	repo, _ := r.release(t, standIns(t, "0.1.0"))
	first := install(t, repo+":0", "")
	require.Contains(t, first, dir)
	r.release(t, standIns(t, "0.2.0"))
	require.Equal(t, first, lookPath(t, repo+":0"))
	second := install(t, repo+":0", "")
	require.Contains(t, second, "0.2.0")
	require.Equal(t, second, lookPath(t, repo+":0"))
	require.Equal(t, first, lookPath(t, repo+":0.1"))
}

func lookPath(t *testing.T, address string) string {
	t.Helper()
	file, err := installer.LookPath(address, "")
	require.NoError(t, err)
	return file
}

// requireBootstraps runs the plugin out of its image, as a container would.
func requireBootstraps(t *testing.T, repo, address string) {
	t.Helper()
	image := fetch(t, address)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	root, plugins := t.TempDir(), t.TempDir()
	unpack(t, image, root)

	cmd := exec.CommandContext(t.Context(), filepath.Join(root, config.Config.Entrypoint[0]), "bootstrap", repo)
	cmd.Env = append([]string{"FLEETING_PLUGIN_PATH=" + plugins}, config.Config.Env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "warn", "image and binary are of the same version")
	file, err := installer.LookPath(repo+":0", plugins)
	require.NoError(t, err)
	requireWorks(t, file, "0.1.0")
}

func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close()
	for archive := tar.NewReader(files); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		assert.Equal(t, made.date, header.ModTime.UTC())
		assert.Equal(t, int64(0o755), header.Mode)
		if header.Typeflag == tar.TypeDir {
			require.NoError(t, os.Mkdir(filepath.Join(root, header.Name), 0o755))
			continue
		}
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(root, header.Name), content, 0o755))
	}
}

// TestSameImagesTwice: what a host installs from one push and the next is the
// same; only the index holds the time at which it was made.
func TestSameImagesTwice(t *testing.T) {
	r := newRegistry(t)
	_, first := r.release(t, standIns(t, "0.1.0"))
	file, later := filepath.Join(standIns(t, "0.1.0"), host(t).plugin()), time.Now().Add(time.Hour)
	require.NoError(t, os.Chtimes(file, later, later))
	require.NoError(t, os.Chmod(file, 0o700))
	_, second := newRegistry(t).release(t, standIns(t, "0.1.0"))
	require.Len(t, first.images, len(platforms()))
	for p, address := range first.images {
		_, want, _ := strings.Cut(address, "@")
		_, got, _ := strings.Cut(second.images[p], "@")
		require.Equal(t, want, got, p)
	}
}

// TestTroubleInstallsNothing: a layer that is cut off or not what the manifest has
// leaves nothing that the runner would start.
func TestTroubleInstallsNothing(t *testing.T) {
	r := newRegistry(t)
	repo, _ := r.release(t, standIns(t, "0.1.0"))
	_, later := newRegistry(t).release(t, standIns(t, "0.2.0"))
	other := compressed(t, later.images[host(t)])
	for trouble, between := range map[string]func(http.ResponseWriter, []byte){
		"cut off": func(w http.ResponseWriter, layer []byte) {
			_, _ = w.Write(layer[:len(layer)/2])
			panic(http.ErrAbortHandler)
		},
		"changed": func(w http.ResponseWriter, layer []byte) {
			layer[len(layer)/2] ^= 1
			_, _ = w.Write(layer)
		},
		"replaced": func(w http.ResponseWriter, _ []byte) { _, _ = w.Write(other) },
		"changed at the end": func(w http.ResponseWriter, layer []byte) {
			layer[len(layer)-6] ^= 1 // gzip's checksum
			_, _ = w.Write(layer)
		},
		"refused": func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusForbidden) },
	} {
		t.Run(trouble, func(t *testing.T) {
			dir := t.TempDir()
			r.fault(between)
			err := installer.Install(t.Context(), repo+":0", installer.WithDirectory(dir))
			r.fault(nil)
			require.Error(t, err)
			requireNothing(t, repo, dir)
			install(t, repo+":0", dir) // the next attempt works
		})
	}
}

// compressed is the plugin's layer of an image as a registry sends it.
func compressed(t *testing.T, address string) []byte {
	t.Helper()
	image := fetch(t, address)
	layers, err := image.Layers()
	require.NoError(t, err)
	stream, err := layers[0].Compressed()
	require.NoError(t, err)
	defer stream.Close()
	all, err := io.ReadAll(stream)
	require.NoError(t, err)
	return all
}

func requireNothing(t *testing.T, repo, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		require.True(t, entry.IsDir(), "left over: %s", path)
		return nil
	}))
	_, err := installer.LookPath(repo+":0", dir)
	require.ErrorIs(t, err, installer.ErrPluginNotFound)
}
