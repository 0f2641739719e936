package azure_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func onePlacementGroup(model map[string]any) {
	model["properties"].(map[string]any)["singlePlacementGroup"] = true
}

// What goes beside an error is lost over gRPC: what Azure accepted comes
// without one.
func TestIncreaseAtTheLimit(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true, PageSize: 60}, armsim.ScaleSetSpec{Name: "ci", Capacity: 99, Change: onePlacementGroup})
	p := launch.Open(t, s)
	n, err := p.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, 100, s.Stats().Capacity)

	n, err = p.Increase(t.Context(), 1)
	require.ErrorContains(t, err, "its capacity of 100 is all that Azure allows; fix: ")
	assert.Zero(t, n)
	assert.Equal(t, 100, s.Stats().Capacity)
	p.AwaitRunning(t, 100)
}

func TestDecreaseOfKnownAndUnknown(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 3})
	p := launch.Open(t, s)
	ids := p.AwaitRunning(t, 3)
	asked := []string{"ci_99-01234567", ids[0], "0", "", "*", ids[2]}
	done, err := p.Decrease(t.Context(), asked)
	require.NoError(t, err)
	assert.ElementsMatch(t, asked, done, "what is unknown is gone")
	assert.Equal(t, ids[1:2], p.AwaitRunning(t, 1))
	assert.Equal(t, 1, s.Stats().Capacity)

	done, err = p.Decrease(t.Context(), asked)
	require.NoError(t, err)
	assert.ElementsMatch(t, asked, done, "once more is no mistake")
	assert.Equal(t, 1, s.Stats().Capacity)
}

func TestDecreaseThatAzureRefuses(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true, Principals: []armsim.Principal{
		{ClientID: armsim.DefaultClientID, Secret: launch.ClientSecret},
		{ClientID: launch.OtherClientID, Secret: launch.ClientSecret, Actions: []string{"*/read"}},
	}}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	env := launch.EnvironmentOf(s)
	env["AZURE_CLIENT_ID"] = launch.OtherClientID
	p := launch.Start(t, env, launch.ConfigFor(s, "ci"))
	p.Open(t)
	ids := p.AwaitRunning(t, 1)
	done, err := p.Decrease(t.Context(), append(ids, "ci_99-01234567"))
	require.NoError(t, err, "an error would take the other one's success with it")
	assert.Equal(t, []string{"ci_99-01234567"}, done)
	require.Eventually(t, func() bool {
		return p.Log.Contains("some instances could not be deleted") && p.Log.Contains("virtualMachineScaleSets/delete/action")
	}, launch.Patience, launch.Tick)

	done, err = p.Decrease(t.Context(), ids)
	require.NoError(t, err, "one error in an episode")
	assert.Empty(t, done)
	assert.Equal(t, ids, p.AwaitRunning(t, 1))
}

func TestUpdateReadsEveryPage(t *testing.T) {
	t.Parallel()
	for size := 2; size <= 4; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s := launch.Simulator(t, armsim.Config{NoMachines: true, PageSize: size}, armsim.ScaleSetSpec{Name: "ci", Capacity: 7, PublicAddress: true})
			p := launch.Open(t, s)
			boot := func(n int) {
				require.Eventually(t, func() bool { return s.Stats().Running == n }, launch.Patience, launch.Tick)
			}
			boot(7)
			ids := p.AwaitRunning(t, 7)
			for range 3 {
				states, err := p.States(t)
				require.NoError(t, err)
				require.Equal(t, ids, slices.Sorted(maps.Keys(states)))
			}
			_, err := p.Increase(t.Context(), 2)
			require.NoError(t, err)
			boot(9)
			assert.Subset(t, p.AwaitRunning(t, 9), ids)
		})
	}
}

// A part of the truth would make fleeting take the rest for gone.
func TestUpdateWithoutAnswerReportsNothing(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 4})
	p := launch.Open(t, s)
	p.AwaitRunning(t, 4)
	s.Close()
	began := time.Now()
	states, err := p.States(t)
	require.ErrorContains(t, err, "connection refused")
	assert.NotContains(t, err.Error(), "\n")
	assert.Empty(t, states)
	assert.Less(t, time.Since(began), launch.InitLimit)
}

func TestMaxSize(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "one", Change: onePlacementGroup})
	require.NoError(t, err)
	for name, want := range map[string]int{"ci": 1000, "one": 100} {
		p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, name))
		info := p.Open(t)
		assert.Equal(t, want, info.MaxSize)
		assert.Equal(t, "azure/ci/"+name, info.ID)

		p = launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, name))
		_, err := fleet.Init(t.Context(), hclog.NewNullLogger(), p, fleet.WithMaxSize(want+1), fleet.WithInstanceGroupSettings(launch.Login()))
		require.ErrorIs(t, err, fleet.ErrMaxSizeExceedsInstanceGroupMax)
	}
}

// TestSuspendModeOff: the runner is told not to ask, and nothing is changed if it does.
func TestSuspendModeOff(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	config := launch.ConfigFor(s, "ci")
	config["suspend_mode"] = "off"
	p := launch.Start(t, launch.EnvironmentOf(s), config)
	assert.Empty(t, p.Open(t).Capabilities)
	ids := p.AwaitRunning(t, 1)
	writes := launch.WritesOf(s)
	done, err := p.Suspend(t.Context(), ids)
	require.ErrorContains(t, err, provider.ErrSuspendResumeNotSupported.Error())
	assert.Empty(t, done)
	done, err = p.Resume(t.Context(), ids)
	require.ErrorContains(t, err, provider.ErrSuspendResumeNotSupported.Error())
	assert.Empty(t, done)
	assert.Equal(t, writes, launch.WritesOf(s))
}

// TestEphemeralDisks cannot be deallocated: who asks for it is told, and who does not has
// instances that are not suspended.
func TestEphemeralDisks(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Size: "Standard_D2ds_v5", Change: ephemeral})
	p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
	assert.Empty(t, p.Open(t).Capabilities)
	config := launch.ConfigFor(s, "ci")
	config["suspend_mode"] = "deallocate"
	_, err := launch.Start(t, launch.EnvironmentOf(s), config).Init(t.Context(), hclog.NewNullLogger(), launch.Login())
	require.ErrorContains(t, err, `ephemeral OS disks, which cannot be deallocated; fix: set suspend_mode = "off"`)
}

func ephemeral(model map[string]any) {
	storage := model["properties"].(map[string]any)["virtualMachineProfile"].(map[string]any)["storageProfile"].(map[string]any)
	storage["osDisk"] = map[string]any{"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": map[string]any{"option": "Local"}}
}

// TestPartOfThemIsSuspended: fleeting carries an error alongside what was done.
func TestPartOfThemIsSuspended(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	p := launch.Open(t, s)
	ids := p.AwaitRunning(t, 2)
	done, err := p.Suspend(t.Context(), []string{ids[0], "ci_9-01234567"})
	require.ErrorContains(t, err, "it no longer exists")
	assert.Equal(t, ids[:1], done)
	require.Eventually(t, func() bool { return s.Stats().Running == 1 }, launch.Patience, launch.Tick)
}

// On Windows whoever is on the machine can connect to the plugin, and would have
// its credential for Azure sent to an endpoint of their own.
func TestInitIsCalledOnce(t *testing.T) {
	t.Parallel()
	g := &azure.InstanceGroup{}
	_, err := g.Init(t.Context(), hclog.NewNullLogger(), launch.Login())
	require.ErrorContains(t, err, "plugin_config")
	require.NoError(t, g.UnmarshalJSON([]byte(`{"cloud": {"resource_manager_endpoint": "https://elsewhere.example"}}`)))
	_, err = g.Init(t.Context(), hclog.NewNullLogger(), launch.Login())
	require.ErrorContains(t, err, "the plugin has been initialised already")
}

func TestUseBeforeInit(t *testing.T) {
	t.Parallel()
	p := launch.Start(t, launch.Environment{}, launch.PluginConfig{})
	_, err := p.States(t)
	require.ErrorContains(t, err, "before Init")
	_, err = p.Increase(t.Context(), 1)
	require.ErrorContains(t, err, "before Init")
	_, err = p.Decrease(t.Context(), []string{"x"})
	require.ErrorContains(t, err, "before Init")
	_, err = p.ConnectInfo(t.Context(), "x")
	require.ErrorContains(t, err, "before Init")
	require.ErrorContains(t, p.Heartbeat(t.Context(), "x"), "before Init")
	require.NoError(t, p.Shutdown(t.Context()))
}
