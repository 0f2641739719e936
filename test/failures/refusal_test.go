package failures_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestF10QuotaRefusedAtLoopSpeed: a refusal for want of quota was repeated with
// each turn of the loop, until requests were throttled (kubernetes/autoscaler#2944),
// or was told of late (microsoft/onefuzz#98, #605).
func TestF10QuotaRefusedAtLoopSpeed(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Config: armsim.Config{CoreQuota: 10}}, func(r *rig.Rig) {
		mark, begun := r.Mark(), time.Now()
		r.Provisioner.Request(20)
		time.Sleep(5 * time.Minute)
		assert.Equal(r, 5, r.Sim.Stats().Running, "what there is room for comes")
		assert.Equal(r, []int{5}, r.TargetsSince(mark))
		refused := slices.DeleteFunc(r.CapacityWritesSince(mark), func(e armsim.Entry) bool { return e.Status == http.StatusOK })
		assert.LessOrEqual(r, len(refused), 6, "not with each turn of the loop")
		for n := 2; n < len(refused)-1; n++ {
			assert.Greater(r, refused[n+1].Time.Sub(refused[n].Time), refused[n].Time.Sub(refused[n-1].Time), "the gaps grow")
		}
		assert.Equal(r, 1, r.Output.Count("increasing instances failure", "Current Limit: 10"))
		assert.Equal(r, 1, r.Output.Count("[WARN]", "Current Limit: 10"))
		r.Sim.SetCoreQuota(0)
		lifted := time.Now()
		r.Await(rig.SettleLimit, "not raised", func() bool { return r.Sim.Stats().Capacity == 20 })
		assert.LessOrEqual(r, time.Since(lifted), 4*time.Minute+10*time.Second, "%s", lifted.Sub(begun))
		r.AwaitFleet(20)
	})
}

// TestF11AllocationFailsAfterAcceptance: of ten accepted instances six come, two
// fail and two are never made (kubernetes/autoscaler#8242, #9514).
func TestF11AllocationFailsAfterAcceptance(t *testing.T) {
	config := armsim.Config{Boot: armsim.Duration{Median: 40 * time.Second}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		r.AwaitFleet(5)
		r.Inject(faults.Times(faults.WithEffect("fail", "instance.create", armsim.Effect{Fail: faults.AllocationFailed}), 2),
			faults.NeverMade(0, 2))
		mark := r.Mark()
		r.Provisioner.Request(10)
		r.Await(10*time.Minute, "none has failed", func() bool { return r.Output.Count("[ERROR] instances did not come up") > 0 })
		failed := time.Now()
		r.Await(10*time.Minute, "instances are still waited for", func() bool {
			return len(r.TargetsSince(mark)) > 0 && r.Provisioner.Capacity().Pending == 0 && len(r.Running()) == 11
		})
		assert.Equal(r, 1, r.Output.Count("[ERROR] instances did not come up"))
		r.Await(5*time.Minute, "the failed are still there", func() bool { return len(r.Sim.Instances()) == 11 })
		r.Provisioner.Request(4) // while a deletion is under way, unfilled capacity cannot be told
		r.AwaitFleet(15)
		goals := slices.DeleteFunc(r.CapacityWritesSince(mark), func(e armsim.Entry) bool { return e.Status != http.StatusOK })
		require.Len(r, goals, 2)
		assert.Equal(r, 15, rig.CapacityOf(goals[0].Body))
		assert.GreaterOrEqual(r, goals[1].Time.Sub(failed), 10*time.Second, "not before the back-off")
		assert.Equal(r, 5+8+4, r.Sim.Stats().Created)
	})
}

// TestF11StockOutForHours: what Azure accepts and does not create stays in the
// capacity, of which a scale set has a limit. So it is asked for less and less.
func TestF11StockOutForHours(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		r.AwaitFleet(2)
		r.Inject(faults.NeverMade(0, 0))
		for range 24 {
			r.RequestUpTo(52)
			time.Sleep(10 * time.Minute)
		}
		assert.Less(r, r.Sim.Stats().Capacity, 52+50+25+12+6+3+2*24, "four hours")
		r.Sim.ClearFaults()
		r.Await(30*time.Minute, "stock is back", func() bool { r.RequestUpTo(52); return len(r.Running()) >= 52 })
	})
}

// TestF12Overprovisioning: Azure makes more instances than asked for and deletes
// the surplus soon (hashicorp/go-discover#113,
// kubernetes-sigs/cluster-api-provider-azure#1361).
func TestF12Overprovisioning(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) { model["properties"].(map[string]any)["overprovision"] = true }}
	t.Run("is refused", func(t *testing.T) {
		rig.Run(t, rig.Setup{Spec: spec, NotStarted: true}, func(r *rig.Rig) {
			require.ErrorContains(r, r.Start(), "overprovision=false")
		})
	})
	t.Run("extras", func(t *testing.T) {
		rig.RunBothModes(t, rig.Setup{}, playF12)
	})
}

// playF12 lets somebody else play Azure: three more instances for a minute, which
// may take the place of those that were asked for.
func playF12(r *rig.Rig) {
	before := r.ScaleOut(5)
	r.Provisioner.Request(2)
	require.NoError(r, r.Sim.Raise(rig.ScaleSetName, 3))
	time.Sleep(time.Minute)
	for _, i := range r.Sim.Instances() {
		if r.Sim.Stats().Capacity > 7 && !slices.ContainsFunc(before, func(b fleeting.Instance) bool { return b.ID() == rig.InstanceID(i) }) {
			r.Disrupt(i.Name, r.Sim.Remove)
		}
	}
	r.AwaitFleet(7)
	assert.Equal(r, 10, r.Sim.Stats().Created)
}

// TestF13PlatformSwapsAFailingInstance: resilient creation deletes an instance
// that does not come up, and makes another one (learn.microsoft.com,
// "Resilient create and delete for scale sets").
func TestF13PlatformSwapsAFailingInstance(t *testing.T) {
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) {
		model["properties"].(map[string]any)["resiliencyPolicy"] = map[string]any{"resilientVMCreationPolicy": map[string]any{"enabled": true}}
	}}
	rig.RunBothModes(t, rig.Setup{Spec: spec}, func(r *rig.Rig) {
		assert.Equal(r, 1, r.Output.Count("[WARN]", "resilient creation is on"))
		r.Inject(faults.Times(faults.WithEffect("the first does not come up", "instance.create", armsim.Effect{Stuck: true}), 1))
		r.Provisioner.Request(1)
		time.Sleep(8 * time.Minute)
		require.Len(r, r.Provisioner.Instances(), 1)
		first := r.Provisioner.Instances()[0].ID()
		require.NoError(r, r.Sim.Remove(r.Find(first).Name))
		time.Sleep(5 * time.Minute)
		assert.False(r, r.Knows(first))
		assert.Zero(r, r.Provisioner.Capacity().Pending)
		require.NoError(r, r.Sim.Raise(rig.ScaleSetName, 1))
		r.AwaitFleet(1)
		time.Sleep(10 * time.Minute)
		second := r.AwaitFleet(1)[0]
		assert.NotEqual(r, first, second.ID())
		assert.Equal(r, fleeting.CauseUnexpected, second.Cause())
		assert.Equal(r, provider.StateRunning, second.State())
		assert.Equal(r, 2, r.Sim.Stats().Created)
	})
}
