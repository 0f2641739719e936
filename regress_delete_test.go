package azure

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF14ParallelDeletesConflict: deletions beside each other were refused, and
// instances were left (kubernetes/autoscaler#3284, Azure/azure-cli#15765).
func TestF14ParallelDeletesConflict(t *testing.T) {
	t.Parallel()
	config := armsim.Config{ParallelWrites: armsim.ParallelConflict, Delete: armsim.Duration{Median: time.Minute}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 8}, func(s *scene) {
		s.settle(8)
		mark := s.mark()
		victims, _ := s.victims(6)
		for _, v := range victims {
			v.Delete()
			time.Sleep(5 * time.Second)
		}
		s.settle(2)
		posts := s.calls(mark, deleteBatch)
		assert.Zero(s.t, s.out.count("decreasing instances: err"), "that is no error")
		assert.True(s.t, slices.ContainsFunc(posts, func(e armsim.Entry) bool { return e.Status == http.StatusConflict }))
		assert.LessOrEqual(s.t, len(posts), 14)
	})
}

// TestF14ConflictMeetsTheWholeBatch: a conflict is with the scale set, so that
// to refuse a batch says nothing of its instances.
func TestF14ConflictMeetsTheWholeBatch(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 8}, func(s *scene) {
		s.settle(8)
		conflict := refusal("another operation runs", deleteBatch, http.StatusConflict, 0, false)
		conflict.For = armsim.Span(2 * time.Minute)
		s.fault(conflict)
		mark := s.mark()
		victims, _ := s.victims(6)
		for _, v := range victims {
			v.Delete()
		}
		s.settle(2)
		posts := s.calls(mark, deleteBatch)
		assert.LessOrEqual(s.t, len(posts), 7)
		assert.False(s.t, slices.ContainsFunc(posts, func(e armsim.Entry) bool { return victimsOf(e) < 6 }), "merged, and never less than all")
	})
}

// victimsOf is how many instances a request deletes.
func victimsOf(e armsim.Entry) int {
	body, _ := e.Body.(map[string]any)
	ids, _ := body["instanceIds"].([]any)
	return len(ids)
}

// TestF15DeleteSuperseded: a later operation took the place of a deletion
// (kubernetes/autoscaler#9505).
func TestF15DeleteSuperseded(t *testing.T) {
	t.Parallel()
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Delete: armsim.Duration{Median: time.Minute}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		victims, names := s.victims(3)
		victims[0].Delete()
		victims[1].Delete()
		time.Sleep(10 * time.Second)
		require.False(s.t, s.exists(victims[0].ID()) && s.find(victims[0].ID()).ProvisioningState != "Deleting")
		mark := s.mark()
		s.watch.hurt(names[2])
		require.NoError(s.t, s.sim.Remove(names[2])) // somebody else supersedes it
		s.wait("not sent again", time.Minute, func() error { return missingUnless(len(s.calls(mark, deleteBatch)) > 0) })
		s.wait("not deleted", 5*time.Minute, func() error {
			return missingUnless(!s.exists(victims[0].ID()) && !s.exists(victims[1].ID()))
		})
	})
}

// TestF15OwnDeleteSuperseded is the same for a deletion that nobody asked for:
// that of a dead instance.
func TestF15OwnDeleteSuperseded(t *testing.T) {
	t.Parallel()
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Delete: armsim.Duration{Median: time.Minute}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		mark := s.mark()
		_, names := s.victims(2)
		s.watch.hurt(names[0])
		require.NoError(s.t, s.sim.Kill(names[0]))
		s.wait("the dead is not deleted", 5*time.Minute, func() error { return missingUnless(len(s.calls(mark, deleteBatch)) > 0) })
		time.Sleep(10 * time.Second)
		mark = s.mark()
		s.watch.hurt(names[1])
		require.NoError(s.t, s.sim.Remove(names[1]))
		s.wait("not sent again", time.Minute, func() error { return missingUnless(len(s.calls(mark, deleteBatch)) > 0) })
		s.wait("not gone", 5*time.Minute, func() error {
			return missingUnless(!slices.ContainsFunc(s.sim.Instances(), func(i armsim.InstanceInfo) bool { return i.Name == names[0] }))
		})
	})
}

// TestF15ManyVictimsAtOnce: deletions one by one superseded each other, which
// took half an hour (Azure/AKS#4413).
func TestF15ManyVictimsAtOnce(t *testing.T) {
	t.Parallel()
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Boot: armsim.Duration{Median: 5 * time.Second}, Delete: armsim.Duration{Median: 5 * time.Second}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 100}, func(s *scene) {
		s.settle(100)
		mark := s.mark()
		for _, i := range s.running() {
			i.Delete()
		}
		s.settle(0)
		assert.LessOrEqual(s.t, len(s.calls(mark, deleteBatch)), 2)
	})
}

// TestF16OneUnknownIDFailsTheBatch: Azure refuses a whole deletion for one ID
// that is not there any more (microsoft/onefuzz#1712,
// hashicorp/nomad-autoscaler#477).
func TestF16OneUnknownIDFailsTheBatch(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"before the plugin's list": 0, "after it": 5 * time.Second, "long before": 50 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBothModes(t, armsim.Config{Delete: armsim.Duration{Median: 20 * time.Second}}, armsim.ScaleSetSpec{Capacity: 4}, func(s *scene) {
				s.settle(4)
				s.playF16(name == "after it", wait)
			})
		})
	}
}

func (s *scene) playF16(after bool, wait time.Duration) {
	victims, names := s.victims(3)
	if after {
		ask := "VirtualMachineScaleSetVMs_Get"
		if s.mode() == "Flexible" {
			ask = "VirtualMachines_Get"
		}
		late := fate("the answer is of before", ask, armsim.Effect{Delay: armsim.Span(10 * time.Second)})
		late.Times = len(victims)
		s.fault(late)
	}
	mark := s.mark()
	remove := func() {
		s.watch.hurt(names[1])
		require.NoError(s.t, s.sim.Remove(names[1]))
		time.Sleep(wait)
	}
	if !after {
		remove()
	}
	for _, v := range victims {
		v.Delete()
	}
	if after {
		time.Sleep(wait)
		remove()
	}
	s.settle(1)
	assert.LessOrEqual(s.t, len(s.calls(mark, deleteBatch)), 3)
}

// TestF17WrongInstanceByReusedNumber: Azure may give the number of a deleted
// instance to a new one (learn.microsoft.com, "Understand instance IDs";
// kubernetes/kubernetes#93287). Names of a Flexible set's instances are not
// used again.
func TestF17WrongInstanceByReusedNumber(t *testing.T) {
	t.Parallel()
	config := armsim.Config{Delete: armsim.Duration{Median: 5 * time.Second}}
	config.Unknowns.NumbersReused = true
	inBubble(t, config, armsim.ScaleSetSpec{Capacity: 4}, func(s *scene) {
		s.settle(4)
		s.wait("no update", 2*time.Minute, func() error { return missingUnless(len(s.calls(s.mark()-1, anyListOfUniform)) > 0) })
		victims, names := s.victims(1)
		old := victims[0].ID()
		s.watch.hurt(names[0])
		require.NoError(s.t, s.sim.Remove(names[0]))
		time.Sleep(6 * time.Second)
		require.NoError(s.t, s.sim.Raise(scaleSetName, 1))
		mark := s.mark()
		n := slices.IndexFunc(s.sim.Instances(), func(i armsim.InstanceInfo) bool { return i.Name == names[0] })
		require.GreaterOrEqual(s.t, n, 0, "the number is used again")
		successor := idOf(s.sim.Instances()[n])
		victims[0].Delete()
		s.settle(4)
		assert.Empty(s.t, s.calls(mark, deleteBatch))
		assert.False(s.t, s.knows(old))
		assert.True(s.t, s.exists(successor))
		assert.True(s.t, strings.HasPrefix(successor, strings.ToLower(names[0])), fmt.Sprint(successor))
	})
}

const anyListOfUniform = "VirtualMachineScaleSetVMs_List"
