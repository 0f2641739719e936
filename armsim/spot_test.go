package armsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// lives are an instance's state and power as its own resource shows them.
func (s *sim) lives(t tb, path string) (state, power string) {
	t.Helper()
	view := s.get(t, path+"?api-version="+version+"&$expand=instanceView")
	if view.status == http.StatusNotFound {
		return "gone", ""
	}
	for _, i := range s.Instances() {
		if i.VMID == view.text("properties.vmId") {
			assert.Equal(t, i.ProvisioningState, view.text("properties.provisioningState"))
			return i.ProvisioningState, i.PowerState
		}
	}
	return view.text("properties.provisioningState"), "unknown"
}

// paths are the resources of a scale set's instances, by name.
func (s *sim) paths(set string) []string {
	var all []string
	for _, i := range s.Instances() {
		path := s.machinesPath() + "/" + i.Name
		if i.Mode == "Uniform" {
			path = set + "/virtualMachines/" + i.InstanceID
		}
		all = append(all, path)
	}
	return all
}

func TestEviction(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		for _, policy := range []string{"", "Deallocate", "Delete"} {
			t.Run(mode+policy, func(t *testing.T) {
				t.Parallel()
				evicts(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: policy, Capacity: 2}, armsim.Unknowns{})
			})
		}
		t.Run(mode+" failed", func(t *testing.T) {
			t.Parallel()
			evicts(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Priority: "Spot", Capacity: 2}, armsim.Unknowns{EvictionFailsInstance: true})
		})
	}
}

func evicts(t *testing.T, spec armsim.ScaleSetSpec, u armsim.Unknowns) {
	s := virtual(t, armsim.Config{Unknowns: u})
	set := s.scaleSet(t, spec)
	etag, evicted := s.get(t, set).text("etag"), s.Instances()[0]
	path := set + "/virtualMachines/" + evicted.InstanceID
	if spec.OrchestrationMode == "Flexible" {
		path = s.machinesPath() + "/" + evicted.Name
	}
	assert.Equal(t, "Spot", evicted.Priority)
	shown := s.get(t, path)
	assert.Equal(t, "Spot", shown.text("properties.priority"))
	assert.NotEmpty(t, shown.text("properties.evictionPolicy"))
	assert.Equal(t, -1.0, get(shown.body, "properties.billingProfile.maxPrice"))
	require.NoError(t, s.Evict(evicted.Name))
	s.Advance(settled)
	state, power := s.lives(t, path)
	assert.Equal(t, 1, s.Stats().Evicted)
	if spec.EvictionPolicy == "Delete" {
		assert.Equal(t, "gone", state)
		assert.Equal(t, 1, s.capacity(t, set))
		assert.NotEqual(t, etag, s.get(t, set).text("etag"))
		assert.Equal(t, 1, s.Stats().Addresses)
		return
	}
	want := map[bool]string{false: "Succeeded", true: "Failed"}[u.EvictionFailsInstance]
	assert.Equal(t, []string{want, "deallocated"}, []string{state, power})
	assert.Equal(t, 2, s.capacity(t, set))
	assert.ErrorContains(t, s.Evict(evicted.Name), "deallocated")
	require.Equal(t, http.StatusAccepted, s.send(t, "POST", path+"/start", nil).status)
	s.Advance(settled)
	state, power = s.lives(t, path)
	assert.Equal(t, []string{"Succeeded", "running"}, []string{state, power}, "it may be started again")
}

func TestSimulateEviction(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: "Delete", Capacity: 1})
			path := s.paths(set)[0]
			require.Equal(t, http.StatusNoContent, s.send(t, "POST", path+"/simulateEviction", nil).status)
			assert.Zero(t, s.Stats().Evicted)
			s.Advance(30*time.Second + removal)
			assert.Equal(t, 1, s.Stats().Evicted)
			assert.Zero(t, s.Stats().Instances)
			assert.Equal(t, http.StatusNotFound, s.send(t, "POST", path+"/simulateEviction", nil).status)
		})
	}
}

func TestOnlySpotIsEvicted(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Evictions: armsim.Evictions{Every: armsim.Duration{Median: time.Second}}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
		r := s.send(t, "POST", s.paths(set)[0]+"/simulateEviction", nil)
		assert.Equal(t, http.StatusConflict, r.status)
		assert.Equal(t, "OperationNotAllowed", r.code())
		assert.ErrorContains(t, s.Evict(s.Instances()[0].Name), "not Spot")
		assert.ErrorContains(t, s.Evict("none"), `"none"`)
		s.Advance(settled)
		assert.Zero(t, s.Stats().Evicted)
	}
}

func TestEvictionByRule(t *testing.T) {
	t.Parallel()
	story := func(most int) string {
		s := virtual(t, armsim.Config{Seed: 5, Evictions: armsim.Evictions{Every: armsim.Duration{Median: 2 * time.Minute, Spread: 0.5}, Max: most}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Priority: "Spot", EvictionPolicy: "Delete", Capacity: 5})
		s.Advance(time.Hour)
		return fmt.Sprint(s.Stats().Evicted, s.capacity(t, set), s.ids(t, set))
	}
	assert.Contains(t, story(2), "2 3 [")
	assert.Equal(t, story(2), story(2))
	assert.Equal(t, "5 0 []", story(0))
}

func TestEvictionOverControl(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Priority: "Spot", Capacity: 1})
	for range 2 { // the second is refused
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.ControlEndpoint+"/instances/"+s.Instances()[0].Name+"/evict", nil)
		require.NoError(t, err)
		readAll(t, r)
	}
	assert.Equal(t, 1, s.Stats().Evicted)
}

func TestPriorityRules(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for want, spec := range map[string]armsim.ScaleSetSpec{
		"EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines": {EvictionPolicy: "Delete"},
		"'evictionPolicy' is invalid":                          {Priority: "Spot", EvictionPolicy: "Keep"},
		"'priority' is invalid":                                {Priority: "Low cost"},
	} {
		spec.Name = "ci"
		_, err := s.CreateScaleSet(t.Context(), spec)
		assert.ErrorContains(t, err, want)
	}
}
