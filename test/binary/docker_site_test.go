package binary_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	docker "github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/dockerengine"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// dockerSite is a plugin with a simulator whose instances have Docker.
type dockerSite struct {
	*launch.Plugin
	sim    *armsim.Server
	engine *dockerengine.Engine
	image  string
	way    string // of dockerWays

	// ctx bounds all that is done with Docker, so that nothing hangs for ever.
	ctx context.Context
}

func newDockerSite(t *testing.T, e *dockerengine.Engine, image, mode, way string) *dockerSite {
	key, public := newKey(t)
	s := launch.Simulator(t, armsim.Config{MachineEnv: []string{"DOCKER_HOST=unix://" + e.Socket()}}, armsim.ScaleSetSpec{
		Name: "ci", PublicKey: public, OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: "Delete",
	})
	p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
	_, err := p.Init(t.Context(), hclog.NewNullLogger(), provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Key: key, ProtocolPort: s.SSHPort, Timeout: launch.Patience, Keepalive: time.Second,
	}})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*launch.Patience)
	t.Cleanup(cancel)
	return &dockerSite{Plugin: p, sim: s, engine: e, image: image, way: way, ctx: ctx}
}

func (d *dockerSite) scaleOut(t *testing.T, n int) []string {
	got, err := d.Increase(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, n, got)
	return d.AwaitRunning(t, n)
}

func (d *dockerSite) scaleIn(t *testing.T, ids ...string) {
	_, err := d.Decrease(t.Context(), ids)
	require.NoError(t, err)
	d.AwaitRunning(t, 0)
	assert.Zero(t, d.sim.Stats().Capacity)
}

// evict is what Azure does when it wants a Spot instance back.
func (d *dockerSite) evict(t *testing.T, id string) {
	t.Helper()
	info, err := d.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	all := d.sim.Instances()
	n := slices.IndexFunc(all, func(i armsim.InstanceInfo) bool { return i.PrivateAddress == info.InternalAddr })
	require.NotEqual(t, -1, n)
	require.NoError(t, d.sim.Evict(all[n].Name))
}

// client is Docker's client for an instance, over an SSH connection of its own
// as each job has one.
func (d *dockerSite) client(t *testing.T, id string) *docker.Client {
	t.Helper()
	info, err := d.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	tunnel, err := connector.Dial(d.ctx, info, connector.DialOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tunnel.Close() }) // the instance may be dead
	c, err := docker.New(docker.WithHost("http://instance.invalid"), docker.WithDialContext(
		// The context that comes with the call ends with it; the connection must not.
		func(context.Context, string, string) (net.Conn, error) {
			return dockerWays[d.way](d.ctx, tunnel, d.engine)
		}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// direct is a client that uses the engine's socket and no instance.
func direct(t *testing.T, e *dockerengine.Engine) *docker.Client {
	t.Helper()
	c, err := docker.New(docker.WithHost("unix://" + e.Socket()))
	require.NoError(t, err)
	return c
}

// job is a container and the connection attached to it.
type job struct {
	client *docker.Client
	id     string
	attach docker.ContainerAttachResult
	stdout *bufio.Reader
	stderr bytes.Buffer // to be read when ended
	ended  chan error   // of both output streams
	watch  *time.Timer  // cuts the connection, so that nothing hangs for ever
}

// start creates a container, attaches to it and starts it, in the runner's
// order. The script's $0 and on are args.
func (d *dockerSite) start(t *testing.T, c *docker.Client, script string, args ...string) *job {
	t.Helper()
	made, err := c.ContainerCreate(d.ctx, docker.ContainerCreateOptions{
		Image: d.image,
		Config: &container.Config{
			Cmd: append([]string{"sh", "-c", script}, args...), OpenStdin: true, StdinOnce: true,
			AttachStdin: true, AttachStdout: true, AttachStderr: true,
		},
	})
	require.NoError(t, err)
	attach, err := c.ContainerAttach(d.ctx, made.ID, docker.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	require.NoError(t, err)
	r, w := io.Pipe()
	j := &job{client: c, id: made.ID, attach: attach, stdout: bufio.NewReader(r), ended: make(chan error, 1)}
	j.watch = time.AfterFunc(launch.Patience, attach.Close)
	t.Cleanup(func() {
		j.watch.Stop()
		attach.Close()
		_ = r.Close() // cannot fail
	})
	go func() {
		_, err := stdcopy.StdCopy(w, &j.stderr, attach.Reader)
		j.ended <- err
		_ = w.CloseWithError(err) // cannot fail
	}()
	_, err = c.ContainerStart(d.ctx, made.ID, docker.ContainerStartOptions{})
	require.NoError(t, err)
	return j
}

// line is the next line of output.
func (j *job) line(t *testing.T) string {
	t.Helper()
	line, err := j.stdout.ReadString('\n')
	require.NoError(t, err)
	return line
}

func (j *job) send(t *testing.T, data []byte) {
	t.Helper()
	_, err := j.attach.Conn.Write(data)
	require.NoError(t, err)
}

// rest is the output until the container closes it.
func (j *job) rest(t *testing.T) string {
	t.Helper()
	all, err := io.ReadAll(j.stdout)
	require.NoError(t, err)
	require.NoError(t, <-j.ended)
	require.True(t, j.watch.Stop(), "the stream did not end within %s", launch.Patience)
	return string(all)
}

func (j *job) exitCode(t *testing.T) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launch.Patience)
	defer cancel()
	wait := j.client.ContainerWait(ctx, j.id, docker.ContainerWaitOptions{})
	select {
	case err := <-wait.Error:
		require.NoError(t, err)
		return -1
	case end := <-wait.Result:
		return end.StatusCode
	}
}
