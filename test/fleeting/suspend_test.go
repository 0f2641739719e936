package fleeting_test

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// site is the built plugin under fleeting's provisioner, with instances that can be
// logged in to.
type site struct {
	*testing.T
	sim         *armsim.Server
	config      launch.PluginConfig
	plugin      *launch.Plugin
	provisioner *fleeting.Provisioner
}

func (s *site) start() {
	s.plugin = launch.Start(s.T, launch.EnvironmentOf(s.sim), s.config)
	login := launch.Login()
	login.ProtocolPort = s.sim.SSHPort
	var err error
	s.provisioner, err = fleeting.Init(s.Context(), hclog.NewNullLogger(), s.plugin, fleeting.WithMaxSize(4),
		fleeting.WithUpdateInterval(time.Second), fleeting.WithUpdateIntervalWhenExpecting(200*time.Millisecond),
		fleeting.WithInstanceGroupSettings(login))
	require.NoError(s, err)
	s.Cleanup(func() { s.provisioner.Shutdown(s.Context()) })
}

// await waits until so many instances are in each state, and there are no others.
func (s *site) await(want map[provider.State]int) map[provider.State][]string {
	s.Helper()
	var ids map[provider.State][]string
	require.EventuallyWithT(s, func(c *assert.CollectT) {
		ids = map[provider.State][]string{}
		got := map[provider.State]int{}
		for _, i := range s.provisioner.Instances() {
			ids[i.State()] = append(ids[i.State()], i.ID())
			got[i.State()]++
		}
		assert.Equal(c, want, got)
	}, 3*time.Minute, 100*time.Millisecond)
	for _, all := range ids {
		slices.Sort(all)
	}
	return ids
}

// run runs a command on each instance that runs, which tells its vmId.
func (s *site) run() {
	s.Helper()
	for _, i := range s.provisioner.Instances() {
		info, err := i.ConnectInfo(s.Context())
		require.NoError(s, err)
		var out bytes.Buffer
		require.NoError(s, connector.Run(s.Context(), info, connector.ConnectorOptions{RunOptions: connector.RunOptions{Command: "echo $ARMSIM_VM_ID", Stdout: &out}}))
		assert.Equal(s, i.ID()[len(i.ID())-8:], out.String()[:8])
	}
}

func (s *site) suspend(ids []string) {
	s.Helper()
	done, err := s.provisioner.Suspend(s.Context(), ids)
	require.NoError(s, err)
	assert.ElementsMatch(s, ids, done)
}

// TestConformanceSuspended: three are suspended, the plugin is killed, and its successor
// resumes them, over go-plugin, and each can be logged in to. The same with an eviction
// and a refused start among them.
func TestConformanceSuspended(t *testing.T) {
	hibernation := armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Change: func(model map[string]any) {
		model["properties"].(map[string]any)["additionalCapabilities"] = map[string]any{"hibernationEnabled": true}
	}}
	for name, c := range map[string]struct {
		spec    armsim.ScaleSetSpec
		mode    string
		trouble bool
	}{
		"uniform":               {armsim.ScaleSetSpec{}, "deallocate", false},
		"flexible":              {armsim.ScaleSetSpec{OrchestrationMode: "Flexible"}, "auto", false},
		"flexible, hibernating": {hibernation, "hibernate", false},
		"uniform, trouble":      {armsim.ScaleSetSpec{Priority: "Spot", EvictionPolicy: "Deallocate"}, "auto", true},
		"flexible, trouble":     {armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Priority: "Spot", EvictionPolicy: "Deallocate"}, "auto", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			second := armsim.Duration{Median: time.Second}
			c.spec.Name, c.spec.Capacity = "ci", 4
			c.spec.AdminPassword = launch.Login().Password
			sim := launch.Simulator(t, armsim.Config{Boot: second, Power: second, Suspension: armsim.SuspensionTimes{Start: second, Deallocate: second, Hibernate: second, Resume: second}}, c.spec)
			s := &site{T: t, sim: sim, config: launch.ConfigFor(sim, "ci")}
			s.config["suspend_mode"] = c.mode
			s.start()
			all := s.await(map[provider.State]int{provider.StateRunning: 4})[provider.StateRunning]
			s.suspend(all[:3])
			s.await(map[provider.State]int{provider.StateRunning: 1, provider.StateSuspended: 3})
			assert.Equal(t, 1, sim.Stats().Running)
			assert.Equal(t, 4, sim.Stats().Capacity)
			s.plugin.Signal(t, os.Kill)
			if c.trouble {
				s.resumeInTrouble(all)
				return
			}
			s.start()
			s.await(map[provider.State]int{provider.StateRunning: 1, provider.StateSuspended: 3})
			done, err := s.provisioner.Resume(t.Context(), all[:3])
			require.NoError(t, err)
			assert.ElementsMatch(t, all[:3], done)
			assert.Equal(t, all, s.await(map[provider.State]int{provider.StateRunning: 4})[provider.StateRunning])
			s.run()
			assert.Empty(t, sim.Stats().NotSimulated)
		})
	}
}

// resumeInTrouble has the fourth evicted, and the start of one refused: two are left.
func (s *site) resumeInTrouble(all []string) {
	for _, i := range s.sim.Instances() {
		if i.PowerState == "running" {
			require.NoError(s, s.sim.Evict(i.Name))
		}
	}
	require.NoError(s, s.sim.AddFaults(armsim.Fault{Operation: "instance.start", Times: 1, Effect: armsim.Effect{Fail: &armsim.Failure{Code: "AllocationFailed", Message: "none left"}}}))
	s.start()
	s.await(map[provider.State]int{provider.StateSuspended: 3})
	done, err := s.provisioner.Resume(s.Context(), all[:3])
	require.NoError(s, err)
	assert.ElementsMatch(s, all[:3], done)
	s.await(map[provider.State]int{provider.StateRunning: 2})
	s.run()
	require.Eventually(s, func() bool { return s.sim.Stats().Instances == 2 }, launch.Patience, launch.Tick)
}
