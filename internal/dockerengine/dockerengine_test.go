package dockerengine_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/dockerengine"
)

func connect(t *testing.T, e *dockerengine.Engine) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost("unix://" + e.Socket()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// run makes a container and returns what it printed; it must exit with 0.
func run(t *testing.T, c *client.Client, image string, command ...string) string {
	t.Helper()
	made, err := c.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Image: image, Config: &container.Config{Cmd: command},
	})
	require.NoError(t, err)
	_, err = c.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{})
	require.NoError(t, err)
	wait := c.ContainerWait(t.Context(), made.ID, client.ContainerWaitOptions{})
	select {
	case err := <-wait.Error:
		require.NoError(t, err)
	case end := <-wait.Result:
		require.Zero(t, end.StatusCode)
	}
	logs, err := c.ContainerLogs(t.Context(), made.ID, client.ContainerLogsOptions{ShowStdout: true})
	require.NoError(t, err)
	defer logs.Close()
	var out bytes.Buffer
	_, err = stdcopy.StdCopy(&out, nil, logs)
	require.NoError(t, err)
	return out.String()
}

func TestImport(t *testing.T) {
	t.Parallel()
	e := dockerengine.ForTest(t)
	c := connect(t, e)
	files := fstest.MapFS{"job/say": {Data: []byte("#!/bin/sh\necho \"$GREETING $(id -un)\"\n"), Mode: 0o755}}
	image, err := e.Import(t.Context(), "engine-test", files, "ENV GREETING=hello")
	require.NoError(t, err)
	assert.Equal(t, "hello root\n", run(t, c, image, "/job/say"))

	again, err := e.Import(t.Context(), "engine-test", files, "ENV GREETING=bye")
	require.NoError(t, err)
	assert.NotEqual(t, image, again)
	assert.Equal(t, "bye root\n", run(t, c, again, "/job/say"))

	_, err = e.Import(t.Context(), "engine-test", nil, "NONSENSE")
	require.ErrorContains(t, err, "import image engine-test:")
}

// TestClose looks at the host: nothing of an engine may be left on it.
func TestClose(t *testing.T) {
	first, second := dockerengine.ForTest(t), dockerengine.ForTest(t)
	e, err := dockerengine.Start(t.Context())
	require.NoError(t, err)
	image, err := e.Import(t.Context(), "engine-test", nil)
	require.NoError(t, err)
	c := connect(t, e)
	made, err := c.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Image: image, Config: &container.Config{Cmd: []string{"sleep", "1000"}},
	})
	require.NoError(t, err)
	_, err = c.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{})
	require.NoError(t, err)
	require.True(t, named(t, made.ID), "the container has a process")

	require.NoError(t, e.Close())
	assert.False(t, named(t, made.ID), "the container's process is left")
	if dir := filepath.Dir(e.Socket()); e.Socket() != first.Socket() { // started here
		assert.NoDirExists(t, dir)
		assert.False(t, named(t, dir), "a process is left")
		mounts, err := os.ReadFile("/proc/self/mounts")
		require.NoError(t, err)
		assert.NotContains(t, string(mounts), dir)
	} else {
		_, err = connect(t, first).ImageInspect(t.Context(), image)
		require.Error(t, err)
	}
	for _, other := range []*dockerengine.Engine{first, second} {
		_, err = connect(t, other).Ping(t.Context(), client.PingOptions{})
		require.NoError(t, err, "an engine that is not closed")
	}
}

// named reports whether a process has text in its command line. The lines
// themselves are other people's and do not belong into a log.
func named(t *testing.T, text string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	return slices.ContainsFunc(files, func(file string) bool {
		line, _ := os.ReadFile(file) // it may have ended
		return bytes.Contains(line, []byte(text))
	})
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	dockerengine.ForTest(t) // the tools are there
	closed := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", closed)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	path := os.Getenv("PATH")
	for name, c := range map[string]struct{ host, path, want string }{
		"no client":            {"", t.TempDir(), "the docker command is not on PATH; fix: apt-get install docker.io busybox-static"},
		"no busybox":           {"", pathWith(t, "docker"), "busybox, which images are made of, is not on PATH; fix: apt-get install"},
		"busybox is no binary": {"", pathWith(t, "busybox") + ":" + path, "look into "},
		"another host":         {"tcp://127.0.0.1:1", path, `DOCKER_HOST is "tcp://127.0.0.1:1", which is no unix socket; fix: `},
		"dead engine":          {"unix://" + closed, path, "no engine responds on DOCKER_HOST: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.host)
			t.Setenv("PATH", c.path)
			_, err := dockerengine.Start(t.Context())
			require.ErrorContains(t, err, "start Docker Engine: "+c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// pathWith is a PATH on which there are empty programs of these names only.
func pathWith(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700))
	}
	return dir
}
