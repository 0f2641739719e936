package armsim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func (s *sim) count(state, power string) int {
	n := 0
	for _, i := range s.Instances() {
		if i.ProvisioningState == state && i.PowerState == power {
			n++
		}
	}
	return n
}

// TestStockRunsOutLater: the request is accepted, and what has no place fails.
func TestStockRunsOutLater(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Stock: []armsim.Stock{{ScaleSet: "ci", Count: 3}}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode})
		raised := s.setCapacity(t, set, 10)
		s.Advance(settled)
		assert.Equal(t, "Failed AllocationFailed", s.outcome(t, raised), mode)
		assert.Equal(t, []int{3, 7, 10}, []int{s.count("Succeeded", "running"), s.count("Failed", ""), s.capacity(t, set)})
		assert.Equal(t, []armsim.StockState{{Stock: armsim.Stock{ScaleSet: "ci", Count: 3}, Taken: 3}}, s.Stock())
		other := s.scaleSet(t, armsim.ScaleSetSpec{Name: "other", OrchestrationMode: mode, Capacity: 7})
		assert.Equal(t, 10, s.Stats().Running, "the stock is not the other's")
		s.send(t, "DELETE", other, nil)
		s.deleteInstances(t, set, s.idsOf("running")[0])
		s.Advance(settled)
		assert.Equal(t, 2, s.Stock()[0].Taken, "a deletion gives back")
	}
}

// idsOf are the IDs of the instances in a power state, in order.
func (s *sim) idsOf(power string) []string {
	var ids []string
	for _, i := range sortedInstances(s) {
		if i.PowerState == power {
			ids = append(ids, i.InstanceID)
		}
	}
	return ids
}

func TestStockRunsOutAtOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Size: "standard_d2s_*", Count: 3, AtOnce: true}}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
		r := s.setCapacity(t, set, 4)
		assert.Equal(t, []any{http.StatusConflict, "SkuNotAvailable"}, []any{r.status, r.code()})
		assert.Contains(t, r.message(), "Standard_D2s_v5")
		assert.Equal(t, 1, s.capacity(t, set))
		_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "new", OrchestrationMode: mode, Capacity: 3})
		require.ErrorContains(t, err, "SkuNotAvailable")
		s.scaleSet(t, armsim.ScaleSetSpec{Name: "else", OrchestrationMode: mode, Capacity: 3, Size: "Standard_D4s_v5"})
		require.Equal(t, http.StatusOK, s.setCapacity(t, set, 3).status)
		s.Advance(settled)
		assert.Equal(t, 6, s.Stats().Running)
	}
}

// TestSurplusNeedsNoStock: what a set makes to be on the safe side is in no figure.
func TestSurplusNeedsNoStock(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Count: 5}}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Change: func(model object) {
		model["properties"].(object)["overprovision"] = true
	}})
	raised := s.setCapacity(t, set, 5)
	assert.Greater(t, s.Stats().Instances, 5)
	assert.Equal(t, 5, s.Stock()[0].Taken)
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, raised))
	assert.Equal(t, 5, s.Stats().Running)
}

func TestStockOfZones(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Zone: "2", Count: 0}}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Zones: []string{"1", "2"}})
	raised := s.setCapacity(t, set, 4)
	s.Advance(settled)
	assert.Equal(t, "Failed ZonalAllocationFailed", s.outcome(t, raised))
	for _, i := range s.Instances() {
		assert.Equal(t, i.Zone == "1", i.PowerState == "running")
	}
	require.NoError(t, s.SetStock(armsim.Stock{Zone: "2", Count: 0, AtOnce: true}))
	assert.Equal(t, "SkuNotAvailable", s.setCapacity(t, set, 6).code())
	require.NoError(t, s.SetStock(armsim.Stock{Zone: "2", Count: -1}))
	assert.Empty(t, s.Stock())
	assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 6).status)
}

// TestStockOfStarts: a deallocation gives a place back, a start needs one.
func TestStockOfStarts(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Count: 3}}})
		u := s.suspendable(t, mode, 3, nil)
		s.batch(t, u.set, "deallocate", nil)
		assert.Zero(t, s.Stock()[0].Taken)
		require.NoError(t, s.SetStock(armsim.Stock{Count: 2}))
		started := s.batch(t, u.set, "start", nil)
		assert.Equal(t, "Failed AllocationFailed", s.outcome(t, started))
		powers := u.powers()
		slices.Sort(powers)
		assert.Equal(t, []string{"deallocated", "running", "running"}, powers, "the others are started")
		assert.Equal(t, 3, s.count("Succeeded", "running")+s.count("Succeeded", "deallocated"))
		require.NoError(t, s.SetStock(armsim.Stock{Count: 2, AtOnce: true}))
		r := s.send(t, "POST", u.set+"/start", nil)
		assert.Equal(t, []any{http.StatusConflict, "SkuNotAvailable"}, []any{r.status, r.code()})
		s.batch(t, u.set, "poweroff", nil)
		s.batch(t, u.set, "start", object{"instanceIds": s.idsOf("stopped")})
		assert.Equal(t, 2, s.count("Succeeded", "running"), "what is stopped keeps its place")
	}
}

func TestStockOfResumes(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Flexible", 1, hibernating)
	s.batch(t, u.set, hibernate, nil)
	require.NoError(t, s.SetStock(armsim.Stock{}))
	started := s.batch(t, u.set, "start", nil)
	assert.Equal(t, "Failed OverconstrainedResumeFromHibernatedStateAllocationRequest", s.outcome(t, started))
	assert.Contains(t, codes(u.view(t, 0)), "hibernationstate/hibernated")
	require.NoError(t, s.SetStock(armsim.Stock{Count: 1}))
	assert.Equal(t, "Succeeded ", s.outcome(t, s.batch(t, u.set, "start", nil)))
}

func TestStockChanges(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{
		Stock:  []armsim.Stock{{ScaleSet: "ci", Count: 0, AtOnce: true}},
		Events: []armsim.Event{{After: armsim.Span(time.Hour), Do: "stock", Object: "ci", Count: 2}},
	})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	assert.Equal(t, http.StatusConflict, s.setCapacity(t, set, 2).status)
	s.Advance(time.Hour)
	assert.Equal(t, armsim.Stock{ScaleSet: "ci", Count: 2, AtOnce: true}, s.Stock()[0].Stock)
	assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 2).status)
	status, _ := s.post(t, "/stock", `[{"scaleSet":"ci","count":7},{"zone":"1","count":1}]`)
	assert.Equal(t, http.StatusOK, status)
	_, body := s.control(t, "GET", "/stock", "")
	assert.JSONEq(t, `[{"scaleSet":"ci","count":7,"taken":2},{"zone":"1","count":1,"taken":0}]`, jsonOf(t, body))
	status, body = s.post(t, "/stock", `{"count":-2}`)
	assert.Equal(t, http.StatusBadRequest, status, body)
	require.Error(t, s.AddEvents(armsim.Event{Do: "raise", Object: "ci", Count: 1, Size: "x"}))
}

func (s *sim) post(t *testing.T, target, body string) (int, any) {
	t.Helper()
	response, err := http.Post(s.ControlEndpoint+target, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	return response.StatusCode, decode(t, response)
}
