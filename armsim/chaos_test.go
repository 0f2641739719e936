package armsim_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func anyFaults() []armsim.Fault {
	var all []armsim.Fault
	for _, f := range []armsim.Fault{
		{Operation: "instance.create", Effect: armsim.Effect{Absent: stockOut}},
		{Effect: armsim.Effect{Fail: stockOut}},
		{Effect: armsim.Effect{Stuck: true}},
		{Effect: armsim.Effect{Slow: 3}},
		{Effect: armsim.Effect{FailOperation: stockOut}},
		{Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 500, After: true}}},
		{Effect: armsim.Effect{Cut: "after"}},
	} {
		f.Probability = 0.15
		all = append(all, f)
	}
	return all
}

func anyEvents() []armsim.Event {
	var all []armsim.Event
	for n, do := range []string{"evict", "kill", "deallocate", "start", "delete", "raise", "tag"} {
		all = append(all, armsim.Event{Every: armsim.Span(time.Duration(5+2*n) * time.Second), Times: 10, Do: do, Count: 1})
	}
	return all
}

// TestChaosHeals: whatever happens under faults of all kinds, a scale set can
// be brought to a capacity, and be deleted, once they are over.
func TestChaosHeals(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		s, set := chaos(t, seed)
		s.heal(t, set, seed, chaosMode(seed) == "Uniform")
	}
}

// TestChaosReplays: the seed decides what faults and events do.
func TestChaosReplays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		one, _ := chaos(t, seed)
		two, _ := chaos(t, seed)
		assert.Equal(t, sortedInstances(one), sortedInstances(two))
		assert.Equal(t, one.Faults(), two.Faults())
	}
}

// chaos has a scale set live through all that can happen.
func chaos(t *testing.T, seed uint64) (*sim, string) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	s := virtual(t, armsim.Config{
		Seed: seed + 1, InProcess: true, Faults: anyFaults(), Events: anyEvents(),
		ParallelWrites: []string{armsim.ParallelQueue, armsim.ParallelConflict, armsim.ParallelPreempt}[seed%3],
	})
	policy := []string{"Delete", "Deallocate"}[r.IntN(2)]
	// A response may be lost, and the set exist all the same.
	_, _ = s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Capacity: 3, Priority: "Spot", EvictionPolicy: policy, OrchestrationMode: chaosMode(seed)})
	set := s.ScaleSetPath("ci")
	for range 40 {
		s.disturb(t, r, set)
		s.Advance(time.Duration(r.IntN(8)) * time.Second)
	}
	return s, set
}

func chaosMode(seed uint64) string { return []string{"Uniform", "Flexible"}[seed/3%2] }

// disturb sends a request, and does not care what comes of it.
func (s *sim) disturb(t *testing.T, r *rand.Rand, set string) {
	t.Helper()
	method, path, body := "PATCH", set, jsonOf(t, object{"sku": object{"capacity": r.IntN(8)}})
	if all := sortedInstances(s); len(all) > 0 && r.IntN(3) > 0 {
		i := all[r.IntN(len(all))]
		method, path, body = "POST", set+"/delete", jsonOf(t, object{"instanceIds": []string{i.InstanceID}})
		if r.IntN(3) == 0 {
			path = set + "/start"
		}
	}
	if r.IntN(15) == 0 {
		method, path, body = "DELETE", set, ""
	}
	if response, err := s.try(t, method, path, body); err == nil {
		_ = response.Body.Close()
	}
}

func (s *sim) heal(t *testing.T, set string, seed uint64, uniform bool) {
	t.Helper()
	s.ClearFaults()
	s.Advance(10 * time.Minute)
	if s.get(t, set).status == http.StatusNotFound {
		return
	}
	for _, i := range s.Instances() {
		assert.NotEqual(t, "Deleting", i.ProvisioningState, "seed %d", seed)
		// A stuck creation ends with its instance; until then it may be a conflict.
		require.NoError(t, s.Remove(i.Name))
	}
	s.Advance(settled)
	assert.NotEqual(t, "Updating", s.get(t, set).text("properties.provisioningState"), "seed %d", seed)
	s.setCapacity(t, set, 50) // more than it can have
	s.Advance(settled)
	if uniform {
		assert.Len(t, s.names(), 50, "seed %d", seed)
	}
	require.Equal(t, http.StatusAccepted, s.send(t, http.MethodDelete, set, nil).status)
	s.Advance(settled)
	assert.Empty(t, s.names(), "seed %d", seed)
	assert.Equal(t, http.StatusNotFound, s.get(t, set).status, "seed %d", seed)
	assert.Zero(t, s.Stats().Addresses, "seed %d", seed)
}
