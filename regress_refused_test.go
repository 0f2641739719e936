package azure

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
)

// TestF10QuotaRefusedAtLoopSpeed: a refusal for want of quota was repeated with
// each turn of the loop, until requests were throttled (kubernetes/autoscaler#2944),
// or was told of late (microsoft/onefuzz#98, #605).
func TestF10QuotaRefusedAtLoopSpeed(t *testing.T) {
	inBothModes(t, rigSetup{config: armsim.Config{CoreQuota: 10}}, func(r *rig) {
		mark, begun := r.mark(), time.Now()
		r.provisioner.Request(20)
		time.Sleep(5 * time.Minute)
		assert.Equal(r, 5, r.sim.Stats().Running, "what there is room for comes")
		assert.Equal(r, []int{5}, r.goals(mark))
		refused := slices.DeleteFunc(r.raises(mark), func(e armsim.Entry) bool { return e.Status == http.StatusOK })
		assert.LessOrEqual(r, len(refused), 6, "not with each turn of the loop")
		for n := 2; n < len(refused)-1; n++ {
			assert.Greater(r, refused[n+1].Time.Sub(refused[n].Time), refused[n].Time.Sub(refused[n-1].Time), "the gaps grow")
		}
		assert.Equal(r, 1, r.text.count("increasing instances failure", "Current Limit: 10"))
		assert.Equal(r, 1, r.text.count("[WARN]", "Current Limit: 10"))
		r.sim.SetCoreQuota(0)
		lifted := time.Now()
		r.await(settleLimit, "not raised", func() bool { return r.sim.Stats().Capacity == 20 })
		assert.LessOrEqual(r, time.Since(lifted), 4*time.Minute+10*time.Second, "%s", lifted.Sub(begun))
		r.fleet(20)
	})
}

// TestF11AllocationFailsAfterAcceptance: of ten accepted instances six come, two
// fail and two are never made (kubernetes/autoscaler#8242, #9514).
func TestF11AllocationFailsAfterAcceptance(t *testing.T) {
	config := armsim.Config{Boot: armsim.Duration{Median: 40 * time.Second}}
	inBothModes(t, rigSetup{config: config, spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig) {
		r.fleet(5)
		r.fault(rigTimes(fate("fail", "instance.create", armsim.Effect{Fail: noCapacity}), 2),
			rigTimes(fate("absent", "instance.create", armsim.Effect{Absent: noCapacity}), 2))
		mark := r.mark()
		r.provisioner.Request(10)
		r.await(10*time.Minute, "instances are still waited for", func() bool {
			return len(r.goals(mark)) > 0 && r.provisioner.Capacity().Pending == 0 && len(r.running()) == 11
		})
		assert.Equal(r, 1, r.text.count("[ERROR] instances did not come up"))
		asked := time.Now()
		r.await(5*time.Minute, "the failed are still there", func() bool { return len(r.sim.Instances()) == 11 })
		r.provisioner.Request(4) // while a deletion is under way, vacant seats cannot be told
		r.fleet(15)
		goals := slices.DeleteFunc(r.raises(mark), func(e armsim.Entry) bool { return e.Status != http.StatusOK })
		require.Len(r, goals, 2)
		assert.Equal(r, 15, capacityOf(goals[0].Body))
		assert.GreaterOrEqual(r, goals[1].Time.Sub(asked), 10*time.Second, "not before the back-off")
		assert.Equal(r, 5+8+4, r.sim.Stats().Created)
	})
}

// TestF12Overprovisioning: Azure makes more instances than asked for and deletes
// the surplus soon (hashicorp/go-discover#113,
// kubernetes-sigs/cluster-api-provider-azure#1361).
func TestF12Overprovisioning(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) { model["properties"].(map[string]any)["overprovision"] = true }}
	t.Run("is refused", func(t *testing.T) {
		bubbled(t, rigSetup{spec: spec, asleep: true}, func(r *rig) {
			require.ErrorContains(r, r.start(), "overprovision=false")
		})
	})
	t.Run("extras", func(t *testing.T) {
		inBothModes(t, rigSetup{}, playF12)
	})
}

// playF12 lets a stranger play Azure: three more instances for a minute, which
// may take the place of those that were asked for.
func playF12(r *rig) {
	before := r.grow(5)
	r.provisioner.Request(2)
	require.NoError(r, r.sim.Raise(scaleSetName, 3))
	time.Sleep(time.Minute)
	for _, i := range r.sim.Instances() {
		if r.sim.Stats().Capacity > 7 && !slices.ContainsFunc(before, func(b fleeting.Instance) bool { return b.ID() == idOf(i) }) {
			r.harm(i.Name, r.sim.Remove)
		}
	}
	r.fleet(7)
	assert.Equal(r, 10, r.sim.Stats().Created)
}

// TestF13PlatformSwapsAFailingInstance: resilient creation deletes an instance
// that does not come up, and makes another one (learn.microsoft.com,
// "Resilient create and delete for scale sets").
func TestF13PlatformSwapsAFailingInstance(t *testing.T) {
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) {
		model["properties"].(map[string]any)["resiliencyPolicy"] = map[string]any{"resilientVMCreationPolicy": map[string]any{"enabled": true}}
	}}
	inBothModes(t, rigSetup{spec: spec}, func(r *rig) {
		assert.Equal(r, 1, r.text.count("[WARN]", "resilient creation is on"))
		r.fault(rigTimes(fate("the first does not come up", "instance.create", armsim.Effect{Stuck: true}), 1))
		r.provisioner.Request(1)
		time.Sleep(8 * time.Minute)
		require.Len(r, r.provisioner.Instances(), 1)
		first := r.provisioner.Instances()[0].ID()
		require.NoError(r, r.sim.Remove(r.find(first).Name))
		time.Sleep(5 * time.Minute)
		assert.False(r, r.knows(first))
		assert.Zero(r, r.provisioner.Capacity().Pending)
		require.NoError(r, r.sim.Raise(scaleSetName, 1))
		r.fleet(1)
		time.Sleep(10 * time.Minute)
		second := r.fleet(1)[0]
		assert.NotEqual(r, first, second.ID())
		assert.Equal(r, fleeting.CauseUnexpected, second.Cause())
		assert.Equal(r, provider.StateRunning, second.State())
		assert.Equal(r, 2, r.sim.Stats().Created)
	})
}
