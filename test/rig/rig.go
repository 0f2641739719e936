package rig

import (
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// Setup is what a Rig starts with. Zero values stand for the usual ones.
type Setup struct {
	Config       armsim.Config
	Spec         armsim.ScaleSetSpec
	More         []armsim.ScaleSetSpec // of the same runner, with names of their own, after Spec
	MaxInstances int                   // of the runner; 0: 100
	Middleware   func(http.RoundTripper) http.RoundTripper
	PluginConfig map[string]any // further settings in plugin_config
	Warm         int            // warm_pool_size
	NotStarted   bool           // the test starts the plugin by itself
}

// Rig is a Bubble for one test, which ends the test where something unexpected
// happens. All Invariants hold to its end, or the test fails. Its methods are for
// the test's goroutine.
type Rig struct {
	*testing.T
	*Bubble
	Spec     armsim.ScaleSetSpec
	Output   *Log // what plugins and provisioners logged
	managers []*Bubble
}

// Run runs a test in virtual time, in parallel with other tests. Azure's request
// limits are in force. The race detector sees a sample of them: see raceShare.
func Run(t *testing.T, s Setup, play func(r *Rig)) {
	t.Helper()
	if !sampled(t.Name()) {
		t.Skip("not in the race detector's sample; it runs without the race detector")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s.Config.Throttle = true
		if s.Config.Seed == 0 {
			s.Config.Seed = 1 // TestModel takes others
		}
		if s.Config.PageSize == 0 {
			s.Config.PageSize = 50
		}
		if s.Config.Boot.Median == 0 {
			s.Config.Boot = armsim.Duration{Median: 10 * time.Second, Spread: 0.3}
		}
		b, err := NewBubble(s.Config, s.Spec, s.More...)
		require.NoError(t, err)
		r := &Rig{T: t, Bubble: b, Spec: s.Spec, Output: &Log{}}
		b.Warm = s.Warm
		b.Middleware, b.PluginConfig = s.Middleware, s.PluginConfig
		b.Logger = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: r.Output})
		if b.MaxInstances = s.MaxInstances; b.MaxInstances == 0 {
			b.MaxInstances = 100
		}
		defer r.end()
		if !s.NotStarted {
			require.NoError(t, b.Start())
		}
		play(r)
	})
}

// sampled reports whether a test is among those that run, always the same ones.
func sampled(name string) bool {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	return hash.Sum32()%raceShare == 0
}

// RunBothModes is Run in each orchestration mode.
func RunBothModes(t *testing.T, s Setup, play func(r *Rig)) {
	t.Helper()
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			s := s // the modes run in parallel
			s.Spec.OrchestrationMode = mode
			Run(t, s, play)
		})
	}
}

func (r *Rig) end() {
	if r.Conn == nil {
		r.Sim.Close()
		return
	}
	for _, other := range r.managers {
		other.Conn.Cut()
		other.abandon(other.Provisioner)
		other.abandoned.Wait()
	}
	r.Close()
	if err := r.Invariants.Err(); err != nil {
		r.Errorf("broken guarantees: %v", err)
	}
	if bad := r.Sim.Stats().NotSimulated; len(bad) > 0 {
		r.Errorf("not simulated: %v", bad)
	}
	if r.Failed() {
		r.Log(r.Output.tail(12_000))
	}
}

// Await waits until done reports true, and fails the test after limit. Both are of
// virtual time.
func (r *Rig) Await(limit time.Duration, what string, done func() bool) {
	r.Helper()
	for begun := time.Now(); time.Since(begun) <= limit; time.Sleep(time.Second) {
		if done() {
			return
		}
	}
	require.Fail(r, what, "not within %s; Azure has %+v; unsettled: %v", limit, r.Sim.Stats(), r.Settled())
}

// AwaitFleet waits until the runner has n instances and nothing else, all running,
// and Azure has the same ones. It returns them in the order of their IDs.
func (r *Rig) AwaitFleet(n int) []fleeting.Instance {
	r.Helper()
	r.Await(SettleLimit, "fleet", func() bool { return len(r.Provisioner.Instances()) == n && r.Settled() == nil })
	return r.Running()
}

// ScaleOut requests n more instances and waits for them.
func (r *Rig) ScaleOut(n int) []fleeting.Instance {
	r.Helper()
	before := len(r.Sim.Instances())
	r.Provisioner.Request(n)
	return r.AwaitFleet(before + n)
}

// RequestUpTo requests instances until there are or will be n.
func (r *Rig) RequestUpTo(n int) {
	c := r.Provisioner.Capacity()
	if missing := n - c.Creating - c.Running - c.Requested; missing > 0 {
		r.Provisioner.Request(missing)
	}
}

// Knows reports whether the runner knows an instance, in any state.
func (r *Rig) Knows(id string) bool {
	return slices.ContainsFunc(r.Provisioner.Instances(), func(i fleeting.Instance) bool { return i.ID() == id })
}

// Find is Azure's view of an instance, the zero value where there is none.
func (r *Rig) Find(id string) armsim.InstanceInfo {
	for _, i := range r.Sim.Instances() {
		if InstanceID(i) == id {
			return i
		}
	}
	return armsim.InstanceInfo{}
}

// NameOf is the name of an instance in Azure's own case, empty where it is gone.
func (r *Rig) NameOf(i fleeting.Instance) string { return r.Find(i.ID()).Name }

// Exists reports whether Azure has an instance, in any state.
func (r *Rig) Exists(id string) bool { return r.Find(id).Name != "" }

// RequireRunning fails the test unless the runner may go on using these instances.
func (r *Rig) RequireRunning(all []fleeting.Instance) {
	r.Helper()
	for _, i := range all {
		require.Equal(r, provider.StateRunning, i.State(), i.ID())
	}
}

// Disrupt lets something happen to an instance which makes it unfit for jobs.
func (r *Rig) Disrupt(name string, how func(string) error) {
	r.Helper()
	r.Invariants.MarkUnhealthy(name)
	assert.NoError(r, how(name), name)
}

// Inject adds faults to the simulator.
func (r *Rig) Inject(faults ...armsim.Fault) {
	r.Helper()
	require.NoError(r, r.Sim.AddFaults(faults...))
}

// ExternalRequest carries out a request of somebody else.
func (r *Rig) ExternalRequest(method, path string, body any) {
	r.Helper()
	require.NoError(r, r.Sim.Do(r.Context(), method, path, "2025-04-01", body))
}

// DeleteScaleSet has somebody delete the scale set with all that is in it.
func (r *Rig) DeleteScaleSet() {
	r.Helper()
	for _, i := range r.InstancesOf(ScaleSetName) {
		r.Invariants.MarkUnhealthy(i.Name)
	}
	r.ExternalRequest(http.MethodDelete, r.Sim.ScaleSetPath(ScaleSetName), struct{}{})
}

// CreateScaleSet has somebody create it again under its name.
func (r *Rig) CreateScaleSet(capacity int) {
	r.Helper()
	spec := r.Spec
	spec.Name, spec.AdminPassword, spec.Capacity = ScaleSetName, "Not-a-real-1", capacity
	_, err := r.Sim.CreateScaleSet(r.Context(), spec)
	require.NoError(r, err)
}

// SecondManager is another runner with a plugin, for the same scale set.
func (r *Rig) SecondManager() *Bubble {
	r.Helper()
	other := &Bubble{Sim: r.Sim, MaxInstances: r.MaxInstances, Poll: r.Poll, Logger: testLog}
	other.Invariants = newInvariants(other)
	require.NoError(r, other.Start())
	r.managers = append(r.managers, other)
	return other
}

// NewPlugin is a further plugin in the process, which no runner drives.
func (r *Rig) NewPlugin() *azure.InstanceGroup {
	r.Helper()
	g := azure.New(armapi.Options{Transport: &http.Client{Transport: r.Sim.Transport()}, Credential: credential{r.Sim}})
	g.Config = r.Plugin.Config
	_, err := g.Init(r.Context(), testLog, provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true,
	}})
	require.NoError(r, err)
	return g
}

// ScaleSet is the scale set in JSON, as Azure describes it.
func (r *Rig) ScaleSet() string {
	r.Helper()
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.Sim.Endpoint+r.Sim.ScaleSetPath(ScaleSetName)+"?api-version=2025-04-01", nil)
	require.NoError(r, err)
	token, err := r.Sim.Token()
	require.NoError(r, err)
	q.Header.Set("Authorization", "Bearer "+token)
	response, err := r.Sim.Client().Do(q)
	require.NoError(r, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(r, err)
	return string(raw)
}
