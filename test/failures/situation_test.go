package failures_test

import (
	"encoding/json"
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

// TestUndeletableInstance: one dead instance whose deletion Azure refuses delays no
// other. Updates take six seconds.
func TestUndeletableInstance(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 31}}, func(r *rig.Rig) {
		all := r.AwaitFleet(31)
		dead := r.NameOf(all[0])
		r.Inject(
			armsim.Fault{Operation: "instance.delete", Object: dead, Effect: armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}},
			faults.WithEffect("slow lists", faults.AnyList, armsim.Effect{Delay: armsim.Span(6 * time.Second)}),
		)
		r.Disrupt(dead, r.Sim.Kill)
		time.Sleep(time.Minute)
		longest := time.Duration(0)
		for _, i := range all[1:] {
			begun := time.Now()
			i.Delete()
			r.Await(10*time.Minute, "deletion", func() bool { return r.Find(i.ID()).ProvisioningState != "Succeeded" })
			longest = max(longest, time.Since(begun))
		}
		assert.LessOrEqual(r, longest, time.Minute)
		r.Sim.ClearFaults()
		r.AwaitFleet(0)
	})
}

// TestDeletionsWhileListsAreThrottled: a neighbour's requests close the lists for
// twenty minutes. More than 16 deletions waited for them.
func TestDeletionsWhileListsAreThrottled(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 40}}, func(r *rig.Rig) {
		all := r.AwaitFleet(40)
		r.Invariants.AllowThrottling()
		r.Inject(faults.For(faults.Refusal("a neighbour", faults.AnyList, http.StatusTooManyRequests, 1200, false), 20*time.Minute))
		time.Sleep(time.Minute)
		for _, i := range all {
			i.Delete()
		}
		r.Await(3*time.Minute, "all are deleted", func() bool { return r.Sim.Stats().Capacity == 0 })
		r.AwaitFleet(0)
	})
}

// TestSomeStartsFail: of many instances one in five never comes up. The pauses that
// follow are short.
func TestSomeStartsFail(t *testing.T) {
	rig.Run(t, rig.Setup{MaxInstances: 300}, func(r *rig.Rig) {
		r.Inject(armsim.Fault{Operation: "instance.create", Probability: 0.2, Effect: armsim.Effect{Fail: faults.AllocationFailed}})
		begun := time.Now()
		r.Await(30*time.Minute, "demand is met", func() bool { r.RequestUpTo(100); return len(r.Running()) >= 100 })
		assert.LessOrEqual(r, time.Since(begun), 10*time.Minute)
	})
}

// TestLossAmongIncreases: demand grows every 15 seconds while operations take minutes,
// and of the second increase one instance is never made. Nobody was told. In Uniform
// orchestration the next increase makes up for it.
func TestLossAmongIncreases(t *testing.T) {
	slow := armsim.Config{Boot: armsim.Duration{Median: 4 * time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: slow}, func(r *rig.Rig) {
		r.Inject(faults.NeverMade(7, 1))
		for range 5 {
			r.Provisioner.Request(5)
			time.Sleep(15 * time.Second)
		}
		r.Await(20*time.Minute, "the loss is made good", func() bool { r.RequestUpTo(25); return len(r.Running()) == 25 })
		assert.Equal(r, 25, r.Sim.Stats().Created)
		if r.Flexible {
			assert.Equal(r, 1, r.Output.Count("[ERROR]", "1 that Azure accepted are in no list"), "%s", r.Output)
		}
	})
}

// TestRestartBesideAnUpdateOfAzure: an instance that Azure is changing keeps its job
// when the plugin starts. Told as being created, it lost the runner's saved state.
func TestRestartBesideAnUpdateOfAzure(t *testing.T) {
	updating := func(under http.RoundTripper) http.RoundTripper {
		return rig.RewriteResponses(rig.ReadsInstances, func(body map[string]any) {
			rig.EachInstance(body, func(instance map[string]any) {
				if p, ok := instance["properties"].(map[string]any); ok && p["provisioningState"] == "Succeeded" {
					p["provisioningState"] = "Updating"
				}
			})
		})(under)
	}
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}, Middleware: updating, NotStarted: true}, func(r *rig.Rig) {
		time.Sleep(5 * time.Minute) // it has run for long
		require.NoError(r, r.Start())
		first := map[string]provider.State{}
		require.NoError(r, r.NewPlugin().Update(r.Context(), func(id string, state provider.State) {
			if _, told := first[id]; !told {
				first[id] = state
			}
		}))
		for id, state := range first {
			assert.Equal(r, provider.StateRunning, state, id)
		}
		assert.Len(r, first, 1)
	})
}

// TestDemandBesideDeletions: where the capacity falls late, and the scale set does not
// say Updating, what is on its way out must not be taken for unfilled capacity.
func TestDemandBesideDeletions(t *testing.T) {
	config := armsim.Config{Delete: armsim.Duration{Median: 5 * time.Minute}}
	config.Unknowns.CapacityFallsUnseen = true
	rig.RunBothModes(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 6}}, func(r *rig.Rig) {
		all := r.AwaitFleet(6)
		for _, i := range all[:5] {
			i.Delete()
		}
		time.Sleep(30 * time.Second)
		r.Provisioner.Request(5)
		r.Await(3*time.Minute, "demand is met beside deletions", func() bool { return len(r.Running()) == 6 })
	})
}

// TestGoneIsInvalid: GET of an instance that is gone may be answered with 400
// InvalidParameter. Then each Update failed for good.
func TestGoneIsInvalid(t *testing.T) {
	config := armsim.Config{}
	config.Unknowns.GoneIsInvalidParameter = true
	rig.Run(t, rig.Setup{Config: config, Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		all := r.AwaitFleet(3)
		r.Disrupt(r.NameOf(all[0]), r.Sim.Remove)
		r.AwaitFleet(2)
		r.ScaleOut(1)
	})
}

// TestTagWrittenBack: infrastructure as code restores the tag of a manager that this
// one has replaced, and everything was refused until a restart.
func TestTagWrittenBack(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		old := tagOf(r)
		r.Crash()
		require.NoError(r, r.Restart())
		r.ScaleOut(1)
		time.Sleep(5 * time.Minute)
		require.NoError(r, r.Sim.Tag(rig.ScaleSetName, ownerTag, old))
		r.ScaleOut(2)
		assert.NotZero(r, r.Output.Count("[WARN]", "tag"), "%s", r.Output)
	})
}

// tagOf is the tag that names the scale set's manager.
func tagOf(r *rig.Rig) string {
	r.Helper()
	var set struct{ Tags map[string]string }
	require.NoError(r, json.Unmarshal([]byte(r.ScaleSet()), &set))
	require.NotEmpty(r, set.Tags[ownerTag])
	return set.Tags[ownerTag]
}

// TestLossAndThenNothing: where the last instances go while one is unaccounted for, the
// list is empty, and rightly so. Demand must be met all the same.
func TestLossAndThenNothing(t *testing.T) {
	slow := armsim.Config{Boot: armsim.Duration{Median: 3 * time.Minute}}
	rig.RunBothModes(t, rig.Setup{Config: slow}, func(r *rig.Rig) {
		r.Inject(faults.NeverMade(1, 1))
		for range 2 {
			r.Provisioner.Request(2)
			time.Sleep(30 * time.Second)
		}
		r.Await(10*time.Minute, "they run", func() bool { return len(r.Running()) >= 3 })
		for _, i := range r.Running() {
			i.Delete()
		}
		time.Sleep(5 * time.Minute)
		r.Await(20*time.Minute, "demand is met", func() bool { r.RequestUpTo(3); return len(r.Running()) >= 3 })
	})
}

// TestSlowPages: a list takes longer than any deadline that spans it whole. It failed
// for ever, and nothing could be deleted.
func TestSlowPages(t *testing.T) {
	config := armsim.Config{PageSize: 10}
	rig.RunBothModes(t, rig.Setup{Config: config, MaxInstances: 200}, func(r *rig.Rig) {
		r.Inject(faults.WithEffect("slow pages", faults.AnyList, armsim.Effect{Delay: armsim.Span(4 * time.Second)}))
		r.Provisioner.Request(200)
		r.Await(20*time.Minute, "they run", func() bool { return len(r.Running()) == 200 })
		for _, i := range r.Running() {
			i.Delete()
		}
		r.Await(20*time.Minute, "all are gone", func() bool { return r.Sim.Stats().Instances == 0 && len(r.Provisioner.Instances()) == 0 })
	})
}
