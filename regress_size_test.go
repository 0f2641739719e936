package azure

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF01UnknownSizeUsedAsANumber: after a throttled read the size was -1, and
// the next scale-up wrote 3 over 200, which
// are 10 here (kubernetes/autoscaler#3240, #9779).
func TestF01UnknownSizeUsedAsANumber(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 10}}, func(r *rig) {
		r.fleet(10)
		failed := rigTimes(refusal("fails", getSet, http.StatusInternalServerError, 0, false), 4) // the SDK repeats
		throttled := rigTimes(refusal("throttled", getSet, http.StatusTooManyRequests, 20, false), 1)
		r.fault(throttled, failed, fate("no size", getSet, armsim.Effect{Omit: []string{"sku"}}))
		mark := r.mark()
		r.provisioner.Request(3)
		r.await(5*time.Minute, "not all faults were met", func() bool {
			return !slices.ContainsFunc(r.sim.Faults(), func(f armsim.FaultState) bool { return f.Applied == 0 })
		})
		assert.Empty(r, r.since(mark, updateSet), "nothing is written that rests on an unknown size")
		assert.Zero(r, r.provisioner.Capacity().Pending)
		assert.Equal(r, 10, r.sim.Stats().Capacity)
		r.sim.ClearFaults()
		r.fleet(13)
		assert.Equal(r, []int{13}, r.goals(mark))
	})
}

// TestF02GoalLagsAfterAWrite: a read soon after a change showed the old number,
// and the change was undone with it (kubernetes/autoscaler#3510, #4685, #4787).
func TestF02GoalLagsAfterAWrite(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]bool{"old ETag": false, "new ETag": true} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig) {
				r.fleet(5)
				r.fault(fate("lag", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: fresh}))
				mark := r.mark()
				r.provisioner.Request(2)
				r.await(time.Minute, "nothing was written", func() bool { return len(r.goals(mark)) == 1 })
				r.provisioner.Request(2)
				r.fleet(9)
				assert.Equal(r, []int{7, 9}, r.goals(mark))
				assert.Equal(r, 9, r.sim.Stats().Created)
			})
		})
	}
}

// TestF03ShrinkageNobodyAnnounced: evictions that delete lower the capacity, and
// a target built on the size before creates too many (poseidon/typhoon#1567,
// kubernetes/autoscaler#7373).
func TestF03ShrinkageNobodyAnnounced(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Priority: "Spot", EvictionPolicy: "Delete"}}, func(r *rig) {
		all := r.grow(10)
		r.fault(rigTimes(fate("the list is of before the evictions", anyList, armsim.Effect{Delay: armsim.Span(10 * time.Second)}), 1))
		mark := r.mark()
		r.provisioner.Request(1)
		r.await(time.Minute, "no list", func() bool { return len(r.since(mark, "*")) > 0 })
		for _, i := range all[:4] {
			r.harm(r.nameOf(i), r.sim.Evict)
		}
		r.fleet(7)
		assert.Equal(r, []int{7}, r.goals(mark))
		assert.Equal(r, 11, r.sim.Stats().Created)
	})
}

// TestF04TwoWritersOneUpdateLost: a second controller sent its size again and
// undid a scale (kubernetes-sigs/cloud-provider-azure#630, #635).
func TestF04TwoWritersOneUpdateLost(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig) {
		r.fleet(5)
		r.fault(rigTimes(fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)}), 1))
		mark := r.mark()
		r.provisioner.Request(2)
		r.await(time.Minute, "no read", func() bool { return len(r.since(mark, getSet)) > 0 })
		assert.NoError(r, r.sim.Raise(scaleSetName, 1))
		r.fleet(8)
		raises := r.raises(mark)
		assert.Len(r, raises, 2)
		assert.Equal(r, http.StatusPreconditionFailed, raises[0].Status)
		assert.Equal(r, []int{8}, r.goals(mark))
	})
}

// TestF04ForeignWritesWithoutEnd has somebody write before each attempt.
func TestF04ForeignWritesWithoutEnd(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig) {
		r.fleet(5)
		time.Sleep(10 * time.Minute) // all request limits are full again
		r.fault(fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(2 * time.Second)}))
		assert.NoError(r, r.sim.AddEvents(armsim.Event{Every: armsim.Span(time.Second), Times: 120, Do: "tag", Object: scaleSetName}))
		mark := r.mark()
		r.provisioner.Request(2)
		time.Sleep(2 * time.Minute)
		assert.Empty(r, r.goals(mark))
		assert.LessOrEqual(r, len(r.raises(mark)), 20)
		assert.Equal(r, 1, r.text.count("increasing instances failure", "by 2: somebody else changed it", "fix:"))
		assert.Equal(r, 1, r.text.count("increasing instances failure"), "one error in an episode")
		r.sim.ClearFaults()
		r.fleet(7)
	})
}

// TestF05WholeModelWritten: changes of image and tags by others were undone with
// a cached model (kubernetes/autoscaler#2959). That no write holds more than it
// needs is a promise that is checked everywhere.
func TestF05WholeModelWritten(t *testing.T) {
	slow := rigTimes(fate("between read and write", getSet, armsim.Effect{Delay: armsim.Span(5 * time.Second)}), 1)
	slow.Skip = 1 // the read of the plugin's own tag
	config := armsim.Config{Faults: []armsim.Fault{slow}, Events: []armsim.Event{{After: armsim.Span(2 * time.Second), Do: "tag", Object: scaleSetName}}}
	inBothModes(t, rigSetup{config: config, spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig) {
		r.fleet(1)
		const version = "24.04.202607010"
		image := map[string]any{"storageProfile": map[string]any{"imageReference": map[string]any{"version": version}}}
		r.foreign(http.MethodPatch, r.sim.ScaleSetPath(scaleSetName), map[string]any{"properties": map[string]any{"virtualMachineProfile": image}})
		assert.NoError(r, r.sim.Tag(scaleSetName, "owner", "somebody else"))
		r.grow(2)
		time.Sleep(5 * time.Minute) // the tag that met another change comes again
		model := r.scaleSet()
		assert.Contains(r, model, version)
		assert.Contains(r, model, `"owner":"somebody else"`)
		assert.Contains(r, model, `"armsim":"1"`)
		assert.Contains(r, model, `"`+ownerTag+`":"`)
	})
}

// ownerTag is the tag by which the plugin marks a scale set.
const ownerTag = "fleeting-plugin-azure"

// scaleSet is the scale set as Azure tells of it.
func (r *rig) scaleSet() string {
	r.Helper()
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.sim.Endpoint+r.sim.ScaleSetPath(scaleSetName)+"?api-version=2025-04-01", nil)
	require.NoError(r, err)
	token, err := r.sim.Token()
	require.NoError(r, err)
	q.Header.Set("Authorization", "Bearer "+token)
	response, err := r.sim.Client().Do(q)
	require.NoError(r, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(r, err)
	return string(raw)
}
