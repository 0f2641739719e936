package binary_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// elsewhere are the questions that a plugin never comes upon in a mode: about calls that
// it does not make here, as suspension and keys have tests of their own, or about instances
// of the other mode. They would cost minutes.
var elsewhere = map[string][]string{
	"both": {
		"flexible-batch-power-refused", "keys-fixed", "vnet-put-keeps-subnets", "principal-type-ignored", "permissions-need-role",
		"protection-covers-named", "refill-by-minute", "set-deallocation-limited", "instance-actions-draw-from-set", // which need limits, suspension, or calls on single instances
	},
	"uniform":  {"flexible-delete-keeps-capacity", "vm-delete-lowers-capacity", "expanded-list-without-model", "flexible-counts-instances"},
	"flexible": {"numbers-reused", "instance-reads-share-bucket"},
}

// TestUnknowns runs the scenario of fleeting's suite, and more, with each open
// question about Azure that may matter answered the other way, alone and all together, in both
// orchestration modes and on Spot instances of both eviction policies.
func TestUnknowns(t *testing.T) {
	t.Parallel()
	sets := map[string][]string{"none": nil, "all": armsim.UnknownNames()}
	for _, name := range armsim.UnknownNames() {
		sets[name] = []string{name}
	}
	specs := map[string]armsim.ScaleSetSpec{
		"uniform":  {EvictionPolicy: "Delete"},
		"flexible": {EvictionPolicy: "Deallocate", OrchestrationMode: "Flexible", PublicAddress: true},
	}
	for _, name := range slices.Concat(elsewhere["both"], elsewhere["uniform"], elsewhere["flexible"]) {
		require.Contains(t, sets, name)
	}
	for name, flipped := range sets {
		for mode, spec := range specs {
			if slices.Contains(elsewhere["both"], name) || slices.Contains(elsewhere[mode], name) {
				continue // but in "all"
			}
			t.Run(mode+"/"+name, func(t *testing.T) {
				t.Parallel()
				spec.Name, spec.Capacity, spec.Priority, spec.AdminPassword = "ci", 1, "Spot", launch.Login().Password
				config := armsim.Config{}
				require.NoError(t, config.Unknowns.Set(flipped...))
				// A Flexible set whose deletions leave the capacity, and that
				// then fills up to it, makes more instances than anybody asked
				// for. No client can tell; the runner must get rid of them.
				w := world{t: t, exact: name != "all"}
				w.open(launch.Simulator(t, config, spec))
				w.scenario()
			})
		}
	}
}

// world is a simulator and fleeting's provisioner over the built plugin.
type world struct {
	t           *testing.T
	exact       bool // the fleet never holds more than was asked for
	sim         *armsim.Server
	provisioner *fleet.Provisioner
}

func (w *world) open(s *armsim.Server) {
	w.sim = s
	p := launch.Start(w.t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
	settings := launch.Login()
	settings.ProtocolPort = s.SSHPort
	var err error
	w.provisioner, err = fleet.Init(w.t.Context(), hclog.NewNullLogger(), p.InstanceGroup,
		fleet.WithMaxSize(8), fleet.WithInstanceGroupSettings(settings),
		fleet.WithUpdateInterval(launch.Tick), fleet.WithUpdateIntervalWhenExpecting(launch.Tick), fleet.WithDeletionRetryInterval(time.Second),
		fleet.WithShutdownDeletionInterval(launch.Tick))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { w.provisioner.Shutdown(context.Background()) })
}

func (w *world) scenario() {
	w.deleteAll()
	w.provisioner.Request(3)
	for _, instance := range w.running(3) {
		w.work(instance)
	}
	name := func(n int) string { return w.sim.Instances()[n].Name }
	w.loses(func() error { return w.sim.Kill(name(0)) })
	w.loses(func() error { return w.sim.Evict(name(0)) })
	w.loses(func() error { return w.removeBehindItsBack(name(0)) })
	w.provisioner.Request(2)
	w.running(2)
	w.deleteAll()
	assert.Empty(w.t, w.sim.Stats().NotSimulated)
}

// running waits for n running instances that the runner and Azure agree on.
func (w *world) running(n int) []fleet.Instance {
	var found []fleet.Instance
	require.EventuallyWithT(w.t, func(c *assert.CollectT) {
		found = slices.DeleteFunc(w.provisioner.Instances(), func(i fleet.Instance) bool { return i.State() != provider.StateRunning })
		assert.GreaterOrEqual(c, len(found), n)
		assert.Zero(c, w.provisioner.Capacity().Pending)
		if w.exact {
			assert.Len(c, found, n)
			assert.Len(c, w.sim.Instances(), n)
		}
	}, launch.Patience, launch.Tick)
	return found
}

// loses breaks an instance, and waits until neither the runner nor Azure has
// it any more.
func (w *world) loses(do func() error) {
	before := len(w.sim.Instances())
	require.NoError(w.t, do())
	require.EventuallyWithT(w.t, func(c *assert.CollectT) {
		assert.Len(c, w.sim.Instances(), before-1)
		assert.Len(c, w.provisioner.Instances(), before-1)
	}, launch.Patience, launch.Tick)
}

// deleteAll deletes every instance, as the runner does with those it does not
// need, until nothing is left.
func (w *world) deleteAll() {
	require.EventuallyWithT(w.t, func(c *assert.CollectT) {
		for _, i := range w.provisioner.Instances() {
			i.Delete()
		}
		assert.Empty(c, w.provisioner.Instances())
		assert.Empty(c, w.sim.Instances())
	}, launch.Patience, launch.Tick)
}

// removeBehindItsBack deletes an instance as somebody in the portal would.
func (w *world) removeBehindItsBack(name string) error {
	for _, i := range w.sim.Instances() {
		if i.Name == name {
			return w.sim.Do(w.t.Context(), "POST", w.sim.ScaleSetPath("ci")+"/delete", "2025-04-01", map[string]any{"instanceIds": []string{i.InstanceID}})
		}
	}
	return assert.AnError
}

// work runs a command on an instance over SSH.
func (w *world) work(instance fleet.Instance) {
	info, err := instance.ConnectInfo(w.t.Context())
	require.NoError(w.t, err)
	if w.exact {
		assert.Equal(w.t, fleet.CauseRequested, instance.Cause())
	}
	var out bytes.Buffer
	err = connector.Run(w.t.Context(), info, connector.ConnectorOptions{RunOptions: connector.RunOptions{Command: "echo $ARMSIM_VM_ID", Stdout: &out}})
	require.NoError(w.t, err)
	assert.True(w.t, strings.HasSuffix(instance.ID(), out.String()[:8]), "%s ran on %s", instance.ID(), out.String())
}
