package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestScaleSetDeletion(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 3})
	first, second := s.send(t, "DELETE", set, nil), s.send(t, "DELETE", set, nil)
	require.Equal(t, http.StatusAccepted, first.status)
	require.Equal(t, http.StatusAccepted, second.status)
	assert.Equal(t, "Deleting", s.get(t, set).text("properties.provisioningState"))
	r := s.setCapacity(t, set, 5)
	assert.Equal(t, http.StatusConflict, r.status)
	assert.Contains(t, r.message(), "marked for deletion")
	s.Advance(settled)
	assert.Equal(t, http.StatusNotFound, s.get(t, set).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", set, nil).status)
	assert.Equal(t, "Succeeded", s.status(t, first))
	assert.Equal(t, "Succeeded", s.status(t, second))
	assert.Zero(t, s.Stats().Addresses)
}

// TestSameNameAgain: what is left to do for the old resource does not hit the
// new one of its name.
func TestSameNameAgain(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Boot: armsim.Duration{Median: boot}, Delete: armsim.Duration{Median: time.Millisecond}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	group := s.ResourcePath("")
	for _, target := range []string{set, group} {
		s.send(t, "DELETE", target, nil)
		s.Advance(2 * time.Millisecond)
		s.send(t, "PUT", group, `{"location":"westeurope"}`)
		s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
		assert.Len(t, s.ids(t, set), 1)
	}
}

func TestResourceGroups(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 1})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "other", Capacity: 2})
	subscription, group := "/subscriptions/"+armsim.DefaultSubscriptionID, s.ResourcePath("")
	assert.Equal(t, "Enabled", s.get(t, subscription).text("state"))
	assert.Equal(t, "LocationRequired", s.send(t, "PUT", subscription+"/resourceGroups/second", `{}`).code())
	assert.Equal(t, http.StatusCreated, s.send(t, "PUT", subscription+"/resourceGroups/second", `{"location":"x","tags":{"a":"b"}}`).status)
	assert.Equal(t, http.StatusOK, s.send(t, "PUT", subscription+"/resourceGroups/SECOND", `{"location":"x"}`).status)
	assert.Len(t, s.list(t, subscription+"/resourceGroups"), 2)
	assert.Len(t, s.list(t, group+"/providers/Microsoft.Compute/virtualMachineScaleSets"), 2)

	r := s.send(t, "DELETE", group, nil)
	require.Equal(t, http.StatusAccepted, r.status)
	assert.Equal(t, "Deleting", s.get(t, group).text("properties.provisioningState"))
	assert.Equal(t, "Deleting", s.get(t, set).text("properties.provisioningState"))
	assert.Equal(t, "ResourceGroupBeingDeleted", s.send(t, "PUT", s.ScaleSetPath("late"), `{"location":"x"}`).code())
	assert.Equal(t, "ResourceGroupBeingDeleted", s.send(t, "PUT", group, `{"location":"x"}`).code())
	assert.Equal(t, http.StatusAccepted, s.get(t, r.header.Get("Location")).status)
	s.Advance(settled)
	assert.Equal(t, "ResourceGroupNotFound", s.get(t, set).code())
	assert.Equal(t, http.StatusOK, s.get(t, r.header.Get("Location")).status)
	assert.Zero(t, s.Stats().Instances)
}

func TestAutoscaleSettingsAreKept(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	settings := s.ResourcePath("/providers/Microsoft.Insights/autoscaleSettings")
	query := "?api-version=2022-10-01"
	body := object{"location": "westeurope", "properties": object{"targetResourceUri": s.ScaleSetPath("ci"), "enabled": true}}
	require.Equal(t, http.StatusOK, s.send(t, "PUT", settings+"/one"+query, body).status)
	all := s.list(t, settings+query)
	require.Len(t, all, 1)
	assert.Equal(t, body["properties"], get(all[0], "properties"))
}
