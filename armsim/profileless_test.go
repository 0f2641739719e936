package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestSetsWithoutProfileMakeNothing: virtual machines are put into them, and whatever asks
// for one that the set makes is refused.
func TestSetsWithoutProfileMakeNothing(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]object{
		"plain":       {},
		"hibernation": {"additionalCapabilities": object{"hibernationEnabled": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			properties := object{"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}
			for key, value := range more {
				properties[key] = value
			}
			set := s.ScaleSetPath("bare")
			r := s.send(t, "PUT", set, object{"location": "westeurope", "properties": properties})
			require.Equal(t, http.StatusCreated, r.status, r.raw)
			s.Advance(settled)
			s.checkBareSet(t, set)
		})
	}
}

func (s *sim) checkBareSet(t *testing.T, set string) {
	t.Helper()
	r := s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, "Running", 1, 1))
	assert.Equal(t, http.StatusBadRequest, r.status, r.raw)
	_, err := s.AddStandbyVM("bare", true)
	assert.ErrorContains(t, err, "its model has no virtual machine profile")
	assert.ErrorContains(t, s.Raise("bare", 1), "its model has no virtual machine profile")
	status, _ := s.control(t, "POST", "/scale-sets/bare/standby", "")
	assert.Equal(t, http.StatusBadRequest, status)
	require.NoError(t, s.AddEvents(armsim.Event{Do: "raise", Count: 1, After: armsim.Span(time.Second)}))
	s.Advance(settled)
	assert.Equal(t, http.StatusOK, s.get(t, set).status)
	assert.Empty(t, s.Instances())
	assert.Empty(t, s.list(t, s.machinesPath()))
}
