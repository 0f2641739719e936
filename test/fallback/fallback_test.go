// Package fallback_test has a runner with two scale sets, of which the first runs out of
// machines, cannot be read, or goes.
package fallback_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

const (
	first  = rig.ScaleSetName
	second = "regular"
)

// run runs a test with two scale sets, in each pair of orchestration modes.
func run(t *testing.T, s rig.Setup, play func(r *rig.Rig)) {
	t.Helper()
	t.Parallel()
	for _, modes := range [][]string{{"Uniform", "Uniform"}, {"Flexible", "Flexible"}, {"Uniform", "Flexible"}} {
		t.Run(modes[0]+" and "+modes[1], func(t *testing.T) {
			s := s
			s.Spec.OrchestrationMode = modes[0]
			s.More = []armsim.ScaleSetSpec{{Name: second, OrchestrationMode: modes[1]}}
			rig.Run(t, s, play)
		})
	}
}

// want has the runner want n instances, as its scaler does: what is lost it asks for again.
func want(r *rig.Rig, n int) {
	r.Helper()
	r.Await(rig.SettleLimit, "fleet", func() bool {
		r.RequestUpTo(n)
		return len(r.Running()) == n && r.Settled() == nil
	})
}

// requireSplit requires so many instances of each scale set.
func requireSplit(r *rig.Rig, ofFirst, ofSecond int) {
	r.Helper()
	require.Equal(r, []int{ofFirst, ofSecond}, []int{r.RunningOf(first), r.RunningOf(second)}, r.Output.String())
}

func stock(r *rig.Rig, n int, atOnce bool) {
	r.Helper()
	require.NoError(r, r.Sim.SetStock(armsim.Stock{ScaleSet: first, Count: n, AtOnce: atOnce}))
}

// restock gives the first scale set all it wants, and waits until it is tried again.
func restock(r *rig.Rig) {
	r.Helper()
	require.NoError(r, r.Sim.SetStock(armsim.Stock{ScaleSet: first, Count: -1}))
	time.Sleep(11 * time.Minute)
}

// writesOf are the capacities that were written to a scale set since a mark, and accepted.
func writesOf(r *rig.Rig, mark int, name string) (targets []int) {
	for _, e := range r.CapacityWritesSince(mark) {
		if e.Status == http.StatusOK && e.Path == r.Sim.ScaleSetPath(name) {
			targets = append(targets, rig.CapacityOf(e.Body))
		}
	}
	return targets
}

// TestRefusedAtOnce: what the quota does not leave goes to the other scale set in the same
// call, and new ones come from the first again when there is room.
func TestRefusedAtOnce(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		quota := faults.AboveCapacity(faults.Refusal("quota", faults.UpdateScaleSet, http.StatusConflict, 0, false), 3)
		quota.Object, quota.Error.Code = first, "OperationNotAllowed"
		quota.Error.Message = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 6, Current Usage: 0, Additional Required: 20, (Minimum) New Limit Required: 20."
		r.Inject(quota)
		begun := time.Now()
		r.Provisioner.Request(10)
		r.Await(time.Minute, "10 are not accepted", func() bool { return r.Sim.Stats().Capacity == 10 })
		assert.LessOrEqual(r, time.Since(begun), r.Poll+time.Second, "within one cycle")
		r.AwaitFleet(10)
		requireSplit(r, 3, 7)
		assert.Equal(r, 1, r.Output.Count("another scale set serves", "scale_set="+second, "count=7", "OperationNotAllowed"))

		r.Sim.ClearFaults()
		restock(r)
		r.ScaleOut(4)
		requireSplit(r, 7, 7)
	})
}

// TestNoMachinesAtOnce is the same where Azure does not say how many there are: a part is
// found by halving.
func TestNoMachinesAtOnce(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		stock(r, 3, true)
		begun := time.Now()
		r.Provisioner.Request(10)
		r.Await(time.Minute, "10 are not accepted", func() bool { return r.Sim.Stats().Capacity == 10 })
		assert.LessOrEqual(r, time.Since(begun), r.Poll+time.Second, "within one cycle")
		r.AwaitFleet(10)
		requireSplit(r, 2, 8)
		restock(r)
		r.ScaleOut(4)
		requireSplit(r, 6, 8)
	})
}

// TestFailsLater: Azure accepts 10 and makes 3. What it did not make is removed, the other
// scale set makes as many with the runner's next request, and no more come.
func TestFailsLater(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		stock(r, 3, false)
		mark := r.Mark()
		r.Provisioner.Request(10)
		r.Await(10*time.Minute, "the failures are not told", func() bool {
			c := r.Provisioner.Capacity()
			return c.Requested+c.Pending+c.Creating+c.Running < 10 && c.Pending == 0
		})
		begun := time.Now()
		r.RequestUpTo(10)
		r.Await(time.Minute, "7 are not accepted", func() bool { return len(writesOf(r, mark, second)) > 0 })
		assert.LessOrEqual(r, time.Since(begun), r.Poll+time.Second, "within one cycle")
		want(r, 10)
		requireSplit(r, 3, 7)
		assert.Len(r, writesOf(r, mark, first), 1, "the first is not asked again meanwhile")

		restock(r)
		time.Sleep(20 * time.Minute)
		assert.Equal(r, 10, r.Sim.Stats().Running, "and none comes later")
		want(r, 14)
		requireSplit(r, 7, 7)
	})
}

// TestNeverMade is the same where the scale set shows nothing of what it did not make.
func TestNeverMade(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		r.MayBeAbsent = true
		absent := faults.NeverMade(3, 7)
		absent.Object = first + "_*"
		r.Inject(absent)
		r.Provisioner.Request(10)
		want(r, 10)
		requireSplit(r, 3, 7)
	})
}

// TestFewFail: one that is not made is asked for elsewhere, although most were made.
func TestFewFail(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		want(r, 8)
		stock(r, 9, false)
		mark := r.Mark()
		want(r, 10)
		requireSplit(r, 9, 1)
		assert.Len(r, writesOf(r, mark, first), 1)
	})
}

// TestEvictedSoon: where Azure takes Spot instances back as soon as they are up, new ones
// are made elsewhere; a single one that goes says nothing.
func TestEvictedSoon(t *testing.T) {
	for _, policy := range []string{"Deallocate", "Delete"} {
		t.Run(policy, func(t *testing.T) {
			run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Priority: "Spot", EvictionPolicy: policy}}, func(r *rig.Rig) {
				evict := func(n int) {
					for _, i := range r.InstancesOf(first)[:n] {
						r.Disrupt(i.Name, r.Sim.Evict)
					}
					r.Await(5*time.Minute, "an eviction is not noticed", func() bool { return len(r.Running()) == 3-n })
				}
				want(r, 3)
				requireSplit(r, 3, 0)
				evict(1)
				want(r, 3)
				requireSplit(r, 3, 0)
				time.Sleep(20 * time.Minute)
				want(r, 3)
				for _, i := range r.Running() {
					i.Delete()
				}
				r.AwaitFleet(0)
				want(r, 3)
				requireSplit(r, 3, 0)
				evict(2)
				want(r, 3)
				requireSplit(r, 1, 2)
				time.Sleep(3 * time.Minute)
				want(r, 4)
				requireSplit(r, 2, 2)
			})
		})
	}
}

// TestUnreadableForHalfAnHour: what runs there goes on, the others are seen, new ones are
// made there, and nothing is lost or made twice.
func TestUnreadableForHalfAnHour(t *testing.T) {
	for _, name := range []string{first, second} {
		t.Run(name, func(t *testing.T) {
			run(t, rig.Setup{}, func(r *rig.Rig) {
				stock(r, 2, true)
				want(r, 4)
				requireSplit(r, 2, 2) // by halving
				require.NoError(r, r.Sim.SetStock(armsim.Stock{ScaleSet: first, Count: -1}))
				before := r.Running()
				r.CutOff(name, true)
				for minute := range 30 {
					time.Sleep(time.Minute)
					r.RequireRunning(before)
					if minute == 5 {
						r.Provisioner.Request(2)
					}
				}
				assert.Len(r, r.Running(), 6, "made by the other one")
				assert.Equal(r, 1, r.Output.Count("the scale set cannot be read; what was known of its instances serves"))
				r.CutOff(name, false)
				r.AwaitFleet(6)
				r.RequireRunning(before)
				assert.Equal(r, 6, r.Sim.Stats().Created)
				r.Await(2*time.Minute, "it is not read again", func() bool { return r.Output.Count("the scale set can be read again") == 1 })
			})
		})
	}
}

// TestDeletedAndMadeAgain: the other one serves meanwhile, and the new one afterwards.
func TestDeletedAndMadeAgain(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		want(r, 2)
		requireSplit(r, 2, 0)
		r.DeleteScaleSet()
		time.Sleep(5 * time.Minute)
		r.Provisioner.Request(2)
		r.Await(10*time.Minute, "the other one does not serve", func() bool { return r.RunningOf(second) == 2 })
		r.CreateScaleSet(0)
		r.Invariants.ForgetUnhealthy()
		r.AwaitFleet(2)
		time.Sleep(11 * time.Minute)
		want(r, 4)
		requireSplit(r, 2, 2)
	})
}

// TestRestartInTheMiddle: the new process knows nothing of a shortage, finds the instances of
// both, and makes no more than are wanted.
func TestRestartInTheMiddle(t *testing.T) {
	run(t, rig.Setup{}, func(r *rig.Rig) {
		stock(r, 3, false)
		r.Provisioner.Request(10)
		time.Sleep(15 * time.Second)
		r.Crash()
		require.NoError(r, r.Restart())
		want(r, 10)
		requireSplit(r, 3, 7)
		ids := r.Running()
		r.Crash()
		require.NoError(r, r.Restart())
		r.AwaitFleet(10)
		for _, i := range ids {
			assert.True(r, r.Knows(i.ID()), "an instance keeps its ID")
		}
	})
}

// TestRestartWithoutOne: the plugin starts where one scale set cannot be read, and takes its
// instances over when it can.
func TestRestartWithoutOne(t *testing.T) {
	for _, name := range []string{first, second} {
		t.Run(name, func(t *testing.T) {
			run(t, rig.Setup{}, func(r *rig.Rig) {
				stock(r, 2, true)
				want(r, 4)
				requireSplit(r, 2, 2)
				r.Crash()
				r.CutOff(name, true)
				require.NoError(r, r.Restart())
				time.Sleep(10 * time.Minute)
				assert.Equal(r, len(r.Provisioner.Instances()), 4-r.RunningOf(name))
				r.CutOff(name, false)
				r.AwaitFleet(4)
				assert.Equal(r, 4, r.Sim.Stats().Created)
			})
		})
	}
}
