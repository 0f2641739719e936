package binary_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	docker "github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/dockerengine"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// prompt is how soon a client must learn of its instance's death.
const prompt = 10 * time.Second

// dockerWays are how docker-autoscaler reaches an instance's engine: the first by
// default, the second with FF_USE_DOCKER_AUTOSCALER_DIAL_STDIO=false
// (environmentDialContext in executors/docker/docker.go, GitLab Runner 17.9.3).
var dockerWays = map[string]func(context.Context, connector.Client, *dockerengine.Engine) (net.Conn, error){
	"dial-stdio": func(ctx context.Context, c connector.Client, _ *dockerengine.Engine) (net.Conn, error) {
		return c.DialRun(ctx, "docker system dial-stdio")
	},
	"socket": func(_ context.Context, c connector.Client, e *dockerengine.Engine) (net.Conn, error) {
		return c.Dial("unix", e.Socket())
	},
}

// TestDocker does what the docker-autoscaler executor does with an instance.
func TestDocker(t *testing.T) {
	t.Parallel()
	e := dockerengine.ForTest(t)
	image, err := e.Import(t.Context(), "docker-path", nil)
	require.NoError(t, err)
	t.Cleanup(func() { requireNoContainers(t, e, image) })
	for _, mode := range []string{"Uniform", "Flexible"} {
		for way := range dockerWays {
			t.Run(mode+" by "+way, func(t *testing.T) {
				t.Parallel()
				d := newDockerSite(t, e, image, mode, way)
				ids := d.scaleOut(t, 2)
				d.severalAtOnce(t, ids)
				d.muchData(t, ids[1])
				d.stopped(t, ids[1])
				d.evicted(t, ids[0], ids[1])
				d.scaleIn(t, ids[1])
			})
		}
	}
}

// severalAtOnce runs containers that wait for a word after their first line.
// None gets it before all their lines have arrived: so all run at once, and
// output comes while the container runs.
func (d *dockerSite) severalAtOnce(t *testing.T, ids []string) {
	const each = 3
	var jobs []*job
	for n := range each * len(ids) {
		c := d.client(t, ids[n%len(ids)])
		jobs = append(jobs, d.start(t, c, `echo "up $0"; read word; echo "out $word"; echo "err $word" >&2; exit $0`, strconv.Itoa(n)))
	}
	for n, j := range jobs {
		require.Equal(t, "up "+strconv.Itoa(n)+"\n", j.line(t))
	}
	for n, j := range jobs {
		j.send(t, []byte("word-"+strconv.Itoa(n)+"\n"))
	}
	for n, j := range jobs {
		word := "word-" + strconv.Itoa(n)
		assert.Equal(t, "out "+word+"\n", j.rest(t))
		assert.Equal(t, "err "+word+"\n", j.stderr.String())
		assert.EqualValues(t, n, j.exitCode(t))
		d.remove(t, j)
	}
}

// muchData sends more than any buffer on the way holds and wants it back on
// both streams, so that flow is controlled and nothing is lost at the end.
func (d *dockerSite) muchData(t *testing.T, id string) {
	data := make([]byte, 4<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // never fails
	j := d.start(t, d.client(t, id), `exec tee /dev/stderr`)
	go func() {
		_, err := io.Copy(j.attach.Conn, bytes.NewReader(data))
		assert.NoError(t, err)
		assert.NoError(t, j.attach.CloseWrite())
	}()
	assert.True(t, j.rest(t) == string(data), "what came back on stdout differs")
	assert.True(t, bytes.Equal(j.stderr.Bytes(), data), "what came back on stderr differs")
	assert.Zero(t, j.exitCode(t))
	d.remove(t, j)
}

// stopped is a cancelled job: another connection ends the container.
func (d *dockerSite) stopped(t *testing.T, id string) {
	j := d.start(t, d.client(t, id), `echo up; read word`)
	require.Equal(t, "up\n", j.line(t))
	_, err := d.client(t, id).ContainerKill(d.ctx, j.id, docker.ContainerKillOptions{Signal: "KILL"})
	require.NoError(t, err)
	assert.Empty(t, j.rest(t))
	assert.EqualValues(t, 137, j.exitCode(t))
	d.remove(t, j)
}

// evicted takes one instance away under its container: whoever waits for
// anything there learns of it, and the other instance's container goes on.
func (d *dockerSite) evicted(t *testing.T, target, other string) {
	const script = `echo up; read word; echo "out $word"; exit 7`
	dead, alive := d.start(t, d.client(t, target), script), d.start(t, d.client(t, other), script)
	require.Equal(t, "up\n", dead.line(t))
	require.Equal(t, "up\n", alive.line(t))
	ctx, cancel := context.WithTimeout(d.ctx, launch.Patience)
	defer cancel()
	waiting := dead.client.ContainerWait(ctx, dead.id, docker.ContainerWaitOptions{})

	began := time.Now()
	d.evict(t, target)
	rest, _ := io.ReadAll(dead.stdout)
	assert.Empty(t, rest)
	if how := <-dead.ended; d.way == "dial-stdio" {
		require.Error(t, how)
	} // golang.org/x/crypto/ssh ends a forwarded stream with EOF: there the wait alone tells
	select {
	case err := <-waiting.Error:
		require.Error(t, err)
		require.NoError(t, ctx.Err(), "the client waited in vain")
	case end := <-waiting.Result:
		t.Fatalf("the container on a dead instance is said to have ended with %d", end.StatusCode)
	}
	_, err := dead.client.ContainerInspect(ctx, dead.id, docker.ContainerInspectOptions{})
	require.Error(t, err)
	require.Less(t, time.Since(began), prompt)

	alive.send(t, []byte("word\n"))
	assert.Equal(t, "out word\n", alive.rest(t))
	assert.EqualValues(t, 7, alive.exitCode(t))
	d.remove(t, alive)
	assert.Equal(t, []string{other}, d.AwaitRunning(t, 1))
	d.removeEvicted(t, dead)
}

func requireNoContainers(t *testing.T, e *dockerengine.Engine, image string) {
	c := direct(t, e)
	defer c.Close()
	list, err := c.ContainerList(context.WithoutCancel(t.Context()), docker.ContainerListOptions{
		All: true, Filters: make(docker.Filters).Add("ancestor", image),
	})
	require.NoError(t, err)
	assert.Empty(t, list.Items)
}

// remove is what the runner does at a job's end; the engine itself says that
// the container is gone.
func (d *dockerSite) remove(t *testing.T, j *job) {
	t.Helper()
	_, err := j.client.ContainerRemove(d.ctx, j.id, docker.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	require.NoError(t, err)
	c := direct(t, d.engine)
	defer c.Close()
	_, err = c.ContainerInspect(d.ctx, j.id, docker.ContainerInspectOptions{})
	require.True(t, cerrdefs.IsNotFound(err), "%v", err)
}

// removeEvicted removes the container of an evicted instance, which would have died with
// a real one: here all instances share the host's engine.
func (d *dockerSite) removeEvicted(t *testing.T, j *job) {
	t.Helper()
	c := direct(t, d.engine)
	defer c.Close()
	_, err := c.ContainerRemove(d.ctx, j.id, docker.ContainerRemoveOptions{Force: true})
	require.NoError(t, err)
}
