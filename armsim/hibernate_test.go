package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// hibernating allows a model's machines to hibernate.
func hibernating(model object) {
	model["properties"].(object)["additionalCapabilities"] = object{"hibernationEnabled": true}
}

const hibernate = "deallocate?hibernate=true&api-version=" + version

func TestHibernation(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Flexible", 2, hibernating)
	assert.Equal(t, true, get(s.get(t, u.paths[0]).body, "properties.additionalCapabilities.hibernationEnabled"))
	hibernated := []string{"hibernationstate/hibernated", "powerstate/deallocated", "provisioningstate/succeeded"}
	s.batch(t, u.set, hibernate, object{"instanceIds": u.ids[:1]})
	assert.Equal(t, hibernated, codes(u.view(t, 0)))
	require.Equal(t, http.StatusAccepted, s.send(t, "POST", u.paths[1]+"/"+hibernate, nil).status)
	s.Advance(settled)
	assert.Equal(t, hibernated, codes(u.view(t, 1)))
	assert.True(t, s.Instances()[0].Hibernated)
	assert.Equal(t, 2, s.capacity(t, u.set))
	s.batch(t, u.set, "start", nil)
	running := []string{"powerstate/running", "provisioningstate/succeeded"}
	assert.Equal(t, running, codes(u.view(t, 0)))

	s.batch(t, u.set, hibernate, nil)
	s.batch(t, u.set, "deallocate", object{"instanceIds": u.ids[:1]})
	assert.Equal(t, []string{"powerstate/deallocated", "provisioningstate/succeeded"}, codes(u.view(t, 0)), "the memory is gone")
	assert.Equal(t, hibernated, codes(u.view(t, 1)))
}

func TestHibernationRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode   string
		change func(object)
		before string
		words  string
	}{
		"not enabled": {"Flexible", nil, "", "enabled for hibernation"},
		"not running": {"Flexible", hibernating, "poweroff", "is running"},
		"Uniform":     {"Uniform", nil, "", "Uniform"},
	} {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, c.mode, 1, c.change)
		if c.before != "" {
			s.batch(t, u.set, c.before, nil)
		}
		power := u.powers()
		r := s.send(t, "POST", u.set+"/"+hibernate, nil)
		assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()}, name)
		assert.Contains(t, r.message(), c.words, name)
		assert.Equal(t, power, u.powers(), name)
	}
}

// TestHibernationCannotBeEnabled: models that Azure refuses.
func TestHibernationCannotBeEnabled(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for name, spec := range map[string]armsim.ScaleSetSpec{
		"Spot":    {OrchestrationMode: "Flexible", Priority: "Spot"},
		"size":    {OrchestrationMode: "Flexible", Size: "Standard_F2s_v2"},
		"disk":    {OrchestrationMode: "Flexible", Size: "Standard_D16s_v5"},
		"Uniform": {},
	} {
		spec.Name, spec.Change = "ci", hibernating
		_, err := s.CreateScaleSet(t.Context(), spec)
		require.ErrorContains(t, err, "OperationNotAllowed", name)
	}
	spec := armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: "Flexible", Size: "Standard_D16s_v5", Change: func(model object) {
		hibernating(model)
		storage := get(model, "properties.virtualMachineProfile.storageProfile").(object)
		storage["osDisk"] = object{"createOption": "FromImage", "diskSizeGB": 128}
	}}
	_, err := s.CreateScaleSet(t.Context(), spec)
	require.NoError(t, err)
}

func TestEphemeralDisksAreNotDeallocated(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, mode, 1, func(model object) {
			model["sku"].(object)["name"] = "Standard_D2ds_v5"
			storage := get(model, "properties.virtualMachineProfile.storageProfile").(object)
			storage["osDisk"] = object{"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": object{"option": "Local"}}
		})
		for _, target := range []string{u.set, u.paths[0]} {
			r := s.send(t, "POST", target+"/deallocate", nil)
			assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()}, target)
		}
		require.ErrorContains(t, s.Deallocate(s.Instances()[0].Name), "ephemeral")
		s.batch(t, u.set, "poweroff", nil)
		assert.Equal(t, []string{"stopped"}, u.powers())
		s.batch(t, u.set, "restart", nil)
		assert.Equal(t, []string{"running"}, u.powers())
	}
}
