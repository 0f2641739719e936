package failures_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// reportedStates has Azure report other provisioning states than the true ones.
type reportedStates struct {
	mu     sync.Mutex
	states map[string]string // by name; "*" is all others
}

func (s *reportedStates) set(name, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[name] = state
}

func (s *reportedStates) middleware(under http.RoundTripper) http.RoundTripper {
	return rig.RewriteResponses(rig.ReadsInstances, func(body map[string]any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		rig.EachInstance(body, func(i map[string]any) {
			properties, _ := i["properties"].(map[string]any)
			state, ok := s.states[fmt.Sprint(i["name"])]
			if !ok {
				state = s.states["*"]
			}
			if state != "" && properties["provisioningState"] == "Succeeded" {
				properties["provisioningState"] = state
			}
		})
	})(under)
}

// kubernetes/autoscaler#5548: failed VMs kept their part of the capacity and were billed. But a
// VM may recover from it (kubernetes-sigs/cluster-api-provider-azure#5303), and
// one with a job says Failed when somebody's extension did.
func TestF30FailedKeepsItsSeat(t *testing.T) {
	failed := armsim.Fault{Operation: "instance.create", Effect: armsim.Effect{Fail: faults.AllocationFailed}}
	for name, c := range map[string]struct {
		told  string        // while it runs
		heals time.Duration // after which Azure says Succeeded
		fault *armsim.Fault
		left  int
	}{
		"failed and running":     {told: "Failed", left: 0},
		"failed without power":   {fault: &failed, left: 0},
		"failed, then succeeded": {told: "Failed", heals: 100 * time.Second, left: 2},
	} {
		t.Run(name, func(t *testing.T) {
			states := &reportedStates{states: map[string]string{}}
			rig.Run(t, rig.Setup{Middleware: states.middleware}, func(r *rig.Rig) {
				states.set("*", c.told)
				if c.fault != nil {
					r.Inject(*c.fault)
				}
				r.Provisioner.Request(2)
				if c.heals > 0 {
					time.Sleep(c.heals)
					states.set("*", "")
				}
				time.Sleep(4 * time.Minute)
				r.AwaitFleet(c.left)
				assert.Equal(r, c.left, r.Sim.Stats().Capacity)
				r.Sim.ClearFaults()
				states.set("*", "")
				time.Sleep(10 * time.Minute)
				r.Provisioner.Request(1)
				r.AwaitFleet(c.left + 1) // the capacity is free again
			})
		})
	}
}

// The same of an instance with a job, and of the scale set, whose Failed is no
// reason to rebuild it (cluster-api-provider-azure#3087).
func TestF30FailedWhileAJobRuns(t *testing.T) {
	states := &reportedStates{states: map[string]string{}}
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}, Middleware: states.middleware}, func(r *rig.Rig) {
		busy := r.AwaitFleet(3)
		states.set("*", "Failed")
		r.Inject(armsim.Fault{Operation: faults.UpdateScaleSet, Times: 1, Effect: armsim.Effect{FailOperation: faults.AllocationFailed}})
		r.Provisioner.Request(1) // after which the scale set is Failed
		time.Sleep(time.Hour)
		r.RequireRunning(busy)
		states.set("*", "")
		r.RequestUpTo(4)
		r.AwaitFleet(4)
		r.RequireRunning(busy)
	})
}

// Azure/custom-script-extension-linux#102: creations that never end.
// jenkinsci/azure-vm-agents-plugin#227, #481: they were never cleaned up, then
// with them VMs that had jobs.
func TestF31CreatingForEver(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		busy := r.AwaitFleet(2)
		r.Inject(armsim.Fault{Operation: "instance.create", Times: 1, Effect: armsim.Effect{Stuck: true}})
		r.Provisioner.Request(1)
		r.Await(time.Minute, "accepted", func() bool { return r.Sim.Stats().Instances == 3 })
		time.Sleep(20 * time.Minute) // Azure's own limit
		require.Len(r, r.Sim.Instances(), 3)
		time.Sleep(8 * time.Minute)
		r.AwaitFleet(2)
		mark := r.Mark()
		time.Sleep(10 * time.Minute)
		assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.AnyList)), 12, "the runner is at rest")
		r.Provisioner.Request(1)
		r.AwaitFleet(3)
		r.RequireRunning(busy)
	})
}

// An instance that Azure updates for half an hour, with a job on it, is not one
// that does not come up.
func TestF31UpdatingForLongWithAJob(t *testing.T) {
	states := &reportedStates{states: map[string]string{}}
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}, Middleware: states.middleware}, func(r *rig.Rig) {
		busy := r.AwaitFleet(2)
		states.set("*", "Updating")
		time.Sleep(time.Hour)
		r.RequireRunning(busy)
		r.Crash()
		require.NoError(r, r.Restart()) // which knows nothing of the past
		time.Sleep(30 * time.Minute)
		assert.Len(r, r.Sim.Instances(), 2)
		r.Provisioner.Request(1) // it never ran before
		time.Sleep(30 * time.Minute)
		states.set("*", "")
		r.AwaitFleet(3)
		assert.Equal(r, 3, r.Sim.Stats().Created)
	})
}

// harmed waits for the end of instances that something has happened to, as the
// runner and Azure see it.
func harmed(r *rig.Rig, targets, others []fleeting.Instance, how func(string) error) {
	r.Helper()
	for _, i := range targets {
		r.Disrupt(r.NameOf(i), how)
	}
	r.Await(75*time.Second, "the next fresh read", func() bool {
		return !slices.ContainsFunc(targets, func(i fleeting.Instance) bool {
			return i.State() != provider.StateDeleted && i.State() != provider.StateDeleting
		})
	})
	r.AwaitFleet(len(others))
	r.RequireRunning(others)
	assert.Equal(r, len(others), r.Sim.Stats().Capacity, "the capacity is free")
}

// Azure/AKS#5211, #3418; kubernetes/autoscaler#5923: a VM that is shut down from
// inside, or deallocated, says Succeeded and is good for nothing. That a start
// fails for lack of capacity (Azure/AKS#5589) does not apply: nothing is started.
func TestF32StoppedOrDeallocated(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		for verb, how := range map[string]func(*armsim.Server) func(string) error{
			"stopped":     func(s *armsim.Server) func(string) error { return s.Kill },
			"deallocated": func(s *armsim.Server) func(string) error { return s.Deallocate },
		} {
			t.Run(verb+" "+mode, func(t *testing.T) {
				rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 5, OrchestrationMode: mode}}, func(r *rig.Rig) {
					all := r.AwaitFleet(5)
					harmed(r, all[:2], all[2:], how(r.Sim))
				})
			})
		}
	}
}

func spotSpec(mode, policy string, capacity int) armsim.ScaleSetSpec {
	return armsim.ScaleSetSpec{OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: policy, Capacity: capacity}
}

// Azure/AKS#4400, and a recording of an eviction: the VM stays, deallocated, and
// its provisioning state is still Succeeded. Or it is not: nobody knows.
func TestF33EvictionThatDeallocates(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		for _, failed := range []bool{false, true} {
			t.Run(fmt.Sprint(mode, " failed ", failed), func(t *testing.T) {
				s := rig.Setup{Spec: spotSpec(mode, "Deallocate", 5)}
				s.Config.Unknowns.EvictionFailsInstance = failed
				rig.Run(t, s, func(r *rig.Rig) {
					all := r.AwaitFleet(5)
					harmed(r, all[:2], all[2:], r.Sim.Evict)
					assert.Contains(r, r.Output.String(), "it was evicted, or deallocated from outside")
				})
			})
		}
	}
}

// Azure/karpenter-provider-azure#1769, #1594: the VM is gone within seconds and
// the capacity is lower.
func TestF34EvictionThatDeletes(t *testing.T) {
	s := rig.Setup{Spec: spotSpec("", "Delete", 3)}
	s.Config.Unknowns.NumbersReused = true
	rig.RunBothModes(t, s, func(r *rig.Rig) {
		all := r.AwaitFleet(3)
		r.Provisioner.Request(2)
		r.Await(time.Minute, "accepted", func() bool { return r.Sim.Stats().Instances == 5 })
		for _, i := range r.Sim.Instances() { // before any update has shown them
			if i.ProvisioningState == "Creating" {
				r.Disrupt(i.Name, r.Sim.Evict)
			}
		}
		r.AwaitFleet(3)
		r.RequireRunning(all)
		harmed(r, all[:1], all[1:], r.Sim.Evict)
		r.Provisioner.Request(1)
		r.AwaitFleet(3) // one of them has the number of the evicted one, perhaps
		r.RequireRunning(all[1:])
	})
}

// The same during the instance's own deletion: no endless repetition, and the
// others of the batch go.
func TestF34EvictionDuringTheDeletion(t *testing.T) {
	for _, policy := range []string{"Delete", "Deallocate"} {
		t.Run(policy, func(t *testing.T) {
			var hook rig.Hook
			rig.Run(t, rig.Setup{Spec: spotSpec("Uniform", policy, 4), Middleware: hook.Before(rig.HasMethod(http.MethodPost))}, func(r *rig.Rig) {
				all := r.AwaitFleet(4)
				mark := r.Mark()
				hook.Set(func() { r.Disrupt(r.NameOf(all[0]), r.Sim.Evict) })
				all[0].Delete()
				all[1].Delete()
				r.AwaitFleet(2)
				time.Sleep(30 * time.Minute)
				assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 3)
				r.RequireRunning(all[2:])
			})
		})
	}
}

// kubernetes/autoscaler#4787: whoever waits for a quiet scale set does not see
// four of five instances go while refills are refused.
func TestF35EvictionWave(t *testing.T) {
	for _, policy := range []string{"Delete", "Deallocate"} {
		t.Run(policy, func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: spotSpec("Uniform", policy, 25), Config: armsim.Config{Boot: armsim.Duration{Median: 5 * time.Second}}}, func(r *rig.Rig) {
				all := r.AwaitFleet(25)
				refused := faults.Refusal("no capacity", faults.UpdateScaleSet, http.StatusConflict, 0, false)
				refused.Error.Code, refused.Error.Message = faults.AllocationFailed.Code, faults.AllocationFailed.Message
				r.Inject(faults.For(refused, 5*time.Minute))
				mark, begun := r.Mark(), time.Now()
				for n, i := range all[:20] {
					r.Disrupt(r.NameOf(i), r.Sim.Evict)
					if n%2 == 1 {
						time.Sleep(time.Second)
					}
				}
				for time.Since(begun) < 12*time.Minute {
					r.RequestUpTo(25)
					time.Sleep(5 * time.Second)
				}
				r.AwaitFleet(25)
				r.RequireRunning(all[20:])
				assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.UpdateScaleSet)), 12, "one in a pause, and the halving of the first")
				assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 10)
			})
		})
	}
}
