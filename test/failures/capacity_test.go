// Package failures_test has a test for each way in which driving a scale set has
// gone wrong for others: F01 to F42, and the weaknesses of an older autoscaler.
package failures_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestF01UnknownSizeUsedAsANumber: after a throttled read the size was -1, and
// the next scale-up wrote 3 over 200, which
// are 10 here (kubernetes/autoscaler#3240, #9779).
func TestF01UnknownSizeUsedAsANumber(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 10}}, func(r *rig.Rig) {
		r.AwaitFleet(10)
		failed := faults.Times(faults.Refusal("fails", faults.GetScaleSet, http.StatusInternalServerError, 0, false), 4) // the SDK repeats
		throttled := faults.Times(faults.Refusal("throttled", faults.GetScaleSet, http.StatusTooManyRequests, 20, false), 1)
		r.Inject(throttled, failed, faults.WithEffect("no size", faults.GetScaleSet, armsim.Effect{Omit: []string{"sku"}}))
		mark := r.Mark()
		r.Provisioner.Request(3)
		r.Await(5*time.Minute, "not all faults were met", func() bool {
			return !slices.ContainsFunc(r.Sim.Faults(), func(f armsim.FaultState) bool { return f.Applied == 0 })
		})
		assert.Empty(r, r.RequestsSince(mark, faults.UpdateScaleSet), "nothing is written that rests on an unknown size")
		assert.Zero(r, r.Provisioner.Capacity().Pending)
		assert.Equal(r, 10, r.Sim.Stats().Capacity)
		r.Sim.ClearFaults()
		r.AwaitFleet(13)
		assert.Equal(r, []int{13}, r.TargetsSince(mark))
	})
}

// TestF02GoalLagsAfterAWrite: a read soon after a change showed the old number,
// and the change was undone with it (kubernetes/autoscaler#3510, #4685, #4787).
func TestF02GoalLagsAfterAWrite(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]bool{"old ETag": false, "new ETag": true} {
		t.Run(name, func(t *testing.T) {
			rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
				r.AwaitFleet(5)
				r.Inject(faults.WithEffect("lag", faults.GetScaleSet, armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: fresh}))
				mark := r.Mark()
				r.Provisioner.Request(2)
				r.Await(time.Minute, "nothing was written", func() bool { return len(r.TargetsSince(mark)) == 1 })
				r.Provisioner.Request(2)
				r.AwaitFleet(9)
				assert.Equal(r, []int{7, 9}, r.TargetsSince(mark))
				assert.Equal(r, 9, r.Sim.Stats().Created)
			})
		})
	}
}

// TestF03ShrinkageNobodyAnnounced: evictions that delete lower the capacity, and
// a target built on the size before creates too many (poseidon/typhoon#1567,
// kubernetes/autoscaler#7373).
func TestF03ShrinkageNobodyAnnounced(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Priority: "Spot", EvictionPolicy: "Delete"}}, func(r *rig.Rig) {
		all := r.ScaleOut(10)
		r.Inject(faults.Times(faults.WithEffect("the list is of before the evictions", faults.AnyList, armsim.Effect{Delay: armsim.Span(10 * time.Second)}), 1))
		mark := r.Mark()
		r.Provisioner.Request(1)
		r.Await(time.Minute, "no list", func() bool { return len(r.RequestsSince(mark, "*")) > 0 })
		for _, i := range all[:4] {
			r.Disrupt(r.NameOf(i), r.Sim.Evict)
		}
		r.AwaitFleet(7)
		assert.Equal(r, []int{7}, r.TargetsSince(mark))
		assert.Equal(r, 11, r.Sim.Stats().Created)
	})
}

// TestF04TwoWritersOneUpdateLost: a second controller sent its size again and
// undid a scale (kubernetes-sigs/cloud-provider-azure#630, #635).
func TestF04TwoWritersOneUpdateLost(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		r.AwaitFleet(5)
		r.Inject(faults.Times(faults.WithEffect("between read and write", faults.GetScaleSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)}), 1))
		mark := r.Mark()
		r.Provisioner.Request(2)
		r.Await(time.Minute, "no read", func() bool { return len(r.RequestsSince(mark, faults.GetScaleSet)) > 0 })
		assert.NoError(r, r.Sim.Raise(rig.ScaleSetName, 1))
		r.AwaitFleet(8)
		raises := r.CapacityWritesSince(mark)
		assert.Len(r, raises, 2)
		assert.Equal(r, http.StatusPreconditionFailed, raises[0].Status)
		assert.Equal(r, []int{8}, r.TargetsSince(mark))
	})
}

// TestF04ForeignWritesWithoutEnd has somebody write before each attempt.
func TestF04ForeignWritesWithoutEnd(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		r.AwaitFleet(5)
		time.Sleep(10 * time.Minute) // all request limits are full again
		r.Inject(faults.WithEffect("between read and write", faults.GetScaleSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)}))
		assert.NoError(r, r.Sim.AddEvents(armsim.Event{Every: armsim.Span(time.Second), Times: 120, Do: "tag", Object: rig.ScaleSetName}))
		mark := r.Mark()
		r.Provisioner.Request(2)
		time.Sleep(2 * time.Minute)
		assert.Empty(r, r.TargetsSince(mark))
		assert.LessOrEqual(r, len(r.CapacityWritesSince(mark)), 20)
		assert.Equal(r, 1, r.Output.Count("increasing instances failure", "by 2: somebody else changed it", "fix:"))
		assert.Equal(r, 1, r.Output.Count("increasing instances failure"), "one error in an episode")
		r.Sim.ClearFaults()
		r.AwaitFleet(7)
	})
}

// TestF05WholeModelWritten: changes of image and tags by others were undone with
// a cached model (kubernetes/autoscaler#2959). That no write holds more than it
// needs is a promise that is checked everywhere.
func TestF05WholeModelWritten(t *testing.T) {
	slow := faults.Times(faults.WithEffect("between read and write", faults.GetScaleSet, armsim.Effect{Delay: armsim.Span(5 * time.Second)}), 1)
	slow.Skip = 1 // the read of the plugin's own tag
	config := armsim.Config{Faults: []armsim.Fault{slow}, Events: []armsim.Event{{After: armsim.Span(2 * time.Second), Do: "tag", Object: rig.ScaleSetName}}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		const version = "24.04.202607010"
		image := map[string]any{"storageProfile": map[string]any{"imageReference": map[string]any{"version": version}}}
		r.ExternalRequest(http.MethodPatch, r.Sim.ScaleSetPath(rig.ScaleSetName), map[string]any{"properties": map[string]any{"virtualMachineProfile": image}})
		assert.NoError(r, r.Sim.Tag(rig.ScaleSetName, "owner", "somebody else"))
		r.ScaleOut(2)
		time.Sleep(5 * time.Minute) // the tag that met another change comes again
		model := r.ScaleSet()
		assert.Contains(r, model, version)
		assert.Contains(r, model, `"owner":"somebody else"`)
		assert.Contains(r, model, `"armsim":"1"`)
		assert.Contains(r, model, `"`+ownerTag+`":"`)
	})
}

// ownerTag is the tag by which the plugin marks a scale set.
const ownerTag = "fleeting-plugin-azure"
