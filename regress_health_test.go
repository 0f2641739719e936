package azure

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
)

// rigStates has Azure tell other provisioning states than the true ones.
type rigStates struct {
	mu   sync.Mutex
	told map[string]string // by name; "*" is all others
}

func (s *rigStates) set(name, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[name] = state
}

func (s *rigStates) wire(under http.RoundTripper) http.RoundTripper {
	return rigRewrite(rigReads, func(body map[string]any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		rigEach(body, func(i map[string]any) {
			properties, _ := i["properties"].(map[string]any)
			state, ok := s.told[fmt.Sprint(i["name"])]
			if !ok {
				state = s.told["*"]
			}
			if state != "" && properties["provisioningState"] == "Succeeded" {
				properties["provisioningState"] = state
			}
		})
	})(under)
}

// kubernetes/autoscaler#5548: failed VMs kept their seats and were billed. But a
// VM may recover from it (kubernetes-sigs/cluster-api-provider-azure#5303), and
// one with a job says Failed when somebody's extension did.
func TestF30FailedKeepsItsSeat(t *testing.T) {
	failed := armsim.Fault{Operation: "instance.create", Effect: armsim.Effect{Fail: noCapacity}}
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
			states := &rigStates{told: map[string]string{}}
			bubbled(t, rigSetup{wire: states.wire}, func(r *rig) {
				states.set("*", c.told)
				if c.fault != nil {
					r.fault(*c.fault)
				}
				r.provisioner.Request(2)
				if c.heals > 0 {
					time.Sleep(c.heals)
					states.set("*", "")
				}
				time.Sleep(4 * time.Minute)
				r.fleet(c.left)
				assert.Equal(r, c.left, r.sim.Stats().Capacity)
				r.sim.ClearFaults()
				states.set("*", "")
				time.Sleep(10 * time.Minute)
				r.provisioner.Request(1)
				r.fleet(c.left + 1) // the seats are free again
			})
		})
	}
}

// The same of an instance with a job, and of the scale set, whose Failed is no
// reason to rebuild it (cluster-api-provider-azure#3087).
func TestF30FailedWhileAJobRuns(t *testing.T) {
	states := &rigStates{told: map[string]string{}}
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}, wire: states.wire}, func(r *rig) {
		busy := r.fleet(3)
		states.set("*", "Failed")
		r.fault(armsim.Fault{Operation: updateSet, Times: 1, Effect: armsim.Effect{FailOperation: noCapacity}})
		r.provisioner.Request(1) // after which the scale set is Failed
		time.Sleep(time.Hour)
		r.requireAlive(busy)
		states.set("*", "")
		r.demand(4)
		r.fleet(4)
		r.requireAlive(busy)
	})
}

// Azure/custom-script-extension-linux#102: creations that never end.
// jenkinsci/azure-vm-agents-plugin#227, #481: they were never cleaned up, then
// with them VMs that had jobs.
func TestF31CreatingForEver(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig) {
		busy := r.fleet(2)
		r.fault(armsim.Fault{Operation: "instance.create", Times: 1, Effect: armsim.Effect{Stuck: true}})
		r.provisioner.Request(1)
		r.await(time.Minute, "accepted", func() bool { return r.sim.Stats().Instances == 3 })
		time.Sleep(20 * time.Minute) // Azure's own limit
		require.Len(r, r.sim.Instances(), 3)
		time.Sleep(8 * time.Minute)
		r.fleet(2)
		mark := r.mark()
		time.Sleep(10 * time.Minute)
		assert.LessOrEqual(r, len(r.since(mark, anyList)), 12, "the runner is at rest")
		r.provisioner.Request(1)
		r.fleet(3)
		r.requireAlive(busy)
	})
}

// An instance that Azure updates for half an hour, with a job on it, is not one
// that does not come up.
func TestF31UpdatingForLongWithAJob(t *testing.T) {
	states := &rigStates{told: map[string]string{}}
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 2}, wire: states.wire}, func(r *rig) {
		busy := r.fleet(2)
		states.set("*", "Updating")
		time.Sleep(time.Hour)
		r.requireAlive(busy)
		r.crash()
		require.NoError(r, r.restart()) // which knows nothing of the past
		time.Sleep(30 * time.Minute)
		assert.Len(r, r.sim.Instances(), 2)
		r.provisioner.Request(1) // it never ran before
		time.Sleep(30 * time.Minute)
		states.set("*", "")
		r.fleet(3)
		assert.Equal(r, 3, r.sim.Stats().Created)
	})
}

// harmed waits for the end of instances that something has happened to, as the
// runner and Azure see it.
func (r *rig) harmed(victims, others []fleeting.Instance, how func(string) error) {
	r.Helper()
	for _, i := range victims {
		r.harm(r.nameOf(i), how)
	}
	r.await(75*time.Second, "the next fresh read", func() bool {
		return !slices.ContainsFunc(victims, func(i fleeting.Instance) bool {
			return i.State() != provider.StateDeleted && i.State() != provider.StateDeleting
		})
	})
	r.fleet(len(others))
	r.requireAlive(others)
	assert.Equal(r, len(others), r.sim.Stats().Capacity, "the seats are free")
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
				bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 5, OrchestrationMode: mode}}, func(r *rig) {
					all := r.fleet(5)
					r.harmed(all[:2], all[2:], how(r.sim))
				})
			})
		}
	}
}

func rigSpot(mode, policy string, capacity int) armsim.ScaleSetSpec {
	return armsim.ScaleSetSpec{OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: policy, Capacity: capacity}
}

// Azure/AKS#4400, and a recording of an eviction: the VM stays, deallocated, and
// its provisioning state is still Succeeded. Or it is not: nobody knows.
func TestF33EvictionThatDeallocates(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		for _, failed := range []bool{false, true} {
			t.Run(fmt.Sprint(mode, " failed ", failed), func(t *testing.T) {
				s := rigSetup{spec: rigSpot(mode, "Deallocate", 5)}
				s.config.Unknowns.EvictionFailsInstance = failed
				bubbled(t, s, func(r *rig) {
					all := r.fleet(5)
					r.harmed(all[:2], all[2:], r.sim.Evict)
					assert.Contains(r, r.text.String(), "it was evicted, or deallocated from outside")
				})
			})
		}
	}
}

// Azure/karpenter-provider-azure#1769, #1594: the VM is gone within seconds and
// the capacity is lower.
func TestF34EvictionThatDeletes(t *testing.T) {
	s := rigSetup{spec: rigSpot("", "Delete", 3)}
	s.config.Unknowns.NumbersReused = true
	inBothModes(t, s, func(r *rig) {
		all := r.fleet(3)
		r.provisioner.Request(2)
		r.await(time.Minute, "accepted", func() bool { return r.sim.Stats().Instances == 5 })
		for _, i := range r.sim.Instances() { // before any update has shown them
			if i.ProvisioningState == "Creating" {
				r.harm(i.Name, r.sim.Evict)
			}
		}
		r.fleet(3)
		r.requireAlive(all)
		r.harmed(all[:1], all[1:], r.sim.Evict)
		r.provisioner.Request(1)
		r.fleet(3) // one of them has the number of the evicted one, perhaps
		r.requireAlive(all[1:])
	})
}

// The same during the instance's own deletion: no endless repetition, and the
// others of the batch go.
func TestF34EvictionDuringTheDeletion(t *testing.T) {
	for _, policy := range []string{"Delete", "Deallocate"} {
		t.Run(policy, func(t *testing.T) {
			var hook rigHook
			bubbled(t, rigSetup{spec: rigSpot("Uniform", policy, 4), wire: hook.before(rigSends(http.MethodPost))}, func(r *rig) {
				all := r.fleet(4)
				mark := r.mark()
				hook.set(func() { r.harm(r.nameOf(all[0]), r.sim.Evict) })
				all[0].Delete()
				all[1].Delete()
				r.fleet(2)
				time.Sleep(30 * time.Minute)
				assert.LessOrEqual(r, len(r.since(mark, deleteBatch)), 3)
				r.requireAlive(all[2:])
			})
		})
	}
}

// kubernetes/autoscaler#4787: whoever waits for a quiet scale set does not see
// four of five instances go while refills are refused.
func TestF35EvictionWave(t *testing.T) {
	for _, policy := range []string{"Delete", "Deallocate"} {
		t.Run(policy, func(t *testing.T) {
			bubbled(t, rigSetup{spec: rigSpot("Uniform", policy, 25), config: armsim.Config{Boot: armsim.Duration{Median: 5 * time.Second}}}, func(r *rig) {
				all := r.fleet(25)
				refused := refusal("no capacity", updateSet, http.StatusConflict, 0, false)
				refused.Error.Code, refused.Error.Message = noCapacity.Code, noCapacity.Message
				r.fault(rigFor(refused, 5*time.Minute))
				mark, begun := r.mark(), time.Now()
				for n, i := range all[:20] {
					r.harm(r.nameOf(i), r.sim.Evict)
					if n%2 == 1 {
						time.Sleep(time.Second)
					}
				}
				for time.Since(begun) < 12*time.Minute {
					r.demand(25)
					time.Sleep(5 * time.Second)
				}
				r.fleet(25)
				r.requireAlive(all[20:])
				assert.LessOrEqual(r, len(r.since(mark, updateSet)), 10)
				assert.LessOrEqual(r, len(r.since(mark, deleteBatch)), 10)
			})
		})
	}
}
