package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestOddBodiesAreRefused: none of them breaks anything, or is taken for another request.
func TestOddBodiesAreRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	spec := flexible(1)
	spec.Name, spec.Priority = "spot", "Spot"
	spec.Change = func(model map[string]any) {
		profileOf(model)["billingProfile"] = object{"maxPrice": object{}}
	}
	machine := get(s.machines(t, s.scaleSet(t, spec))[0], "id").(string)
	role := inSubscription("/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-4000-8000-000000000001") + "?api-version=2022-04-01"
	for name, c := range map[string]struct {
		method, target string
		body           any
		status         int
	}{
		"role without a body":     {"PUT", role, nil, http.StatusBadRequest},
		"price that is an object": {"PATCH", machine, object{"properties": object{"billingProfile": object{"maxPrice": object{"a": 1}}}}, http.StatusConflict},
		"instance IDs as text":    {"POST", set + "/deallocate", object{"instanceIds": "3"}, http.StatusBadRequest},
		"instance IDs as object":  {"POST", set + "/reimage", object{"instanceIds": object{"a": "b"}}, http.StatusBadRequest},
		"to be deleted as text":   {"POST", set + "/delete", object{"instanceIds": "3"}, http.StatusBadRequest},
	} {
		r := s.send(t, c.method, c.target, c.body)
		assert.Equal(t, c.status, r.status, "%s: %s", name, r.raw)
	}
	s.Advance(settled)
	for _, i := range s.Instances() {
		assert.Equal(t, "running", i.PowerState, i.Name)
	}
}

func TestPageSizeIsChecked(t *testing.T) {
	t.Parallel()
	_, err := armsim.New(armsim.Config{PageSize: -1, InProcess: true})
	require.ErrorContains(t, err, "start armsim: page size -1: it must be 1 or more")
}
