package azure

import (
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

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// rigSetup is what a rig begins with.
type rigSetup struct {
	config armsim.Config
	spec   armsim.ScaleSetSpec
	max    int // of the runner; 0: 100
	wire   func(http.RoundTripper) http.RoundTripper
	asleep bool // the test starts the plugin by itself
}

// rig is a bubble for the test of a named failure: regress_*_test.go has one for
// each way in which driving a scale set has gone wrong for others. All promises
// that watch looks after hold to its end, or the test fails.
type rig struct {
	*testing.T
	model
	spec   armsim.ScaleSetSpec
	text   *rigLog // what plugins and provisioners logged
	rivals []*bubble
}

// bubbled plays a test in a bubble of virtual time, beside other tests. Azure's
// request limits are in force.
func bubbled(t *testing.T, s rigSetup, play func(r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s.config.Throttle = true
		if s.config.Seed == 0 {
			s.config.Seed = 1 // TestModel takes others
		}
		if s.config.PageSize == 0 {
			s.config.PageSize = 50
		}
		if s.config.Boot.Median == 0 {
			s.config.Boot = armsim.Duration{Median: 10 * time.Second, Spread: 0.3}
		}
		b, err := newBubble(s.config, s.spec)
		require.NoError(t, err)
		r := &rig{T: t, model: model{bubble: b, flexible: s.spec.OrchestrationMode == "Flexible"}, spec: s.spec, text: &rigLog{}}
		b.wire = s.wire
		b.log = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: r.text})
		if b.max = s.max; b.max == 0 {
			b.max = 100
		}
		defer r.end()
		if !s.asleep {
			require.NoError(t, b.start())
		}
		play(r)
	})
}

// inBothModes is bubbled in each orchestration mode.
func inBothModes(t *testing.T, s rigSetup, play func(r *rig)) {
	t.Helper()
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			s := s // the modes run beside each other
			s.spec.OrchestrationMode = mode
			bubbled(t, s, play)
		})
	}
}

func (r *rig) end() {
	if r.line == nil {
		r.sim.Close()
		return
	}
	for _, other := range r.rivals {
		other.line.cut()
		other.leave(other.provisioner)
		other.dead.Wait()
	}
	r.close()
	if err := r.watch.err(); err != nil {
		r.Errorf("broken promises: %v", err)
	}
	if bad := r.sim.Stats().NotSimulated; len(bad) > 0 {
		r.Errorf("not simulated: %v", bad)
	}
	if r.Failed() {
		r.Log(r.text.tail(12_000))
	}
}

// await waits in virtual time.
func (r *rig) await(limit time.Duration, what string, done func() bool) {
	r.Helper()
	for begun := time.Now(); time.Since(begun) <= limit; time.Sleep(time.Second) {
		if done() {
			return
		}
	}
	require.Fail(r, what, "not within %s; Azure has %+v; unsettled: %v", limit, r.sim.Stats(), r.settled())
}

// fleet waits until the runner has n instances and nothing else, all running,
// and Azure has the same ones.
func (r *rig) fleet(n int) []fleeting.Instance {
	r.Helper()
	r.await(settleLimit, "fleet", func() bool { return len(r.provisioner.Instances()) == n && r.settled() == nil })
	return r.running()
}

// grow asks for n more instances and waits for them.
func (r *rig) grow(n int) []fleeting.Instance {
	r.Helper()
	before := len(r.sim.Instances())
	r.provisioner.Request(n)
	return r.fleet(before + n)
}

// demand asks for instances until there are or will be n.
func (r *rig) demand(n int) {
	c := r.provisioner.Capacity()
	if missing := n - c.Creating - c.Running - c.Requested; missing > 0 {
		r.provisioner.Request(missing)
	}
}

// knows says whether the runner knows an instance, in any state.
func (r *rig) knows(id string) bool {
	return slices.ContainsFunc(r.provisioner.Instances(), func(i fleeting.Instance) bool { return i.ID() == id })
}

// find is Azure's view of an instance; none: the zero value.
func (r *rig) find(id string) armsim.InstanceInfo {
	for _, i := range r.sim.Instances() {
		if idOf(i) == id {
			return i
		}
	}
	return armsim.InstanceInfo{}
}

// nameOf is the name of an instance in Azure's own case, empty where it is gone.
func (r *rig) nameOf(i fleeting.Instance) string { return r.find(i.ID()).Name }

func (r *rig) exists(id string) bool { return r.find(id).Name != "" }

// requireAlive says that no job was taken from under these instances.
func (r *rig) requireAlive(all []fleeting.Instance) {
	r.Helper()
	for _, i := range all {
		require.Equal(r, provider.StateRunning, i.State(), i.ID())
	}
}

// harm lets something happen to an instance which makes it unfit.
func (r *rig) harm(name string, how func(string) error) {
	r.Helper()
	r.watch.hurt(name)
	assert.NoError(r, how(name), name)
}

func (r *rig) fault(faults ...armsim.Fault) {
	r.Helper()
	require.NoError(r, r.sim.AddFaults(faults...))
}

// rigFor limits a fault to a time.
func rigFor(f armsim.Fault, d time.Duration) armsim.Fault {
	f.For = armsim.Span(d)
	return f
}

// rigTimes limits a fault to the first requests that it meets.
func rigTimes(f armsim.Fault, n int) armsim.Fault {
	f.Times = n
	return f
}

// foreign carries out a request of somebody else.
func (r *rig) foreign(method, path string, body any) {
	r.Helper()
	require.NoError(r, r.sim.Do(r.Context(), method, path, "2025-04-01", body))
}

// dropSet has somebody delete the scale set with all that is in it.
func (r *rig) dropSet() {
	r.Helper()
	for _, i := range r.sim.Instances() {
		r.watch.hurt(i.Name)
	}
	r.foreign(http.MethodDelete, r.sim.ScaleSetPath(scaleSetName), struct{}{})
}

// makeSet has somebody make it again under its name.
func (r *rig) makeSet(capacity int) {
	r.Helper()
	spec := r.spec
	spec.Name, spec.AdminPassword, spec.Capacity = scaleSetName, "Not-a-real-1", capacity
	_, err := r.sim.CreateScaleSet(r.Context(), spec)
	require.NoError(r, err)
}

// rival is a second manager of the same scale set.
func (r *rig) rival() *bubble {
	r.Helper()
	other := &bubble{sim: r.sim, max: r.max, poll: r.poll, log: testLog}
	other.watch = newWatch(other)
	require.NoError(r, other.start())
	r.rivals = append(r.rivals, other)
	return other
}

// bare is a further plugin in the process, that no runner drives.
func (r *rig) bare() *InstanceGroup {
	r.Helper()
	g := &InstanceGroup{Config: r.plugin.Config, api: armapi.Options{Transport: &http.Client{Transport: r.sim.Transport()}, Credential: credential{r.sim}}}
	_, err := g.Init(r.Context(), testLog, provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true,
	}})
	require.NoError(r, err)
	return g
}
