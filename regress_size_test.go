package azure

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF01UnknownSizeUsedAsANumber: after a throttled read the size was -1, and
// the next scale-up wrote 3 over 200, which
// are 10 here (kubernetes/autoscaler#3240, #9779).
func TestF01UnknownSizeUsedAsANumber(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 10}, func(s *scene) {
		s.settle(10)
		failed := refusal("fails", getSet, http.StatusInternalServerError, 0, false)
		failed.Times = 4 // the SDK repeats
		throttled := refusal("throttled", getSet, http.StatusTooManyRequests, 20, false)
		throttled.Times = 1
		s.fault(throttled, failed, fate("no size", getSet, armsim.Effect{Omit: []string{"sku"}}))
		mark := s.mark()
		s.provisioner.Request(3)
		s.wait("not all faults were met", 5*time.Minute, func() error {
			return missingUnless(!slices.ContainsFunc(s.sim.Faults(), func(f armsim.FaultState) bool { return f.Applied == 0 }))
		})
		assert.Empty(s.t, s.calls(mark, updateSet), "nothing is written that rests on an unknown size")
		assert.Zero(s.t, s.provisioner.Capacity().Pending)
		assert.Equal(s.t, 10, s.sim.Stats().Capacity)
		s.sim.ClearFaults()
		s.settle(13)
		assert.Equal(s.t, []int{13}, s.goals(mark))
	})
}

// TestF02GoalLagsAfterAWrite: a read soon after a change showed the old number,
// and the change was undone with it (kubernetes/autoscaler#3510, #4685, #4787).
func TestF02GoalLagsAfterAWrite(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]bool{"old ETag": false, "new ETag": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
				s.settle(5)
				s.fault(fate("lag", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: fresh}))
				mark := s.mark()
				s.provisioner.Request(2)
				s.wait("nothing was written", time.Minute, func() error { return missingUnless(len(s.goals(mark)) == 1) })
				s.provisioner.Request(2)
				s.settle(9)
				assert.Equal(s.t, []int{7, 9}, s.goals(mark))
				assert.Equal(s.t, 9, s.sim.Stats().Created)
			})
		})
	}
}

// TestF03ShrinkageNobodyAnnounced: evictions that delete lower the capacity, and
// a target built on the size before creates too many (poseidon/typhoon#1567,
// kubernetes/autoscaler#7373).
func TestF03ShrinkageNobodyAnnounced(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Priority: "Spot", EvictionPolicy: "Delete"}, func(s *scene) {
		s.request(10)
		late := fate("the list is of before the evictions", anyList, armsim.Effect{Delay: armsim.Span(10 * time.Second)})
		late.Times = 1
		s.fault(late)
		mark := s.mark()
		s.provisioner.Request(1)
		s.wait("no list", time.Minute, func() error { return missingUnless(len(s.calls(mark, "")) > 0) })
		_, names := s.victims(4)
		for _, name := range names {
			s.watch.hurt(name)
			assert.NoError(s.t, s.sim.Evict(name))
		}
		s.settle(7)
		assert.Equal(s.t, []int{7}, s.goals(mark))
		assert.Equal(s.t, 11, s.sim.Stats().Created)
	})
}

// TestF04TwoWritersOneUpdateLost: a second controller sent its size again and
// undid a scale (kubernetes-sigs/cloud-provider-azure#630, #635).
func TestF04TwoWritersOneUpdateLost(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		late := fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)})
		late.Times = 1
		s.fault(late)
		mark := s.mark()
		s.provisioner.Request(2)
		s.wait("no read", time.Minute, func() error { return missingUnless(len(s.calls(mark, getSet)) > 0) })
		assert.NoError(s.t, s.sim.Raise(scaleSetName, 1))
		s.settle(8)
		raises := s.raises(mark)
		assert.Len(s.t, raises, 2)
		assert.Equal(s.t, http.StatusPreconditionFailed, raises[0].Status)
		assert.Equal(s.t, []int{8}, s.goals(mark))
	})
}

// TestF04ForeignWritesWithoutEnd has somebody write before each attempt.
func TestF04ForeignWritesWithoutEnd(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		time.Sleep(10 * time.Minute) // all request limits are full again
		s.fault(fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)}))
		assert.NoError(s.t, s.sim.AddEvents(armsim.Event{Every: armsim.Span(time.Second), Times: 120, Do: "tag", Object: scaleSetName}))
		mark := s.mark()
		s.provisioner.Request(2)
		time.Sleep(2 * time.Minute)
		assert.Empty(s.t, s.goals(mark))
		assert.LessOrEqual(s.t, len(s.raises(mark)), 20)
		assert.Equal(s.t, 1, s.out.count("increasing instances failure", "by 2: somebody else changed it", "fix:"))
		assert.Equal(s.t, 1, s.out.count("increasing instances failure"), "one error in an episode")
		s.sim.ClearFaults()
		s.settle(7)
	})
}

// TestF05WholeModelWritten: changes of image and tags by others were undone with
// a cached model (kubernetes/autoscaler#2959). That no write holds more than it
// needs is a promise that is checked everywhere.
func TestF05WholeModelWritten(t *testing.T) {
	t.Parallel()
	slow := fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(5 * time.Second)})
	slow.Skip, slow.Times = 1, 1 // the read of the plugin's own tag
	config := armsim.Config{Faults: []armsim.Fault{slow}, Events: []armsim.Event{{After: armsim.Span(2 * time.Second), Do: "tag", Object: scaleSetName}}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 1}, func(s *scene) {
		s.settle(1)
		const version = "24.04.202607010"
		image := map[string]any{"storageProfile": map[string]any{"imageReference": map[string]any{"version": version}}}
		s.foreign(http.MethodPatch, s.sim.ScaleSetPath(scaleSetName), map[string]any{"properties": map[string]any{"virtualMachineProfile": image}})
		assert.NoError(s.t, s.sim.Tag(scaleSetName, "owner", "somebody else"))
		s.request(2)
		time.Sleep(5 * time.Minute) // the tag that met another change comes again
		model := s.model()
		assert.Contains(s.t, model, version)
		assert.Contains(s.t, model, `"owner":"somebody else"`)
		assert.Contains(s.t, model, `"armsim":"1"`)
		assert.Contains(s.t, model, `"`+ownerTag+`":"`)
	})
}
