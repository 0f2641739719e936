package failures_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// unknownsOfSuspension are Azure's answers that nobody has recorded.
var unknownsOfSuspension = map[string]armsim.Unknowns{
	"as believed":           {},
	"no tags of instances":  {InstanceTagsRefused: true},
	"protection, widely":    {ProtectionCoversNamed: true},
	"tags are kept":         {InstanceTagsKept: true},
	"no protection":         {ProtectionRefused: true, InstanceTagsKept: true},
	"Flexible one by one":   {FlexibleBatchPowerRefused: true},
	"failed starts fail":    {FailedStartFailsInstance: true},
	"deallocated has quota": {DeallocatedKeepsQuota: true},
	"evicted are Failed":    {EvictionFailsInstance: true},
	"no models in the list": {ExpandedListWithoutModel: true},
}

// TestSuspendedOutlivesTheProcess: three are suspended, the plugin is killed, and the next
// one resumes them. They are never out of the runner's sight.
func TestSuspendedOutlivesTheProcess(t *testing.T) {
	for name, unknowns := range unknownsOfSuspension {
		t.Run(name, func(t *testing.T) {
			rig.RunBothModes(t, rig.Setup{Config: armsim.Config{Unknowns: unknowns}, Spec: armsim.ScaleSetSpec{Capacity: 4, PublicAddress: true}}, func(r *rig.Rig) {
				all := r.AwaitFleet(4)
				r.Suspend(3)
				r.AwaitSuspended(3, 1)
				assert.Equal(r, 4, r.Sim.Stats().Capacity)
				assert.Equal(r, 1, r.Sim.Stats().Running)
				time.Sleep(2 * time.Hour) // longer than any limit
				r.AwaitSuspended(3, 1)
				r.Crash()
				require.NoError(r, r.Restart())
				r.AwaitSuspended(3, 1)
				r.Resume(3)
				r.AwaitFleet(4)
				assert.Equal(r, 4, r.Sim.Stats().Created, "none was replaced")
				for _, i := range r.Running() {
					info, err := i.ConnectInfo(r.Context())
					require.NoError(r, err)
					assert.Equal(r, r.Find(i.ID()).PublicAddress, info.ExternalAddr, "read anew")
				}
				assert.Equal(r, rig.IDs(all), rig.IDs(r.Running()))
				require.NoError(r, r.Until("something is left", r.Empty))
			})
		})
	}
}

// TestSuspendedAmongTrouble: one is evicted while the others sleep, and the start of
// another is refused. Both are replaced, and the runner is told.
func TestSuspendedAmongTrouble(t *testing.T) {
	for name, f := range map[string]armsim.Fault{
		"later": {Operation: "instance.start", Times: 1, Effect: armsim.Effect{Fail: faults.AllocationFailed}},
		"at once": {Operation: "VirtualMachineScaleSets_Start", Effect: armsim.Effect{Error: &armsim.ErrorResponse{
			Status: http.StatusConflict, Code: "AllocationFailed", Message: faults.AllocationFailed.Message,
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := armsim.ScaleSetSpec{Capacity: 4, Priority: "Spot", EvictionPolicy: "Deallocate"}
			rig.RunBothModes(t, rig.Setup{Spec: spec}, func(r *rig.Rig) {
				all := r.AwaitFleet(4)
				r.Suspend(3)
				r.AwaitSuspended(3, 1)
				r.Disrupt(r.NameOf(all[3]), r.Sim.Evict)
				r.Crash()
				require.NoError(r, r.Restart())
				r.Await(10*time.Minute, "evicted", func() bool { return !r.Exists(all[3].ID()) })
				assert.Len(r, r.InState(provider.StateSuspended), 3, "those are not taken for evicted")
				r.Inject(f)
				_, err := r.Provisioner.Resume(r.Context(), []string{all[0].ID()})
				assert.Equal(r, name == "at once", err != nil, err)
				r.Await(10*time.Minute, "replaced", func() bool { return !r.Exists(all[0].ID()) && !r.Knows(all[0].ID()) })
				r.Sim.ClearFaults()
				r.Resume(2)
				r.Provisioner.Request(2)
				r.AwaitFleet(4)
				assert.Equal(r, 6, r.Sim.Stats().Created)
			})
		})
	}
}

// TestResumedIsEvicted: it has run since it was suspended, whatever its mark was.
func TestResumedIsEvicted(t *testing.T) {
	spec := armsim.ScaleSetSpec{Capacity: 2, Priority: "Spot", EvictionPolicy: "Deallocate"}
	rig.RunBothModes(t, rig.Setup{Spec: spec}, func(r *rig.Rig) {
		all := r.AwaitFleet(2)
		r.Suspend(1)
		r.AwaitSuspended(1, 1)
		r.Resume(1)
		r.AwaitFleet(2)
		time.Sleep(5 * time.Minute)
		r.Crash()
		r.Disrupt(r.NameOf(all[0]), r.Sim.Evict)
		time.Sleep(time.Minute)
		require.NoError(r, r.Restart())
		r.AwaitFleet(1)
		assert.False(r, r.Exists(all[0].ID()))
	})
}

// TestSuspendedAtShutdown: with delete_instances_on_shutdown the runner has all of them
// deleted.
func TestSuspendedAtShutdown(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		r.AwaitFleet(3)
		r.Suspend(2)
		r.AwaitSuspended(2, 1)
		for _, i := range r.Provisioner.Instances() {
			i.Delete()
		}
		ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
		defer cancel()
		r.Provisioner.Shutdown(ctx)
		r.Await(10*time.Minute, "all deleted", func() bool { return r.Sim.Stats().Instances == 0 })
		assert.Zero(r, r.Sim.Stats().Capacity)
	})
}

// TestSuspendedCount: they count in max_instances.
func TestSuspendedCount(t *testing.T) {
	rig.Run(t, rig.Setup{MaxInstances: 3, Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		r.AwaitFleet(3)
		r.Suspend(2)
		r.AwaitSuspended(2, 1)
		r.Provisioner.Request(1)
		time.Sleep(10 * time.Minute)
		assert.Len(r, r.Provisioner.Instances(), 3)
		assert.Equal(r, 3, r.Sim.Stats().Capacity)
	})
}

// TestSuspensionCosts: the requests for a hundred, in docs/reference/guarantees.md.
func TestSuspensionCosts(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 100}}, func(r *rig.Rig) {
		r.AwaitFleet(100)
		mark := r.Mark()
		r.Suspend(100)
		r.AwaitSuspended(100, 0)
		r.Resume(100)
		r.AwaitFleet(100)
		time.Sleep(15 * time.Minute)
		assert.Len(r, r.RequestsSince(mark, "VirtualMachineScaleSets_Deallocate"), 1)
		assert.Len(r, r.RequestsSince(mark, "VirtualMachineScaleSets_Start"), 1)
		marks := len(r.RequestsSince(mark, "VirtualMachineScaleSetVMs_Update")) + len(r.RequestsSince(mark, "VirtualMachines_Update"))
		assert.LessOrEqual(r, marks, 201, "one before, one after, and one that shows whether tags are kept")
	})
}

// TestHibernate: Flexible sets keep the memory, too.
func TestHibernate(t *testing.T) {
	spec := armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Capacity: 3, Change: func(model map[string]any) {
		model["properties"].(map[string]any)["additionalCapabilities"] = map[string]any{"hibernationEnabled": true}
	}}
	rig.Run(t, rig.Setup{Spec: spec, PluginConfig: map[string]any{"suspend_mode": "hibernate"}}, func(r *rig.Rig) {
		r.AwaitFleet(3)
		r.Suspend(2)
		r.AwaitSuspended(2, 1)
		hibernated := 0
		for _, i := range r.Sim.Instances() {
			if i.Hibernated {
				hibernated++
			}
		}
		assert.Equal(r, 2, hibernated)
		r.Crash()
		require.NoError(r, r.Restart())
		r.AwaitSuspended(2, 1)
		r.Resume(2)
		r.AwaitFleet(3)
	})
}
