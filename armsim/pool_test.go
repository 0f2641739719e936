package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const poolVersion = "?api-version=2025-03-01"

func (s *sim) poolPath(name string) string {
	return s.ResourcePath("/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/" + name)
}

func poolOf(set, state string, least, most int) object {
	return object{"location": "westeurope", "properties": object{
		"attachedVirtualMachineScaleSetId": set, "virtualMachineState": state,
		"elasticityProfile": object{"minReadyCapacity": least, "maxReadyCapacity": most},
	}}
}

// poolCounts are the states of a pool that are not empty.
func (s *sim) poolCounts(t *testing.T, name string) map[string]int {
	t.Helper()
	view := s.get(t, s.poolPath(name)+"/runtimeViews/latest"+poolVersion)
	require.Equal(t, http.StatusOK, view.status, view.raw)
	counts := map[string]int{}
	for _, one := range get(view.body, "properties.instanceCountSummary.0.instanceCountsByState").([]any) {
		if n := get(one, "count").(float64); n > 0 {
			counts[get(one, "state").(string)] = int(n)
		}
	}
	return counts
}

// TestPoolLife: it makes machines, the set takes them, and it makes others.
func TestPoolLife(t *testing.T) {
	t.Parallel()
	for state, during := range map[string]string{"Running": "Updating starting", "Deallocated": "Updating starting", "Hibernated": "Updating starting"} {
		s := virtual(t, armsim.Config{})
		spec := flexible(0)
		spec.Change = hibernating
		set := s.scaleSet(t, spec)
		r := s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, state, 2, 3))
		require.Equal(t, http.StatusOK, r.status, r.raw)
		assert.Equal(t, "Succeeded", r.text("properties.provisioningState"))
		s.Advance(time.Second)
		assert.Equal(t, map[string]int{"Creating": 3}, s.poolCounts(t, "warm"))
		s.Advance(settled)
		require.Equal(t, map[string]int{state: 3}, s.poolCounts(t, "warm"))
		assert.Zero(t, s.capacity(t, set))
		assert.Len(t, s.list(t, s.poolPath("warm")+"/standbyVirtualMachines"+poolVersion), 3)
		members := s.machineNames(t, set)

		s.setCapacity(t, set, 2)
		if state == "Running" {
			during = "Succeeded running"
		}
		taken := 0
		for _, name := range members {
			if s.state(t, name) == during && s.inPool(t, set)[name] == false {
				taken++
			}
		}
		assert.Equal(t, 2, taken, state)
		s.Advance(settled)
		assert.Equal(t, map[string]int{state: 2}, s.poolCounts(t, "warm"), "the set has two, and two is the least")
		s.setCapacity(t, set, 0)
		s.Advance(settled)
		s.Advance(settled)
		assert.Equal(t, map[string]int{state: 3}, s.poolCounts(t, "warm"))

		r = s.send(t, "PATCH", s.poolPath("warm")+poolVersion, object{"properties": object{"elasticityProfile": object{"minReadyCapacity": 0, "maxReadyCapacity": 1}}})
		require.Equal(t, http.StatusOK, r.status, r.raw)
		s.Advance(settled)
		assert.Equal(t, map[string]int{state: 1}, s.poolCounts(t, "warm"))
		s.dropPool(t)
	}
}

func (s *sim) dropPool(t *testing.T) {
	t.Helper()
	r := s.send(t, "DELETE", s.poolPath("warm")+poolVersion, nil)
	require.Equal(t, http.StatusAccepted, r.status)
	status := s.get(t, r.header.Get("Azure-AsyncOperation"))
	assert.Equal(t, []any{http.StatusAccepted, "Deleting"}, []any{status.status, status.text("status")})
	s.Advance(settled)
	status = s.get(t, r.header.Get("Location"))
	assert.Equal(t, []any{http.StatusOK, "Succeeded"}, []any{status.status, status.text("status")})
	assert.Equal(t, http.StatusNotFound, s.get(t, s.poolPath("warm")+poolVersion).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", s.poolPath("warm")+poolVersion, nil).status)
	assert.Empty(t, s.Instances())
}

func TestPoolsAsResources(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(1))
	s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, "running", 0, 2))
	for _, target := range []string{s.poolPath("WARM"), s.poolPath("")[:len(s.poolPath(""))-1], "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.StandbyPool/standbyVirtualMachinePools"} {
		found := s.get(t, target+poolVersion)
		require.Equal(t, http.StatusOK, found.status, found.raw)
		one := any(found.body)
		if found.body["value"] != nil {
			require.Len(t, found.values(), 1)
			one = found.values()[0]
		}
		assert.Equal(t, "Running", get(one, "properties.virtualMachineState"), target)
	}
	s.Advance(settled)
	assert.Equal(t, map[string]int{"Running": 1}, s.poolCounts(t, "warm"), "less the instance that the set has")
	old := s.get(t, s.poolPath("warm")+"/runtimeViews/latest?api-version=2024-03-01")
	assert.Nil(t, get(old.body, "properties.status"))
	s.send(t, "DELETE", set, nil)
	s.Advance(settled)
	assert.Equal(t, http.StatusNotFound, s.get(t, s.poolPath("warm")+poolVersion).status)
	assert.Empty(t, s.Instances())
}

// TestPoolMoves: it leaves its set for another, and takes its machines along.
func TestPoolMoves(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	from := s.scaleSet(t, flexible(0))
	spec := flexible(0)
	spec.Name = "other"
	to := s.scaleSet(t, spec)
	put := func(name, set string) int {
		return s.send(t, "PUT", s.poolPath(name)+poolVersion, poolOf(set, "Running", 0, 1)).status
	}
	require.Equal(t, http.StatusOK, put("warm", from))
	s.Advance(settled)
	require.Equal(t, http.StatusOK, put("warm", to))
	s.Advance(settled)
	assert.Empty(t, s.machineNames(t, from))
	assert.Len(t, s.machineNames(t, to), 1)
	assert.Equal(t, http.StatusOK, put("second", from), "its first set has none any longer")
	require.Equal(t, http.StatusOK, s.send(t, "PUT", s.poolPath("second")+poolVersion, poolOf(from, "Running", 0, 0)).status)
	s.Advance(settled)
	r := s.send(t, "DELETE", s.poolPath("second")+poolVersion, nil)
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.get(t, r.header.Get("Azure-AsyncOperation")).text("status"), "a pool without machines")
}

// TestPoolsThatFail: one that could not be made is removed, and the pool waits.
func TestPoolsThatFail(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Count: 1}}})
	set := s.scaleSet(t, flexible(0))
	s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, "Running", 0, 2))
	s.Advance(settled)
	health := func() string {
		return s.get(t, s.poolPath("warm")+"/runtimeViews/latest"+poolVersion).text("properties.status.code")
	}
	assert.Equal(t, "HealthState/degraded", health())
	assert.Equal(t, 1, s.poolCounts(t, "warm")["Running"])
	assert.Less(t, s.Stats().Created, 10)
	require.NoError(t, s.SetStock(armsim.Stock{Count: 2}))
	s.Advance(settled)
	s.Advance(settled)
	assert.Equal(t, map[string]int{"Running": 2}, s.poolCounts(t, "warm"))
	assert.Equal(t, "HealthState/healthy", health())
}

func TestPoolsRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(0))
	uniform := s.scaleSet(t, armsim.ScaleSetSpec{Name: "uniform"})
	s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, "Running", 0, 0))
	for name, c := range map[string]struct {
		pool string
		body object
		want string
	}{
		"a second pool": {"cold", poolOf(set, "Running", 0, 1), "already"},
		"Uniform":       {"cold", poolOf(uniform, "Running", 0, 1), "Flexible"},
		"no set":        {"cold", poolOf(set+"x", "Running", 0, 1), "not there"},
		"state":         {"warm", poolOf(set, "Asleep", 0, 1), "Asleep"},
		"figures":       {"warm", poolOf(set, "Running", 2, 1), "2 and 1"},
		"name":          {"x", poolOf(set, "Running", 0, 1), "3 to 24"},
		"hibernation":   {"warm", poolOf(set, "Hibernated", 0, 1), "hibernation"},
	} {
		r := s.send(t, "PUT", s.poolPath(c.pool)+poolVersion, c.body)
		assert.Equal(t, http.StatusBadRequest, r.status, name)
		assert.Contains(t, r.message(), c.want, name)
	}
	assert.Equal(t, "LocationRequired", s.send(t, "PUT", s.poolPath("warm")+poolVersion, `{}`).code())
}
