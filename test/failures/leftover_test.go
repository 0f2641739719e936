package failures_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestF19AcceptedButStillListed: a list shows a deleted instance for a while, as
// if nothing had happened (Azure/azure-sdk-for-net#36946).
func TestF19AcceptedButStillListed(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		target := r.AwaitFleet(3)[0]
		lag := faults.WithEffect("lists lag at times", faults.AnyList, armsim.Effect{Stale: armsim.Span(90 * time.Second)})
		lag.Probability = 0.5
		r.Inject(lag, faults.Refusal("no increase", faults.UpdateScaleSet, http.StatusForbidden, 0, false))
		r.Provisioner.Request(1) // lists are frequent while it waits
		time.Sleep(2 * time.Minute)
		target.Delete()
		never(r, target.ID(), 5*time.Minute)
		r.Sim.ClearFaults()
		r.AwaitFleet(3)
	})
}

// TestF19AcceptedAndNothingHappens: what still exists long after is deleted
// again, and nobody hears of it meanwhile.
func TestF19AcceptedAndNothingHappens(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		target := r.AwaitFleet(3)[0]
		r.Inject(faults.Times(faults.WithEffect("accepted, and nothing else", faults.DeleteInstances, armsim.Effect{Error: &armsim.ErrorResponse{Status: http.StatusAccepted, Body: "{}"}}), 1))
		mark := r.Mark()
		target.Delete()
		never(r, target.ID(), 12*time.Minute)
		r.AwaitFleet(2)
		posts := r.RequestsSince(mark, faults.DeleteInstances)
		require.Len(r, posts, 2)
		assert.InDelta(r, 10*time.Minute, posts[1].Time.Sub(posts[0].Time), float64(time.Minute))
	})
}

// never watches that a deleted instance is not running again to the runner, and
// does not come back once it went.
func never(r *rig.Rig, id string, limit time.Duration) {
	r.Helper()
	deleting, gone := false, false
	for begun := time.Now(); time.Since(begun) < limit; time.Sleep(time.Second) {
		state := ""
		for _, i := range r.Provisioner.Instances() {
			if i.ID() == id {
				state = string(i.State())
			}
		}
		deleting = deleting || state != "running"
		require.False(r, deleting && state != "" && state != "deleting" || gone && state != "", state)
		gone = deleting && state == ""
	}
	require.True(r, deleting)
}

// TestF20StuckDeleting: an instance hangs in its deletion
// (gardener/machine-controller-manager#810, Azure/karpenter-provider-azure#1003).
// The plugin never forces one.
func TestF20StuckDeleting(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		mark := stick(r, r.AwaitFleet(3)[0])
		r.Provisioner.Request(1) // all else goes on
		time.Sleep(4 * time.Minute)
		assert.Len(r, r.Running(), 3)
		assert.Len(r, r.RequestsSince(mark, faults.DeleteInstances), 1)
		assert.Equal(r, 4, r.Sim.Stats().Created, "nothing in its place")
		r.Sim.ClearFaults()
		r.AwaitFleet(3)
	})
}

// TestF20OthersAreDeleted beside the one that is sent again, after half an hour.
func TestF20OthersAreDeleted(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		targets := r.AwaitFleet(3)
		stick(r, targets[0])
		time.Sleep(30 * time.Minute)
		targets[1].Delete()
		r.Await(2*time.Minute, "another deletion suffers", func() bool { return !r.Exists(targets[1].ID()) })
		r.Sim.ClearFaults()
		r.AwaitFleet(1)
	})
}

// stick lets a deletion hang, and begins it.
func stick(r *rig.Rig, target fleeting.Instance) (mark int) {
	r.Inject(faults.Times(faults.WithEffect("stuck", "instance.delete", armsim.Effect{Stuck: true}), 1))
	mark = r.Mark()
	target.Delete()
	time.Sleep(5 * time.Minute)
	return mark
}

// TestF20StuckForAnHour: it is tried again seldom, and somebody is told.
func TestF20StuckForAnHour(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		target := r.AwaitFleet(3)[0]
		mark := stick(r, target)
		time.Sleep(time.Hour)
		assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 12)
		assert.NotZero(r, r.Output.Count("[WARN]", target.ID()))
		r.Sim.ClearFaults()
		r.AwaitFleet(2)
	})
}

// TestF21SetDeletedUnderThePlugin: a scale set that is gone ended the process
// (kubernetes/autoscaler#5526, #6928), and one marked for deletion refuses
// changes (microsoft/onefuzz#511).
func TestF21SetDeletedUnderThePlugin(t *testing.T) {
	config := armsim.Config{Delete: armsim.Duration{Median: 2 * time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		old := r.AwaitFleet(3)
		r.DeleteScaleSet()
		time.Sleep(30 * time.Second)
		r.Provisioner.Request(2)
		time.Sleep(time.Minute)
		assert.NotZero(r, r.Output.Count("increasing instances failure", "it is being deleted"), "%s", r.Output)
		time.Sleep(4 * time.Minute)
		mark := r.Mark()
		time.Sleep(10 * time.Minute)
		assert.NotZero(r, r.Output.Count("[ERROR]", `scale set \"ci\"`), "the error names the set")
		assert.LessOrEqual(r, len(r.RequestsSince(mark, "*")), 310, "no busy loop")
		r.CreateScaleSet(1)
		r.AwaitFleet(3) // one of its own and the two that were asked for
		for _, i := range old {
			assert.False(r, r.Knows(i.ID()))
		}
	})
}

// TestF17SetCreatedAgain: the numbers begin at 0 again, and the runner's old
// instances are none of the new ones.
func TestF17SetCreatedAgain(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Config: armsim.Config{Delete: armsim.Duration{Median: 5 * time.Second}}, Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		old := r.AwaitFleet(3)
		r.DeleteScaleSet()
		time.Sleep(10 * time.Second)
		r.CreateScaleSet(3)
		mark := r.Mark()
		for _, i := range old {
			i.Delete()
		}
		r.AwaitFleet(3)
		assert.Empty(r, r.RequestsSince(mark, faults.DeleteInstances))
		for _, i := range old {
			assert.False(r, r.Knows(i.ID()))
		}
	})
}

// TestF22Orphans: network interfaces, addresses and disks were left behind by
// creations and deletions that failed (Azure/karpenter-provider-azure#67, #92,
// jenkinsci/azure-vm-agents-plugin#401). With an instance of a scale set go all
// that are its own, if only it is deleted itself.
func TestF22Orphans(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{PublicAddress: true}}, func(r *rig.Rig) {
		for _, f := range []armsim.Fault{
			faults.WithEffect("creations fail", "instance.create", armsim.Effect{Fail: faults.AllocationFailed}),
			faults.WithEffect("deletions fail", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
		} {
			f.Probability = 0.1
			r.Inject(f)
		}
		for range 5 {
			r.Provisioner.Request(5)
			time.Sleep(2 * time.Minute)
			r.FinishJobs(5)
		}
		r.Sim.ClearFaults()
		require.NoError(r, r.Until("something is left", r.Empty))
		assert.Zero(r, r.Sim.Stats().Addresses)
		assert.GreaterOrEqual(r, r.Sim.Stats().Created, 20)
	})
}

// TestF22DetachedResources: a Flexible set whose model detaches interfaces or
// disks leaves them behind with each instance.
func TestF22DetachedResources(t *testing.T) {
	spec := armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Change: func(model map[string]any) {
		profile := model["properties"].(map[string]any)["virtualMachineProfile"].(map[string]any)
		nics := profile["networkProfile"].(map[string]any)["networkInterfaceConfigurations"].([]any)
		nics[0].(map[string]any)["properties"].(map[string]any)["deleteOption"] = "Detach"
		profile["storageProfile"].(map[string]any)["osDisk"] = map[string]any{"createOption": "FromImage", "deleteOption": "Detach"}
	}}
	rig.Run(t, rig.Setup{Spec: spec, NotStarted: true}, func(r *rig.Rig) {
		if err := r.Start(); err == nil {
			assert.NotZero(r, r.Output.Count("[WARN]", "deleteOption"))
		}
	})
}

// TestF23Protection: protection from scale-in does not stop a deletion by ID
// (learn.microsoft.com, "Instance protection"; microsoft/onefuzz#1719).
func TestF23Protection(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		target := r.AwaitFleet(2)[0]
		policy := map[string]any{"protectFromScaleIn": true, "protectFromScaleSetActions": true}
		r.ExternalRequest(http.MethodPut, r.Sim.ScaleSetPath(rig.ScaleSetName)+"/virtualMachines/"+r.Find(target.ID()).InstanceID,
			map[string]any{"properties": map[string]any{"protectionPolicy": policy}})
		time.Sleep(time.Minute)
		target.Delete()
		r.AwaitFleet(1)
		assert.False(r, r.Exists(target.ID()))
	})
}

// TestF23LocksAndRights: a lock or a missing right refuses changes for as long
// as nobody takes it away, and nothing counts as done meanwhile.
func TestF23LocksAndRights(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"ScopeLocked": http.StatusConflict, "AuthorizationFailed": http.StatusForbidden} {
		t.Run(code, func(t *testing.T) {
			rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
				target := r.AwaitFleet(3)[0]
				no := &armsim.ErrorResponse{Status: status, Code: code, Message: "It is not allowed."}
				r.Inject(faults.WithEffect("no deletions", faults.DeleteInstances, armsim.Effect{Error: no}), faults.WithEffect("no updates", faults.UpdateScaleSet, armsim.Effect{Error: no}))
				playF23(r, target, code)
			})
		})
	}
}

func playF23(r *rig.Rig, target fleeting.Instance, code string) {
	mark := r.Mark()
	target.Delete()
	r.Provisioner.Request(1)
	time.Sleep(4 * time.Minute)
	assert.True(r, r.Knows(target.ID()), "it is not deleted")
	assert.Equal(r, 3, r.Sim.Stats().Running)
	assert.Equal(r, 1, r.Provisioner.Capacity().Requested)
	assert.Zero(r, r.Provisioner.Capacity().Pending)
	for _, operation := range []string{faults.DeleteInstances, faults.UpdateScaleSet} {
		calls := r.RequestsSince(mark, operation)
		assert.LessOrEqual(r, len(calls), 10, operation)
		assert.False(r, slices.ContainsFunc(calls, func(e armsim.Entry) bool { return e.Status < 300 }))
	}
	assert.Equal(r, 1, r.Output.Count("[ERROR] decreasing instances", code))
	assert.Equal(r, 1, r.Output.Count("increasing instances failure", code))
	r.Sim.ClearFaults()
	r.AwaitFleet(3)
	assert.False(r, r.Exists(target.ID()))
}
