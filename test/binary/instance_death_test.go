package binary_test

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// quick makes instances come and go fast.
var quick = []string{"--boot", "300ms", "--boot-spread", "0", "--delete", "300ms", "--delete-spread", "0"}

// keyLogin is how to log in to the instances of a simulator process.
func keyLogin(t *testing.T, sim *process.Process) provider.Settings {
	t.Helper()
	key, err := os.ReadFile(filepath.Clean(sim.Env["ARMSIM_SSH_KEY_FILE"]))
	require.NoError(t, err)
	return provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Key: key, ProtocolPort: launch.SSHPort(t, sim), Timeout: launch.Patience, Keepalive: time.Second,
	}}
}

// startJob runs a command that does not end by itself and returns once it runs.
func startJob(t *testing.T, info provider.ConnectInfo) <-chan error {
	t.Helper()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- connector.Run(t.Context(), info, connector.ConnectorOptions{
			RunOptions: connector.RunOptions{Command: "echo started; sleep 600", Stdout: w},
		})
		_ = w.Close() // cannot fail
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "started\n", line)
	return ended
}

func requireFailure(t *testing.T, job <-chan error) {
	t.Helper()
	select {
	case err := <-job:
		require.Error(t, err, "the job was killed")
	case <-time.After(launch.Patience):
		t.Fatal("the job hangs though its machine is dead")
	}
}

// onlyInstance is what the simulator knows of the one instance there is.
func onlyInstance(t *testing.T, sim *process.Process) armsim.InstanceInfo {
	t.Helper()
	all, err := sim.Instances(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func requireNothingLeft(t *testing.T, sim *process.Process) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		stats, err := sim.Stats(t.Context())
		assert.NoError(c, err)
		assert.Zero(c, stats.Instances)
		assert.Zero(c, stats.Capacity)
		assert.Zero(c, stats.Machines)
		assert.Zero(c, stats.Addresses)
		assert.Empty(c, stats.NotSimulated)
	}, launch.Patience, launch.Tick)
}

func TestInstanceDiesInMidJob(t *testing.T) {
	t.Parallel()
	sim := launch.Armsim(t, quick...)
	p := launch.Start(t, sim.Env, launch.ConfigForProcess(sim))
	_, err := p.Init(t.Context(), hclog.NewNullLogger(), keyLogin(t, sim))
	require.NoError(t, err)
	_, err = p.Increase(t.Context(), 1)
	require.NoError(t, err)
	id := p.AwaitRunning(t, 1)[0]
	info, err := p.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	job := startJob(t, info)
	require.NoError(t, p.Heartbeat(t.Context(), id))

	require.NoError(t, sim.Kill(t.Context(), onlyInstance(t, sim).Name))
	requireFailure(t, job)
	require.ErrorContains(t, p.Heartbeat(t.Context(), id), provider.ErrInstanceUnhealthy.Error())
	states, err := p.States(t)
	require.NoError(t, err)
	assert.Equal(t, map[string]provider.State{id: provider.StateDeleted}, states)
	_, err = p.ConnectInfo(t.Context(), id)
	require.Error(t, err)
	requireNothingLeft(t, sim)

	for range 3 {
		states, err = p.States(t)
		require.NoError(t, err)
		assert.Empty(t, states, "fleeting would take it for a new one")
	}
	require.Error(t, p.Heartbeat(t.Context(), id))
}

// provision is fleeting's provisioner with its real loop, in a hurry.
func provision(t *testing.T, p *launch.Plugin, s provider.Settings) *fleet.Provisioner {
	t.Helper()
	f, err := fleet.Init(t.Context(), hclog.NewNullLogger(), p, fleet.WithMaxSize(5), fleet.WithInstanceGroupSettings(s),
		fleet.WithUpdateInterval(2*launch.Tick), fleet.WithUpdateIntervalWhenExpecting(2*launch.Tick), fleet.WithShutdownDeletionInterval(launch.Tick))
	require.NoError(t, err)
	t.Cleanup(func() { f.Shutdown(t.Context()) })
	return f
}

// readyInstances waits for n running instances, and no others.
func readyInstances(t *testing.T, f *fleet.Provisioner, n int) []fleet.Instance {
	t.Helper()
	var all []fleet.Instance
	require.Eventually(t, func() bool {
		all = f.Instances()
		return len(all) == n && !slices.ContainsFunc(all, func(i fleet.Instance) bool { return i.State() != provider.StateRunning })
	}, launch.Patience, launch.Tick)
	return all
}

func TestProvisionerForgetsWhatDied(t *testing.T) {
	t.Parallel()
	sim := launch.Armsim(t, quick...)
	f := provision(t, launch.Start(t, sim.Env, launch.ConfigForProcess(sim)), keyLogin(t, sim))
	f.Request(1)
	target := readyInstances(t, f, 1)[0]
	info, err := target.ConnectInfo(t.Context())
	require.NoError(t, err)
	job := startJob(t, info)
	require.NoError(t, sim.Kill(t.Context(), onlyInstance(t, sim).Name))
	requireFailure(t, job)
	require.Eventually(t, func() bool { return len(f.Instances()) == 0 }, launch.Patience, launch.Tick)
	assert.Equal(t, provider.StateDeleted, target.State())
	requireNothingLeft(t, sim)
	capacity := f.Capacity()
	assert.Zero(t, capacity.Requested+capacity.Pending+capacity.Deleting, "%+v", capacity)

	f.Request(2)
	next := readyInstances(t, f, 2)
	for _, i := range next {
		assert.NotEqual(t, target.ID(), i.ID())
		assert.Equal(t, fleet.CauseRequested, i.Cause())
		i.Delete()
	}
	requireNothingLeft(t, sim)
}
