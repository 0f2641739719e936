package armsim_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestParallelDeletions(t *testing.T) {
	t.Parallel()
	for mode, c := range map[string]struct {
		status         int
		older          string
		left, capacity int
	}{
		"":                      {202, "Succeeded ", 2, 2},
		armsim.ParallelQueue:    {202, "Succeeded ", 2, 2},
		armsim.ParallelConflict: {409, "Succeeded ", 3, 3},
		armsim.ParallelPreempt:  {202, "Failed OperationPreempted", 3, 3},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{ParallelWrites: mode}, 4)
			ids := s.ids(t, set)
			older := s.deleteInstances(t, set, ids[0])
			s.Advance(removal / 2)
			assert.Equal(t, c.status, s.deleteInstances(t, set, ids[1]).status)
			s.Advance(settled)
			assert.Equal(t, c.older, s.outcome(t, older))
			assert.Len(t, s.ids(t, set), c.left)
			assert.Equal(t, c.capacity, s.capacity(t, set))
			for _, i := range s.Instances() {
				assert.Equal(t, "Succeeded running", s.state(t, i.Name))
			}
		})
	}
	_, err := armsim.New(armsim.Config{ParallelWrites: "never"})
	require.ErrorContains(t, err, "known: queue, conflict, preempt")
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{ParallelWrites: armsim.ParallelConflict}, 2)
	ids := s.ids(t, set)
	s.deleteInstances(t, set, ids[0])
	for _, r := range []reply{s.setCapacity(t, set, 9), s.deleteInstances(t, set, ids[1]), s.send(t, http.MethodDelete, set+"/virtualMachines/"+ids[1], nil)} {
		assert.Equal(t, []any{409, "Conflict"}, []any{r.status, r.code()})
		assert.Contains(t, r.message(), "The request failed due to conflict with a concurrent request")
	}
	assert.Equal(t, http.StatusOK, s.send(t, http.MethodPatch, set, object{"tags": object{"a": "b"}}).status, "no new capacity")
	s.Advance(settled)
	assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 9).status)
}

// TestWhatIsGoneIsNotPreempted.
func TestWhatIsGoneIsNotPreempted(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{ParallelWrites: armsim.ParallelPreempt, Polite: true}, 4)
	s.add(t, armsim.Fault{Operation: "instance.delete", Object: "ci_1", Effect: armsim.Effect{Slow: 10}})
	s.deleteInstances(t, set, "0", "1")
	s.Advance(removal + time.Second)
	s.deleteInstances(t, set, "2")
	s.Advance(settled)
	assert.Equal(t, []string{"ci_1", "ci_3"}, s.names())
	assert.Equal(t, 2, s.capacity(t, set))
}

func TestNumbersReused(t *testing.T) {
	t.Parallel()
	for _, reused := range []bool{false, true} {
		s, set := hold(t, armsim.Config{Unknowns: armsim.Unknowns{NumbersReused: reused}}, 3)
		ids := s.ids(t, set)
		s.deleteInstances(t, set, ids[0])
		s.Advance(settled)
		s.setCapacity(t, set, 3)
		s.Advance(settled)
		assert.Equal(t, reused, slices.Contains(s.ids(t, set), ids[0]))
	}
}

// TestDeletionsSpend: a scale set has no bucket for batch deletions (azure-cli,
// test_vmss_vms), but where they draw from that of its updates.
func TestDeletionsSpend(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		s, set := hold(t, armsim.Config{Throttle: true, Unknowns: armsim.Unknowns{DeleteSharesUpdateBucket: shared}}, 13)
		s.Advance(time.Hour)
		for n, id := range s.ids(t, set) {
			r := s.deleteInstances(t, set, id)
			want := http.StatusAccepted
			if shared && n == updateBurst {
				want = http.StatusTooManyRequests
			}
			require.Equal(t, want, r.status, "%d: %s", n, r.raw)
		}
		status := s.send(t, http.MethodPatch, set, `{}`).status
		assert.Equal(t, shared, status == http.StatusTooManyRequests)
	}
}
