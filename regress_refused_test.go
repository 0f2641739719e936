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
	t.Parallel()
	inBothModes(t, armsim.Config{CoreQuota: 10}, armsim.ScaleSetSpec{}, func(s *scene) {
		mark, begun := s.mark(), time.Now()
		s.provisioner.Request(20)
		time.Sleep(5 * time.Minute)
		assert.Equal(s.t, 5, s.sim.Stats().Running, "what there is room for comes")
		assert.Equal(s.t, []int{5}, s.goals(mark))
		refused := slices.DeleteFunc(s.raises(mark), func(e armsim.Entry) bool { return e.Status == http.StatusOK })
		assert.LessOrEqual(s.t, len(refused), 6, "not with each turn of the loop")
		for n := 2; n < len(refused)-1; n++ {
			assert.Greater(s.t, refused[n+1].Time.Sub(refused[n].Time), refused[n].Time.Sub(refused[n-1].Time), "the gaps grow")
		}
		assert.Equal(s.t, 1, s.out.count("increasing instances failure", "Current Limit: 10"))
		assert.Equal(s.t, 1, s.out.count("[WARN]", "Current Limit: 10"))
		s.sim.SetCoreQuota(0)
		lifted := time.Now()
		s.wait("not raised", settleLimit, func() error { return missingUnless(s.sim.Stats().Capacity == 20) })
		assert.LessOrEqual(s.t, time.Since(lifted), 4*time.Minute+10*time.Second, "%s", lifted.Sub(begun))
		s.settle(20)
	})
}

// TestF11AllocationFailsAfterAcceptance: of ten accepted instances six come, two
// fail and two are never made (kubernetes/autoscaler#8242, #9514).
func TestF11AllocationFailsAfterAcceptance(t *testing.T) {
	t.Parallel()
	config := armsim.Config{Boot: armsim.Duration{Median: 40 * time.Second}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		failed, absent := fate("fail", "instance.create", armsim.Effect{Fail: noCapacity}), fate("absent", "instance.create", armsim.Effect{Absent: noCapacity})
		failed.Times, absent.Times = 2, 2
		s.fault(failed, absent)
		mark := s.mark()
		s.provisioner.Request(10)
		s.wait("instances are still waited for", 10*time.Minute, func() error {
			return missingUnless(len(s.goals(mark)) > 0 && s.provisioner.Capacity().Pending == 0 && len(s.running()) == 11)
		})
		assert.Equal(s.t, 1, s.out.count("[ERROR] instances did not come up"))
		asked := time.Now()
		s.wait("the failed are still there", 5*time.Minute, func() error { return missingUnless(len(s.sim.Instances()) == 11) })
		s.provisioner.Request(4) // while a deletion is under way, vacant seats cannot be told
		s.settle(15)
		goals := slices.DeleteFunc(s.raises(mark), func(e armsim.Entry) bool { return e.Status != http.StatusOK })
		require.Len(s.t, goals, 2)
		assert.Equal(s.t, 15, capacityOf(goals[0]))
		assert.GreaterOrEqual(s.t, goals[1].Time.Sub(asked), 10*time.Second, "not before the back-off")
		assert.Equal(s.t, 5+8+4, s.sim.Stats().Created)
	})
}

// TestF12Overprovisioning: Azure makes more instances than asked for and deletes
// the surplus soon (hashicorp/go-discover#113,
// kubernetes-sigs/cluster-api-provider-azure#1361).
func TestF12Overprovisioning(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) { model["properties"].(map[string]any)["overprovision"] = true }}
	t.Run("is refused", func(t *testing.T) {
		t.Parallel()
		inScene(t, armsim.Config{}, spec, func(s *scene) {
			require.ErrorContains(s.t, s.start(), "overprovision=false")
		})
	})
	t.Run("extras", func(t *testing.T) {
		t.Parallel()
		inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{}, playF12)
	})
}

// playF12 lets a stranger play Azure: three more instances for a minute, which
// may take the place of those that were asked for.
func playF12(s *scene) {
	s.request(5)
	before := s.ids()
	s.provisioner.Request(2)
	require.NoError(s.t, s.sim.Raise(scaleSetName, 3))
	time.Sleep(time.Minute)
	for _, i := range s.sim.Instances() {
		if s.sim.Stats().Capacity > 7 && !slices.Contains(before, idOf(i)) {
			s.watch.hurt(i.Name)
			require.NoError(s.t, s.sim.Remove(i.Name))
		}
	}
	s.settle(7)
	assert.Equal(s.t, 10, s.sim.Stats().Created)
}

// TestF13PlatformSwapsAFailingInstance: resilient creation deletes an instance
// that does not come up, and makes another one (learn.microsoft.com,
// "Resilient create and delete for scale sets").
func TestF13PlatformSwapsAFailingInstance(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{Change: func(model map[string]any) {
		model["properties"].(map[string]any)["resiliencyPolicy"] = map[string]any{"resilientVMCreationPolicy": map[string]any{"enabled": true}}
	}}
	inBothModes(t, armsim.Config{}, spec, func(s *scene) {
		assert.Equal(s.t, 1, s.out.count("[WARN]", "resilient creation is on"))
		stuck := fate("the first does not come up", "instance.create", armsim.Effect{Stuck: true})
		stuck.Times = 1
		s.fault(stuck)
		s.provisioner.Request(1)
		time.Sleep(8 * time.Minute)
		require.Len(s.t, s.ids(), 1)
		first := s.ids()[0]
		require.NoError(s.t, s.sim.Remove(s.find(first).Name))
		time.Sleep(5 * time.Minute)
		assert.False(s.t, s.knows(first))
		assert.Zero(s.t, s.provisioner.Capacity().Pending)
		require.NoError(s.t, s.sim.Raise(scaleSetName, 1))
		s.settle(1)
		time.Sleep(10 * time.Minute)
		s.settle(1)
		second := s.running()[0]
		assert.NotEqual(s.t, first, second.ID())
		assert.Equal(s.t, fleeting.CauseUnexpected, second.Cause())
		assert.Equal(s.t, provider.StateRunning, second.State())
		assert.Equal(s.t, 2, s.sim.Stats().Created)
	})
}
