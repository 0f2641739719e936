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
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		lag := fate("lists lag at times", anyList, armsim.Effect{Stale: armsim.Span(90 * time.Second)})
		lag.Probability = 0.5
		s.fault(lag, refusal("no increase", updateSet, http.StatusForbidden, 0, false))
		s.provisioner.Request(1) // lists are frequent while it waits
		time.Sleep(2 * time.Minute)
		victim := s.running()[0]
		victim.Delete()
		s.never(victim.ID(), 5*time.Minute)
		s.sim.ClearFaults()
		s.settle(3)
	})
}

// TestF19AcceptedAndNothingHappens: what still exists long after is deleted
// again, and nobody hears of it meanwhile.
func TestF19AcceptedAndNothingHappens(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		void := fate("accepted, and no more", deleteBatch, armsim.Effect{Error: &armsim.ErrorAnswer{Status: http.StatusAccepted, Body: "{}"}})
		void.Times = 1
		s.fault(void)
		mark := s.mark()
		victim := s.running()[0]
		victim.Delete()
		s.never(victim.ID(), 12*time.Minute)
		s.settle(2)
		posts := s.calls(mark, deleteBatch)
		require.Len(s.t, posts, 2)
		assert.InDelta(s.t, 10*time.Minute, posts[1].Time.Sub(posts[0].Time), float64(time.Minute))
	})
}

// never watches that a deleted instance is not running again to the runner, and
// does not come back once it went.
func (s *scene) never(id string, limit time.Duration) {
	s.t.Helper()
	deleting, gone := false, false
	for begun := time.Now(); time.Since(begun) < limit; time.Sleep(time.Second) {
		state := ""
		for _, i := range s.provisioner.Instances() {
			if i.ID() == id {
				state = string(i.State())
			}
		}
		deleting = deleting || state != "running"
		require.False(s.t, deleting && state != "" && state != "deleting" || gone && state != "", state)
		gone = deleting && state == ""
	}
	require.True(s.t, deleting)
}

// TestF20StuckDeleting: an instance hangs in its deletion
// (gardener/machine-controller-manager#810, Azure/karpenter-provider-azure#1003).
// The plugin never forces one.
func TestF20StuckDeleting(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		mark, _ := s.stick()
		s.provisioner.Request(1) // all else goes on
		time.Sleep(4 * time.Minute)
		assert.Len(s.t, s.running(), 3)
		assert.Len(s.t, s.calls(mark, deleteBatch), 1)
		assert.Equal(s.t, 4, s.sim.Stats().Created, "nothing in its place")
		s.sim.ClearFaults()
		s.settle(3)
	})
}

// TestF20OthersAreDeleted beside the one that is sent again, after half an hour.
func TestF20OthersAreDeleted(t *testing.T) {
	t.Parallel()
	inBubble(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		_, victims := s.stick()
		time.Sleep(30 * time.Minute)
		victims[1].Delete()
		s.wait("another deletion suffers", 10*time.Minute, func() error { return missingUnless(!s.exists(victims[1].ID())) })
		s.sim.ClearFaults()
		s.settle(1)
	})
}

// stick lets a deletion hang, and begins it.
func (s *scene) stick() (mark int, victims []fleeting.Instance) {
	stuck := fate("stuck", "instance.delete", armsim.Effect{Stuck: true})
	stuck.Times = 1
	s.fault(stuck)
	mark = s.mark()
	victims, _ = s.victims(2)
	victims[0].Delete()
	time.Sleep(5 * time.Minute)
	return mark, victims
}

// TestF20StuckForAnHour: it is tried again seldom, and somebody is told.
func TestF20StuckForAnHour(t *testing.T) {
	t.Parallel()
	inBubble(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		mark, victims := s.stick()
		time.Sleep(time.Hour)
		assert.LessOrEqual(s.t, len(s.calls(mark, deleteBatch)), 12)
		assert.NotZero(s.t, s.out.count("[WARN]", victims[0].ID()))
		s.sim.ClearFaults()
		s.settle(2)
	})
}

// TestF21SetDeletedUnderThePlugin: a scale set that is gone ended the process
// (kubernetes/autoscaler#5526, #6928), and one marked for deletion refuses
// changes (microsoft/onefuzz#511).
func TestF21SetDeletedUnderThePlugin(t *testing.T) {
	t.Parallel()
	config := armsim.Config{Delete: armsim.Duration{Median: 2 * time.Minute}}
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		old := s.ids()
		for _, i := range s.sim.Instances() {
			s.watch.hurt(i.Name)
		}
		s.foreign(http.MethodDelete, s.sim.ScaleSetPath(scaleSetName), struct{}{})
		time.Sleep(30 * time.Second)
		s.provisioner.Request(2)
		time.Sleep(time.Minute)
		assert.NotZero(s.t, s.out.count("increasing instances failure", "marked for deletion"), "%s", s.out)
		time.Sleep(4 * time.Minute)
		mark := s.mark()
		time.Sleep(10 * time.Minute)
		assert.NotZero(s.t, s.out.count("[ERROR]", `scale set \"ci\"`), "the error names the set")
		assert.LessOrEqual(s.t, len(s.calls(mark, "")), 310, "no busy loop")
		spec := armsim.ScaleSetSpec{Name: scaleSetName, AdminPassword: "Not-a-real-1", Capacity: 1, OrchestrationMode: s.mode()}
		_, err := s.sim.CreateScaleSet(s.t.Context(), spec)
		require.NoError(s.t, err)
		s.settle(3) // one of its own and the two that were asked for
		for _, id := range old {
			assert.False(s.t, s.knows(id))
		}
	})
}

// mode is the scale set's orchestration mode.
func (s *scene) mode() string { return s.plugin.group.ScaleSet().OrchestrationMode }

// TestF17SetCreatedAgain: the numbers begin at 0 again, and the runner's old
// instances are none of the new ones.
func TestF17SetCreatedAgain(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{Delete: armsim.Duration{Median: 5 * time.Second}}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		old := s.running()
		for _, i := range s.sim.Instances() {
			s.watch.hurt(i.Name)
		}
		mode := s.mode()
		s.foreign(http.MethodDelete, s.sim.ScaleSetPath(scaleSetName), struct{}{})
		time.Sleep(10 * time.Second)
		_, err := s.sim.CreateScaleSet(s.t.Context(), armsim.ScaleSetSpec{Name: scaleSetName, AdminPassword: "Not-a-real-1", Capacity: 3, OrchestrationMode: mode})
		require.NoError(s.t, err)
		mark := s.mark()
		for _, i := range old {
			i.Delete()
		}
		s.settle(3)
		assert.Empty(s.t, s.calls(mark, deleteBatch))
		for _, i := range old {
			assert.False(s.t, s.knows(i.ID()))
		}
	})
}

// TestF22Orphans: network interfaces, addresses and disks were left behind by
// creations and deletions that failed (Azure/karpenter-provider-azure#67, #92,
// jenkinsci/azure-vm-agents-plugin#401). With an instance of a scale set go all
// that are its own, if only it is deleted itself.
func TestF22Orphans(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{PublicAddress: true}, func(s *scene) {
		for _, f := range []armsim.Fault{
			fate("creations fail", "instance.create", armsim.Effect{Fail: noCapacity}),
			fate("deletions fail", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
		} {
			f.Probability = 0.1
			s.fault(f)
		}
		m := model{bubble: s.bubble}
		for range 5 {
			s.provisioner.Request(5)
			time.Sleep(2 * time.Minute)
			m.finish(5)
		}
		s.sim.ClearFaults()
		require.NoError(s.t, m.until("something is left", m.empty))
		assert.Zero(s.t, s.sim.Stats().Addresses)
		assert.GreaterOrEqual(s.t, s.sim.Stats().Created, 20)
	})
}

// TestF22DetachedResources: a Flexible set whose model detaches interfaces or
// disks leaves them behind with each instance.
func TestF22DetachedResources(t *testing.T) {
	t.Parallel()
	spec := armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Change: func(model map[string]any) {
		profile := model["properties"].(map[string]any)["virtualMachineProfile"].(map[string]any)
		nics := profile["networkProfile"].(map[string]any)["networkInterfaceConfigurations"].([]any)
		nics[0].(map[string]any)["properties"].(map[string]any)["deleteOption"] = "Detach"
		profile["storageProfile"].(map[string]any)["osDisk"] = map[string]any{"createOption": "FromImage", "deleteOption": "Detach"}
	}}
	inScene(t, armsim.Config{}, spec, func(s *scene) {
		if err := s.start(); err == nil {
			assert.NotZero(s.t, s.out.count("[WARN]", "deleteOption"))
		}
	})
}

// TestF23Protection: protection from scale-in does not stop a deletion by ID
// (learn.microsoft.com, "Instance protection"; microsoft/onefuzz#1719).
func TestF23Protection(t *testing.T) {
	t.Parallel()
	inBubble(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 2}, func(s *scene) {
		s.settle(2)
		victim := s.running()[0]
		policy := map[string]any{"protectFromScaleIn": true, "protectFromScaleSetActions": true}
		s.foreign(http.MethodPut, s.sim.ScaleSetPath(scaleSetName)+"/virtualMachines/"+s.find(victim.ID()).InstanceID,
			map[string]any{"properties": map[string]any{"protectionPolicy": policy}})
		time.Sleep(time.Minute)
		victim.Delete()
		s.settle(1)
		assert.False(s.t, s.exists(victim.ID()))
	})
}

// TestF23LocksAndRights: a lock or a missing right refuses changes for as long
// as nobody takes it away, and nothing counts as done meanwhile.
func TestF23LocksAndRights(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"ScopeLocked": http.StatusConflict, "AuthorizationFailed": http.StatusForbidden} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
				s.settle(3)
				no := &armsim.ErrorAnswer{Status: status, Code: code, Message: "It is not allowed."}
				s.fault(fate("no deletions", deleteBatch, armsim.Effect{Error: no}), fate("no updates", updateSet, armsim.Effect{Error: no}))
				s.playF23(code)
			})
		})
	}
}

func (s *scene) playF23(code string) {
	mark := s.mark()
	victim := s.running()[0]
	victim.Delete()
	s.provisioner.Request(1)
	time.Sleep(4 * time.Minute)
	assert.True(s.t, s.knows(victim.ID()), "it is not deleted")
	assert.Equal(s.t, 3, s.sim.Stats().Running)
	assert.Equal(s.t, 1, s.provisioner.Capacity().Requested)
	assert.Zero(s.t, s.provisioner.Capacity().Pending)
	for _, operation := range []string{deleteBatch, updateSet} {
		calls := s.calls(mark, operation)
		assert.LessOrEqual(s.t, len(calls), 10, operation)
		assert.False(s.t, slices.ContainsFunc(calls, func(e armsim.Entry) bool { return e.Status < 300 }))
	}
	assert.Equal(s.t, 1, s.out.count("[ERROR] decreasing instances", code))
	assert.Equal(s.t, 1, s.out.count("increasing instances failure", code))
	s.sim.ClearFaults()
	s.settle(3)
	assert.False(s.t, s.exists(victim.ID()))
}
