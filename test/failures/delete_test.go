package failures_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestF14ParallelDeletesConflict: deletions beside each other were refused, and
// instances were left (kubernetes/autoscaler#3284, Azure/azure-cli#15765).
func TestF14ParallelDeletesConflict(t *testing.T) {
	config := armsim.Config{ParallelWrites: armsim.ParallelConflict, Delete: armsim.Duration{Median: time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 8}}, func(r *rig.Rig) {
		all := r.AwaitFleet(8)
		mark := r.Mark()
		for _, v := range all[:6] {
			v.Delete()
			time.Sleep(5 * time.Second)
		}
		r.AwaitFleet(2)
		posts := r.RequestsSince(mark, faults.DeleteInstances)
		assert.Zero(r, r.Output.Count("decreasing instances: err"), "that is no error")
		assert.True(r, slices.ContainsFunc(posts, func(e armsim.Entry) bool { return e.Status == http.StatusConflict }))
		assert.LessOrEqual(r, len(posts), 14)
	})
}

// TestF14ConflictMeetsTheWholeBatch: a conflict is with the scale set, so that
// to refuse a batch says nothing of its instances.
func TestF14ConflictMeetsTheWholeBatch(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 8}}, func(r *rig.Rig) {
		all := r.AwaitFleet(8)
		r.Inject(faults.For(faults.Refusal("another operation runs", faults.DeleteInstances, http.StatusConflict, 0, false), 2*time.Minute))
		mark := r.Mark()
		for _, v := range all[:6] {
			v.Delete()
		}
		r.AwaitFleet(2)
		posts := r.RequestsSince(mark, faults.DeleteInstances)
		assert.LessOrEqual(r, len(posts), 7)
		assert.False(r, slices.ContainsFunc(posts, func(e armsim.Entry) bool { return victimsOf(e) < 6 }), "merged, and never less than all")
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
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Delete: armsim.Duration{Median: time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		targets := r.AwaitFleet(5)[:3]
		targets[0].Delete()
		targets[1].Delete()
		time.Sleep(10 * time.Second)
		require.False(r, r.Exists(targets[0].ID()) && r.Find(targets[0].ID()).ProvisioningState != "Deleting")
		mark := r.Mark()
		r.Disrupt(r.NameOf(targets[2]), r.Sim.Remove) // somebody else supersedes it
		r.Await(time.Minute, "not sent again", func() bool { return len(r.RequestsSince(mark, faults.DeleteInstances)) > 0 })
		r.Await(5*time.Minute, "not deleted", func() bool { return !r.Exists(targets[0].ID()) && !r.Exists(targets[1].ID()) })
	})
}

// TestF15OwnDeleteSuperseded is the same for a deletion that nobody asked for:
// that of a dead instance.
func TestF15OwnDeleteSuperseded(t *testing.T) {
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Delete: armsim.Duration{Median: time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		targets := r.AwaitFleet(5)[:2]
		mark := r.Mark()
		r.Disrupt(r.NameOf(targets[0]), r.Sim.Kill)
		r.Await(5*time.Minute, "the dead is not deleted", func() bool { return len(r.RequestsSince(mark, faults.DeleteInstances)) > 0 })
		time.Sleep(10 * time.Second)
		mark = r.Mark()
		r.Disrupt(r.NameOf(targets[1]), r.Sim.Remove)
		r.Await(time.Minute, "not sent again", func() bool { return len(r.RequestsSince(mark, faults.DeleteInstances)) > 0 })
		r.Await(5*time.Minute, "not gone", func() bool { return !r.Exists(targets[0].ID()) })
	})
}

// TestF15ManyVictimsAtOnce: deletions one by one superseded each other, which
// took half an hour (Azure/AKS#4413).
func TestF15ManyVictimsAtOnce(t *testing.T) {
	config := armsim.Config{ParallelWrites: armsim.ParallelPreempt, Boot: armsim.Duration{Median: 5 * time.Second}, Delete: armsim.Duration{Median: 5 * time.Second}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 100}}, func(r *rig.Rig) {
		all := r.AwaitFleet(100)
		mark := r.Mark()
		for _, i := range all {
			i.Delete()
		}
		r.AwaitFleet(0)
		assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 2)
	})
}

// TestF16OneUnknownIDFailsTheBatch: Azure refuses a whole deletion for one ID
// that is not there any more (microsoft/onefuzz#1712,
// hashicorp/nomad-autoscaler#477).
func TestF16OneUnknownIDFailsTheBatch(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"before the plugin's list": 0, "after it": 5 * time.Second, "long before": 50 * time.Second} {
		t.Run(name, func(t *testing.T) {
			rig.RunBothModes(t, rig.Setup{Config: armsim.Config{Delete: armsim.Duration{Median: 20 * time.Second}}, Spec: armsim.ScaleSetSpec{Capacity: 4}}, func(r *rig.Rig) {
				playF16(r, r.AwaitFleet(4)[:3], name == "after it", wait)
			})
		})
	}
}

func playF16(r *rig.Rig, targets []fleeting.Instance, after bool, wait time.Duration) {
	if after {
		ask := "VirtualMachineScaleSetVMs_Get"
		if r.Flexible {
			ask = "VirtualMachines_Get"
		}
		r.Inject(faults.Times(faults.WithEffect("the answer is of before", ask, armsim.Effect{Delay: armsim.Span(10 * time.Second)}), len(targets)))
	}
	mark := r.Mark()
	remove := func() {
		r.Disrupt(r.NameOf(targets[1]), r.Sim.Remove)
		time.Sleep(wait)
	}
	if !after {
		remove()
	}
	for _, v := range targets {
		v.Delete()
	}
	if after {
		time.Sleep(wait)
		remove()
	}
	r.AwaitFleet(1)
	assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 3)
}

// TestF17WrongInstanceByReusedNumber: Azure may give the number of a deleted
// instance to a new one (learn.microsoft.com, "Understand instance IDs";
// kubernetes/kubernetes#93287). Names of a Flexible set's instances are not
// used again.
func TestF17WrongInstanceByReusedNumber(t *testing.T) {
	config := armsim.Config{Delete: armsim.Duration{Median: 5 * time.Second}}
	config.Unknowns.NumbersReused = true
	rig.Run(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 4}}, func(r *rig.Rig) {
		target := r.AwaitFleet(4)[0]
		r.Await(2*time.Minute, "no update", func() bool { return len(r.RequestsSince(r.Mark()-1, anyListOfUniform)) > 0 })
		name := r.NameOf(target)
		r.Disrupt(name, r.Sim.Remove)
		time.Sleep(6 * time.Second)
		require.NoError(r, r.Sim.Raise(rig.ScaleSetName, 1))
		mark := r.Mark()
		n := slices.IndexFunc(r.Sim.Instances(), func(i armsim.InstanceInfo) bool { return i.Name == name })
		require.GreaterOrEqual(r, n, 0, "the number is used again")
		successor := rig.InstanceID(r.Sim.Instances()[n])
		target.Delete()
		r.AwaitFleet(4)
		assert.Empty(r, r.RequestsSince(mark, faults.DeleteInstances))
		assert.False(r, r.Knows(target.ID()))
		assert.True(r, r.Exists(successor))
		assert.True(r, strings.HasPrefix(successor, strings.ToLower(name)), successor)
	})
}

const anyListOfUniform = "VirtualMachineScaleSetVMs_List"
