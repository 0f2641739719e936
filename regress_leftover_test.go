package azure

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF19AcceptedButStillListed: a list shows a deleted instance for a while, as
// if nothing had happened (Azure/azure-sdk-for-net#36946).
func TestF19AcceptedButStillListed(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		victim := r.fleet(3)[0]
		lag := fate("lists lag at times", anyList, armsim.Effect{Stale: armsim.Span(90 * time.Second)})
		lag.Probability = 0.5
		r.fault(lag, refusal("no increase", updateSet, http.StatusForbidden, 0, false))
		r.provisioner.Request(1) // lists are frequent while it waits
		time.Sleep(2 * time.Minute)
		victim.Delete()
		r.never(victim.ID(), 5*time.Minute)
		r.sim.ClearFaults()
		r.fleet(3)
	})
}

// TestF19AcceptedAndNothingHappens: what still exists long after is deleted
// again, and nobody hears of it meanwhile.
func TestF19AcceptedAndNothingHappens(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		victim := r.fleet(3)[0]
		r.fault(rigTimes(fate("accepted, and no more", deleteBatch, armsim.Effect{Error: &armsim.ErrorAnswer{Status: http.StatusAccepted, Body: "{}"}}), 1))
		mark := r.mark()
		victim.Delete()
		r.never(victim.ID(), 12*time.Minute)
		r.fleet(2)
		posts := r.since(mark, deleteBatch)
		require.Len(r, posts, 2)
		assert.InDelta(r, 10*time.Minute, posts[1].Time.Sub(posts[0].Time), float64(time.Minute))
	})
}

// never watches that a deleted instance is not running again to the runner, and
// does not come back once it went.
func (r *rig) never(id string, limit time.Duration) {
	r.Helper()
	deleting, gone := false, false
	for begun := time.Now(); time.Since(begun) < limit; time.Sleep(time.Second) {
		state := ""
		for _, i := range r.provisioner.Instances() {
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
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		mark := r.stick(r.fleet(3)[0])
		r.provisioner.Request(1) // all else goes on
		time.Sleep(4 * time.Minute)
		assert.Len(r, r.running(), 3)
		assert.Len(r, r.since(mark, deleteBatch), 1)
		assert.Equal(r, 4, r.sim.Stats().Created, "nothing in its place")
		r.sim.ClearFaults()
		r.fleet(3)
	})
}

// TestF20OthersAreDeleted beside the one that is sent again, after half an hour.
func TestF20OthersAreDeleted(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		victims := r.fleet(3)
		r.stick(victims[0])
		time.Sleep(30 * time.Minute)
		victims[1].Delete()
		r.await(10*time.Minute, "another deletion suffers", func() bool { return !r.exists(victims[1].ID()) })
		r.sim.ClearFaults()
		r.fleet(1)
	})
}

// stick lets a deletion hang, and begins it.
func (r *rig) stick(victim fleeting.Instance) (mark int) {
	r.fault(rigTimes(fate("stuck", "instance.delete", armsim.Effect{Stuck: true}), 1))
	mark = r.mark()
	victim.Delete()
	time.Sleep(5 * time.Minute)
	return mark
}

// TestF20StuckForAnHour: it is tried again seldom, and somebody is told.
func TestF20StuckForAnHour(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		victim := r.fleet(3)[0]
		mark := r.stick(victim)
		time.Sleep(time.Hour)
		assert.LessOrEqual(r, len(r.since(mark, deleteBatch)), 12)
		assert.NotZero(r, r.text.count("[WARN]", victim.ID()))
		r.sim.ClearFaults()
		r.fleet(2)
	})
}

// TestF21SetDeletedUnderThePlugin: a scale set that is gone ended the process
// (kubernetes/autoscaler#5526, #6928), and one marked for deletion refuses
// changes (microsoft/onefuzz#511).
func TestF21SetDeletedUnderThePlugin(t *testing.T) {
	config := armsim.Config{Delete: armsim.Duration{Median: 2 * time.Minute}}
	inBothModes(t, rigSetup{config: config, spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		old := r.fleet(3)
		r.dropSet()
		time.Sleep(30 * time.Second)
		r.provisioner.Request(2)
		time.Sleep(time.Minute)
		assert.NotZero(r, r.text.count("increasing instances failure", "marked for deletion"), "%s", r.text)
		time.Sleep(4 * time.Minute)
		mark := r.mark()
		time.Sleep(10 * time.Minute)
		assert.NotZero(r, r.text.count("[ERROR]", `scale set \"ci\"`), "the error names the set")
		assert.LessOrEqual(r, len(r.since(mark, "*")), 310, "no busy loop")
		r.makeSet(1)
		r.fleet(3) // one of its own and the two that were asked for
		for _, i := range old {
			assert.False(r, r.knows(i.ID()))
		}
	})
}

// TestF17SetCreatedAgain: the numbers begin at 0 again, and the runner's old
// instances are none of the new ones.
func TestF17SetCreatedAgain(t *testing.T) {
	inBothModes(t, rigSetup{config: armsim.Config{Delete: armsim.Duration{Median: 5 * time.Second}}, spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		old := r.fleet(3)
		r.dropSet()
		time.Sleep(10 * time.Second)
		r.makeSet(3)
		mark := r.mark()
		for _, i := range old {
			i.Delete()
		}
		r.fleet(3)
		assert.Empty(r, r.since(mark, deleteBatch))
		for _, i := range old {
			assert.False(r, r.knows(i.ID()))
		}
	})
}

// TestF22Orphans: network interfaces, addresses and disks were left behind by
// creations and deletions that failed (Azure/karpenter-provider-azure#67, #92,
// jenkinsci/azure-vm-agents-plugin#401). With an instance of a scale set go all
// that are its own, if only it is deleted itself.
func TestF22Orphans(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{PublicAddress: true}}, func(r *rig) {
		for _, f := range []armsim.Fault{
			fate("creations fail", "instance.create", armsim.Effect{Fail: noCapacity}),
			fate("deletions fail", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
		} {
			f.Probability = 0.1
			r.fault(f)
		}
		for range 5 {
			r.provisioner.Request(5)
			time.Sleep(2 * time.Minute)
			r.finish(5)
		}
		r.sim.ClearFaults()
		require.NoError(r, r.until("something is left", r.empty))
		assert.Zero(r, r.sim.Stats().Addresses)
		assert.GreaterOrEqual(r, r.sim.Stats().Created, 20)
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
	bubbled(t, rigSetup{spec: spec, asleep: true}, func(r *rig) {
		if err := r.start(); err == nil {
			assert.NotZero(r, r.text.count("[WARN]", "deleteOption"))
		}
	})
}

// TestF23Protection: protection from scale-in does not stop a deletion by ID
// (learn.microsoft.com, "Instance protection"; microsoft/onefuzz#1719).
func TestF23Protection(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig) {
		victim := r.fleet(2)[0]
		policy := map[string]any{"protectFromScaleIn": true, "protectFromScaleSetActions": true}
		r.foreign(http.MethodPut, r.sim.ScaleSetPath(scaleSetName)+"/virtualMachines/"+r.find(victim.ID()).InstanceID,
			map[string]any{"properties": map[string]any{"protectionPolicy": policy}})
		time.Sleep(time.Minute)
		victim.Delete()
		r.fleet(1)
		assert.False(r, r.exists(victim.ID()))
	})
}

// TestF23LocksAndRights: a lock or a missing right refuses changes for as long
// as nobody takes it away, and nothing counts as done meanwhile.
func TestF23LocksAndRights(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"ScopeLocked": http.StatusConflict, "AuthorizationFailed": http.StatusForbidden} {
		t.Run(code, func(t *testing.T) {
			inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
				victim := r.fleet(3)[0]
				no := &armsim.ErrorAnswer{Status: status, Code: code, Message: "It is not allowed."}
				r.fault(fate("no deletions", deleteBatch, armsim.Effect{Error: no}), fate("no updates", updateSet, armsim.Effect{Error: no}))
				r.playF23(victim, code)
			})
		})
	}
}

func (r *rig) playF23(victim fleeting.Instance, code string) {
	mark := r.mark()
	victim.Delete()
	r.provisioner.Request(1)
	time.Sleep(4 * time.Minute)
	assert.True(r, r.knows(victim.ID()), "it is not deleted")
	assert.Equal(r, 3, r.sim.Stats().Running)
	assert.Equal(r, 1, r.provisioner.Capacity().Requested)
	assert.Zero(r, r.provisioner.Capacity().Pending)
	for _, operation := range []string{deleteBatch, updateSet} {
		calls := r.since(mark, operation)
		assert.LessOrEqual(r, len(calls), 10, operation)
		assert.False(r, slices.ContainsFunc(calls, func(e armsim.Entry) bool { return e.Status < 300 }))
	}
	assert.Equal(r, 1, r.text.count("[ERROR] decreasing instances", code))
	assert.Equal(r, 1, r.text.count("increasing instances failure", code))
	r.sim.ClearFaults()
	r.fleet(3)
	assert.False(r, r.exists(victim.ID()))
}
