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
			t.Parallel()
			config := armsim.Config{Seed: seed + 1, ParallelWrites: []string{"queue", "conflict", "preempt"}[seed%3]}
			config.Unknowns.CapacityFallsLate = seed%2 == 1
			inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 2, Priority: "Spot", EvictionPolicy: "Delete"}, func(s *scene) {
				s.interleave(rand.New(rand.NewPCG(seed, 0)))
			})
		})
	}
}

// interleave does one thing after the other, without waiting for anything.
func (s *scene) interleave(r *rand.Rand) {
	m := model{bubble: s.bubble}
	for range 20 {
		switch r.IntN(5) {
		case 0, 1:
			if s.provisioner.Capacity().Requested < 5 {
				s.provisioner.Request(1 + r.IntN(2))
			}
		case 2:
			m.finish(1)
		case 3:
			m.harm(m.victim(r.IntN(10)), s.sim.Evict)
		case 4:
			_ = s.sim.Raise(scaleSetName, 1) // a refusal is his own
		}
		time.Sleep(time.Duration(r.IntN(5000)) * time.Millisecond)
		require.NoError(s.t, s.watch.err())
	}
	require.NoError(s.t, m.until("demand is not met", m.settled))
}

// TestF07RaiseDuringADelete: a write with the capacity from before a deletion
// brings the instance back, or eats another one (openshift/openshift-azure#1550).
func TestF07RaiseDuringADelete(t *testing.T) {
	t.Parallel()
	orders := map[string]func(s *scene, a fleeting.Instance, n int){
		"delete first": func(s *scene, a fleeting.Instance, n int) {
			a.Delete()
			time.Sleep(time.Second)
			s.provisioner.Request(n)
		},
		"raise first": func(s *scene, a fleeting.Instance, n int) {
			s.provisioner.Request(n)
			time.Sleep(time.Second)
			a.Delete()
		},
		"at once": func(s *scene, a fleeting.Instance, n int) {
			s.provisioner.Request(n)
			a.Delete()
		},
	}
	for name, order := range orders {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/capacity falls late %t", name, late), func(t *testing.T) {
				t.Parallel()
				playF07(t, late, order)
			})
		}
	}
}

func playF07(t *testing.T, late bool, order func(s *scene, a fleeting.Instance, n int)) {
	config := armsim.Config{Delete: armsim.Duration{Median: time.Minute}}
	config.Unknowns.CapacityFallsLate = late
	const n = 2 // one would hide a seat that is taken for vacant
	inBothModes(t, config, armsim.ScaleSetSpec{Capacity: 3}, func(s *scene) {
		s.settle(3)
		before := s.running()
		s.fault(fate("reads lag", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second)}))
		order(s, before[0], n)
		s.settle(2 + n)
		assert.False(s.t, s.exists(before[0].ID()))
		for _, other := range before[1:] {
			assert.True(s.t, s.exists(other.ID()), "nobody asked to delete it")
		}
		assert.Equal(s.t, 3+n, s.sim.Stats().Created)
	})
}

// TestF08CounterLoweredAtTheWrongTime: sizes kept beside Azure's own went wrong
// when deletions failed (kubernetes/autoscaler#7432, #4130).
func TestF08CounterLoweredAtTheWrongTime(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 5}, func(s *scene) {
		s.settle(5)
		fails := fate("the deletion fails", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}})
		polls := refusal("polls fail", getOperation, http.StatusInternalServerError, 0, false)
		fails.Times, polls.Times = 1, 4
		conflict := refusal("deletions conflict", deleteBatch, http.StatusConflict, 0, false)
		conflict.Skip = 1
		s.fault(fails, polls, conflict)
		victim := s.running()[0]
		victim.Delete()
		s.wait("the deletion was not sent again", 10*time.Minute, func() error {
			return missingUnless(s.sim.Faults()[2].Applied > 0)
		})
		mark := s.mark()
		require.Equal(s.t, 5, s.sim.Stats().Capacity)
		s.provisioner.Request(1)
		s.wait("nothing was written", 10*time.Minute, func() error { return missingUnless(len(s.goals(mark)) > 0) })
		assert.Equal(s.t, []int{6}, s.goals(mark))
		s.sim.ClearFaults()
		s.settle(5)
		assert.False(s.t, s.exists(victim.ID()))
		assert.Equal(s.t, []int{6}, s.goals(mark))
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
			t.Parallel()
			f.Times = 1
			inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 2}, func(s *scene) {
				s.settle(2)
				s.fault(f)
				s.request(3)
				assert.NotZero(s.t, s.sim.Faults()[0].Applied)
				assert.Equal(s.t, 5, s.sim.Stats().Created)
			})
		})
	}
}

// TestF09KilledAfterARaise: what the dead process had asked for is there at the
// next start, and is not made twice.
func TestF09KilledAfterARaise(t *testing.T) {
	t.Parallel()
	inBothModes(t, armsim.Config{}, armsim.ScaleSetSpec{Capacity: 2}, func(s *scene) {
		s.settle(2)
		s.line.dieDuring(http.MethodPatch)
		s.provisioner.Request(3)
		s.wait("it lives", 10*time.Minute, func() error { return missingUnless(s.line.isCut()) })
		s.crash()
		require.NoError(s.t, s.restart())
		s.settle(5)
		for _, i := range s.running() {
			assert.Equal(s.t, fleeting.CausePreexisted, i.Cause())
		}
		assert.Equal(s.t, 5, s.sim.Stats().Created)
	})
}
