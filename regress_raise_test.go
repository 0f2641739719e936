package azure

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF06LoweredCapacityKillsBusyInstance: whoever scales in by number leaves the
// choice to Azure (dataplat/dbatools#10540). The promises say that no request
// lowers the capacity, and that only what was named goes; TestModel tries that
// with everything at once, this one with the shortest of gaps.
func TestF06LoweredCapacityKillsBusyInstance(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			config := armsim.Config{Seed: seed + 1, ParallelWrites: []string{"queue", "conflict", "preempt"}[seed%3]}
			config.Unknowns.CapacityFallsLate = seed%2 == 1
			inBothModes(t, rigSetup{config: config, spec: armsim.ScaleSetSpec{Capacity: 2, Priority: "Spot", EvictionPolicy: "Delete"}}, func(r *rig) {
				r.interleave(rand.New(rand.NewPCG(seed, 0)))
			})
		})
	}
}

// interleave does one thing after the other, without waiting for anything.
func (r *rig) interleave(chance *rand.Rand) {
	for range 20 {
		switch chance.IntN(5) {
		case 0, 1:
			if r.provisioner.Capacity().Requested < 5 {
				r.provisioner.Request(1 + chance.IntN(2))
			}
		case 2:
			r.finish(1)
		case 3:
			r.model.harm(r.victim(chance.IntN(10)), r.sim.Evict)
		case 4:
			_ = r.sim.Raise(scaleSetName, 1) // a refusal is his own
		}
		time.Sleep(time.Duration(chance.IntN(5000)) * time.Millisecond)
		require.NoError(r, r.watch.err())
	}
	require.NoError(r, r.until("demand is not met", r.settled))
}

// TestF07RaiseDuringADelete: a write with the capacity from before a deletion
// brings the instance back, or eats another one (openshift/openshift-azure#1550).
func TestF07RaiseDuringADelete(t *testing.T) {
	t.Parallel()
	orders := map[string]func(r *rig, a fleeting.Instance, n int){
		"delete first": func(r *rig, a fleeting.Instance, n int) {
			a.Delete()
			time.Sleep(time.Second)
			r.provisioner.Request(n)
		},
		"raise first": func(r *rig, a fleeting.Instance, n int) {
			r.provisioner.Request(n)
			time.Sleep(time.Second)
			a.Delete()
		},
		"at once": func(r *rig, a fleeting.Instance, n int) {
			r.provisioner.Request(n)
			a.Delete()
		},
	}
	for name, order := range orders {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/capacity falls late %t", name, late), func(t *testing.T) {
				playF07(t, late, order)
			})
		}
	}
}

func playF07(t *testing.T, late bool, order func(r *rig, a fleeting.Instance, n int)) {
	config := armsim.Config{Delete: armsim.Duration{Median: time.Minute}}
	config.Unknowns.CapacityFallsLate = late
	const n = 2 // one would hide a seat that is taken for vacant
	inBothModes(t, rigSetup{config: config, spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		before := r.fleet(3)
		r.fault(fate("reads lag", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second)}))
		order(r, before[0], n)
		r.fleet(2 + n)
		assert.False(r, r.exists(before[0].ID()))
		for _, other := range before[1:] {
			assert.True(r, r.exists(other.ID()), "nobody asked to delete it")
		}
		assert.Equal(r, 3+n, r.sim.Stats().Created)
	})
}

// TestF08CounterLoweredAtTheWrongTime: sizes kept beside Azure's own went wrong
// when deletions failed (kubernetes/autoscaler#7432, #4130).
func TestF08CounterLoweredAtTheWrongTime(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig) {
		victim := r.fleet(5)[0]
		fails := rigTimes(fate("the deletion fails", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}), 1)
		polls := rigTimes(refusal("polls fail", getOperation, http.StatusInternalServerError, 0, false), 4)
		conflict := refusal("deletions conflict", deleteBatch, http.StatusConflict, 0, false)
		conflict.Skip = 1
		r.fault(fails, polls, conflict)
		victim.Delete()
		r.await(10*time.Minute, "the deletion was not sent again", func() bool { return r.sim.Faults()[2].Applied > 0 })
		mark := r.mark()
		require.Equal(r, 5, r.sim.Stats().Capacity)
		r.provisioner.Request(1)
		r.await(10*time.Minute, "nothing was written", func() bool { return len(r.goals(mark)) > 0 })
		assert.Equal(r, []int{6}, r.goals(mark))
		r.sim.ClearFaults()
		r.fleet(5)
		assert.False(r, r.exists(victim.ID()))
		assert.Equal(r, []int{6}, r.goals(mark))
	})
}

// TestF09LostAnswerOfARaise: the interface has no "one more", so that a lost
// answer leaves open what has happened (Azure/kamino#27).
func TestF09LostAnswerOfARaise(t *testing.T) {
	t.Parallel()
	for _, f := range []armsim.Fault{
		cut("connection cut after", updateSet, armsim.CutAfter),
		cut("connection cut before", updateSet, armsim.CutBefore),
		refusal("gateway timeout after", updateSet, http.StatusGatewayTimeout, 0, true),
		fate("answer after a minute", updateSet, armsim.Effect{Delay: armsim.Span(time.Minute)}),
	} {
		t.Run(f.Name, func(t *testing.T) {
			inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig) {
				r.fleet(2)
				r.fault(rigTimes(f, 1))
				r.grow(3)
				assert.NotZero(r, r.sim.Faults()[0].Applied)
				assert.Equal(r, 5, r.sim.Stats().Created)
			})
		})
	}
}

// TestF09KilledAfterARaise: what the dead process had asked for is there at the
// next start, and is not made twice.
func TestF09KilledAfterARaise(t *testing.T) {
	inBothModes(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig) {
		r.fleet(2)
		r.line.dieDuring(http.MethodPatch)
		r.provisioner.Request(3)
		r.await(10*time.Minute, "it lives", func() bool { return r.line.isCut() })
		r.crash()
		require.NoError(r, r.restart())
		for _, i := range r.fleet(5) {
			assert.Equal(r, fleeting.CausePreexisted, i.Cause())
		}
		assert.Equal(r, 5, r.sim.Stats().Created)
	})
}
