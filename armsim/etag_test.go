package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestETagMovesWithChangesOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do    func(t *testing.T, s *sim, set string) reply
		moves bool
	}{
		"PUT of the same": {func(t *testing.T, s *sim, set string) reply {
			return s.send(t, "PUT", set, s.get(t, set).body)
		}, false},
		"PATCH of nothing":  {func(t *testing.T, s *sim, set string) reply { return s.send(t, "PATCH", set, `{}`) }, false},
		"the same capacity": {func(t *testing.T, s *sim, set string) reply { return s.setCapacity(t, set, 2) }, false},
		"another capacity":  {func(t *testing.T, s *sim, set string) reply { return s.setCapacity(t, set, 3) }, true},
		"tags":              {func(t *testing.T, s *sim, set string) reply { return s.send(t, "PATCH", set, `{"tags":{"a":"b"}}`) }, true},
		"deletion":          {func(t *testing.T, s *sim, set string) reply { return s.deleteInstances(t, set, s.ids(t, set)[0]) }, true},
		"deletion of one": {func(t *testing.T, s *sim, set string) reply {
			return s.send(t, "DELETE", set+"/virtualMachines/"+s.ids(t, set)[0], nil)
		}, true},
		"a refused deletion": {func(t *testing.T, s *sim, set string) reply { return s.deleteInstances(t, set, "77") }, false},
		"power off":          {func(t *testing.T, s *sim, set string) reply { return s.send(t, "POST", set+"/poweroff", nil) }, true},
		"restart":            {func(t *testing.T, s *sim, set string) reply { return s.send(t, "POST", set+"/restart", nil) }, false},
		"PUT of an instance": {func(t *testing.T, s *sim, set string) reply {
			return s.send(t, "PUT", set+"/virtualMachines/"+s.ids(t, set)[0], `{}`)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
			before := s.get(t, set)
			require.Equal(t, before.text("etag"), before.header.Get("ETag"))
			accepted := c.do(t, s, set)
			after := s.get(t, set).text("etag")
			assert.Equal(t, c.moves, before.text("etag") != after, accepted.raw)
			s.Advance(settled)
			assert.Equal(t, after, s.get(t, set).text("etag"), "the ETag moved after acceptance")
		})
	}
}

func TestPreconditions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exists bool
		header header // CURRENT stands for the present ETag
		status int
	}{
		"none":                  {true, header{}, 200},
		"match":                 {true, header{"If-Match": "CURRENT"}, 200},
		"match of any":          {true, header{"If-Match": "*"}, 200},
		"stale":                 {true, header{"If-Match": `"0"`}, 412},
		"unquoted":              {true, header{"If-Match": "0"}, 412},
		"none match, other":     {true, header{"If-None-Match": `"0"`}, 200},
		"none match, current":   {true, header{"If-None-Match": "CURRENT"}, 412},
		"none match, any":       {true, header{"If-None-Match": "*"}, 412},
		"new":                   {false, header{}, 201},
		"new, none match any":   {false, header{"If-None-Match": "*"}, 201},
		"new, match any":        {false, header{"If-Match": "*"}, 412},
		"new, match of another": {false, header{"If-Match": `"1"`}, 412},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
			current := s.get(t, set)
			target := set
			if !c.exists {
				target = s.ScaleSetPath("new")
			}
			for key, value := range c.header {
				if value == "CURRENT" {
					c.header[key] = current.text("etag")
				}
			}
			body := object{"location": "westeurope", "sku": object{"name": "Standard_D2s_v5", "capacity": 1}, "properties": current.body["properties"]}
			r := s.send(t, "PUT", target, body, c.header)
			assert.Equal(t, c.status, r.status, r.raw)
			if c.status == http.StatusPreconditionFailed {
				assert.Equal(t, "PreconditionFailed", r.code())
				assert.Zero(t, s.Stats().Capacity)
			}
		})
	}
}

// TestLostUpdate is the race that ETags are for.
func TestLostUpdate(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	seen := s.get(t, set).text("etag")
	require.Equal(t, http.StatusAccepted, s.deleteInstances(t, set, s.ids(t, set)[0]).status)
	assert.Equal(t, http.StatusPreconditionFailed, s.setCapacity(t, set, 3, header{"If-Match": seen}).status)
	assert.Equal(t, 1, s.capacity(t, set))
}
