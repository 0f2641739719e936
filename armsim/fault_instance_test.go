package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

var stockOut = &armsim.Failure{Code: "AllocationFailed", Message: "none are left"}

// outcome is what the operation of r ended with.
func (s *sim) outcome(t *testing.T, r reply) string {
	t.Helper()
	require.Less(t, r.status, 300, r.raw)
	o := s.operation(t, r)
	return o.text("status") + " " + o.code()
}

func (s *sim) state(t *testing.T, name string) string {
	t.Helper()
	for _, i := range s.Instances() {
		if i.Name == name {
			return i.ProvisioningState + " " + i.PowerState
		}
	}
	return "gone"
}

// names are the names of all instances, in order.
func (s *sim) names() []string {
	names := []string{}
	for _, i := range sortedInstances(s) {
		names = append(names, i.Name)
	}
	return names
}

func TestAbsentInstances(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 2)
	s.add(t, armsim.Fault{Operation: "instance.create", Zone: "2", Effect: armsim.Effect{Absent: stockOut}})
	r := s.setCapacity(t, set, 6)
	s.Advance(boot - time.Second)
	assert.Equal(t, "InProgress ", s.outcome(t, r))
	s.Advance(settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, r))
	assert.Len(t, s.ids(t, set), 4)
	assert.Equal(t, 6, s.capacity(t, set))
	s.ClearFaults()
	r = s.setCapacity(t, set, 7)
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, r))
	assert.Len(t, s.ids(t, set), 7, "all that is missing")
	assert.Equal(t, 7, s.Stats().Created)
}

// TestANewerGoalIsNotTheOldStockOuts.
func TestANewerGoalIsNotTheOldStockOuts(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 1)
	s.add(t, armsim.Fault{Times: 1, Effect: armsim.Effect{Absent: stockOut}})
	old := s.setCapacity(t, set, 2)
	newer := s.setCapacity(t, set, 3)
	s.Advance(settled)
	assert.Equal(t, "Failed OperationPreempted", s.outcome(t, old))
	assert.Equal(t, "Succeeded ", s.outcome(t, newer))
	assert.Len(t, s.ids(t, set), 3)
}

func TestFaultyCreations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect         armsim.Effect
		during         string
		outcome, state string
	}{
		"fail":  {armsim.Effect{Fail: stockOut}, "InProgress ", "Failed AllocationFailed", "Failed "},
		"run":   {armsim.Effect{FailRunning: stockOut}, "Failed AllocationFailed", "Failed AllocationFailed", "Failed running"},
		"stuck": {armsim.Effect{Stuck: true}, "InProgress ", "InProgress ", "Creating starting"},
		"slow":  {armsim.Effect{Slow: 2}, "InProgress ", "Succeeded ", "Succeeded running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{Polite: true}, 0)
			s.add(t, armsim.Fault{Operation: "instance.create", Object: "ci_0", Size: "Standard_D2*", Effect: c.effect})
			r := s.setCapacity(t, set, 2)
			s.Advance(2*boot - time.Second)
			if name != "fail" {
				assert.Equal(t, c.during, s.outcome(t, r))
			}
			s.Advance(settled)
			assert.Equal(t, c.outcome, s.outcome(t, r))
			assert.Equal(t, c.state, s.state(t, "ci_0"))
			assert.Equal(t, "Succeeded running", s.state(t, "ci_1"))
			s.deleteInstances(t, set, "0")
			s.Advance(settled)
			assert.NotEqual(t, "InProgress ", s.outcome(t, r), "deleting it ends what was stuck")
		})
	}
}

func TestFaultyDeletions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect         armsim.Effect
		outcome, state string
		capacity       int
	}{
		"fail":  {armsim.Effect{Fail: stockOut}, "Failed AllocationFailed", "Succeeded stopped", 2},
		"stuck": {armsim.Effect{Stuck: true}, "InProgress ", "Deleting stopping", 1},
		"slow":  {armsim.Effect{Slow: 20}, "InProgress ", "Deleting stopping", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{Polite: true}, 3)
			s.add(t, armsim.Fault{Operation: "instance.delete", Object: "CI_1", Effect: c.effect})
			r := s.deleteInstances(t, set, "0", "1")
			s.Advance(settled)
			assert.Equal(t, c.outcome, s.outcome(t, r))
			assert.Equal(t, c.state, s.state(t, "ci_1"))
			assert.Equal(t, "gone", s.state(t, "ci_0"))
			assert.Equal(t, c.capacity, s.capacity(t, set))
			s.ClearFaults()
			if name == "fail" {
				r = s.deleteInstances(t, set, "1")
			}
			s.Advance(2 * settled)
			assert.Equal(t, "Succeeded ", s.outcome(t, r))
			assert.Equal(t, 1, s.capacity(t, set))
			assert.Equal(t, []string{"ci_2"}, s.names())
		})
	}
}

// TestFailedDeletionsOfOthers: a lower capacity, and the whole scale set.
func TestFailedDeletionsOfOthers(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 3)
	s.add(t, armsim.Fault{Operation: "instance.delete", Times: 2, Effect: armsim.Effect{Fail: stockOut}})
	r := s.setCapacity(t, set, 1)
	s.Advance(settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, r))
	assert.Equal(t, 1, s.capacity(t, set))
	assert.Len(t, s.ids(t, set), 3)
	r = s.setCapacity(t, set, 2)
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, r))
	assert.Len(t, s.ids(t, set), 2)
	s.add(t, armsim.Fault{Operation: "instance.delete", Times: 1, Effect: armsim.Effect{Fail: stockOut}})
	r = s.send(t, http.MethodDelete, set, nil)
	s.Advance(settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, r))
	assert.Equal(t, "Failed", s.get(t, set).text("properties.provisioningState"))
	r = s.send(t, http.MethodDelete, set, nil)
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, r))
	assert.Empty(t, s.Instances())
}

func TestFaultyStarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect         armsim.Effect
		outcome, state string
	}{
		"fail":  {armsim.Effect{Fail: stockOut}, "Failed AllocationFailed", "Succeeded deallocated"},
		"stuck": {armsim.Effect{Stuck: true}, "InProgress ", "Updating starting"},
		"slow":  {armsim.Effect{Slow: 20}, "InProgress ", "Updating starting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{Polite: true}, 1)
			s.send(t, http.MethodPost, set+"/virtualMachines/0/deallocate", nil)
			s.Advance(settled)
			s.add(t, armsim.Fault{Operation: "instance.start", Times: 1, Effect: c.effect})
			r := s.send(t, http.MethodPost, set+"/virtualMachines/0/start", nil)
			s.Advance(settled)
			assert.Equal(t, c.outcome, s.outcome(t, r))
			assert.Equal(t, c.state, s.state(t, "ci_0"))
			s.send(t, http.MethodPost, set+"/virtualMachines/0/start", nil)
			s.Advance(settled)
			assert.Equal(t, "Succeeded running", s.state(t, "ci_0"))
		})
	}
}
