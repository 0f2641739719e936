package armsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// surplus makes a scale set that overprovisions, without instances.
func surplus(t *testing.T, c armsim.Config) (*sim, string) {
	t.Helper()
	c.Polite, c.Boot, c.Delete = true, armsim.Duration{Median: boot, Spread: 0.5}, armsim.Duration{Median: removal}
	s := virtual(t, c)
	return s, s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Change: func(m map[string]any) {
		m["properties"].(object)["overprovision"] = true
	}})
}

// TestSurplus: more instances appear than were asked for, and go again; they are
// neither in the capacity nor in the quota.
func TestSurplus(t *testing.T) {
	t.Parallel()
	for wanted, made := range map[int]int{1: 2, 3: 4, 5: 6, 10: 12} {
		s, set := surplus(t, armsim.Config{CoreQuota: 2 * wanted})
		raised := s.setCapacity(t, set, wanted)
		assert.Len(t, s.ids(t, set), made)
		assert.Equal(t, wanted, s.capacity(t, set))
		s.Advance(10 * settled)
		assert.Equal(t, "Succeeded ", s.outcome(t, raised))
		assert.Len(t, s.ids(t, set), wanted)
		assert.Equal(t, wanted, s.Stats().Running)
		assert.Equal(t, wanted, s.capacity(t, set))
		assert.Equal(t, made, s.Stats().Created)
	}
}

// TestSurplusMakesUp for instances that fail, or are never made.
func TestSurplusMakesUp(t *testing.T) {
	t.Parallel()
	for _, object := range []string{"ci_0", "ci_5"} {
		s, set := surplus(t, armsim.Config{})
		s.add(t, armsim.Fault{Operation: "instance.create", Object: object, Effect: armsim.Effect{Fail: stockOut}})
		raised := s.setCapacity(t, set, 5)
		s.Advance(10 * settled)
		assert.Equal(t, "Succeeded ", s.outcome(t, raised))
		assert.Equal(t, []any{5, 5, 5}, []any{s.Stats().Running, s.Stats().Instances, s.capacity(t, set)})
		assert.NotContains(t, s.names(), object)
	}
	s, set := surplus(t, armsim.Config{})
	s.add(t, armsim.Fault{Operation: "instance.create", Times: 1, Effect: armsim.Effect{Absent: stockOut}})
	s.setCapacity(t, set, 5)
	s.Advance(10 * settled)
	assert.Equal(t, 5, s.Stats().Running)
	s, set = surplus(t, armsim.Config{})
	s.add(t, armsim.Fault{Operation: "instance.create", Times: 3, Effect: armsim.Effect{Fail: stockOut}})
	raised := s.setCapacity(t, set, 5)
	s.Advance(10 * settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, raised))
	assert.Equal(t, []any{3, 5, 5}, []any{s.Stats().Running, s.Stats().Instances, s.capacity(t, set)})
}

// TestSurplusAndOthers: deletions and other capacities while it is there.
func TestSurplusAndOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act  func(s *sim, set string)
		want int
	}{
		"lower":               {func(s *sim, set string) { s.setCapacity(t, set, 2) }, 2},
		"none":                {func(s *sim, set string) { s.setCapacity(t, set, 0) }, 0},
		"higher":              {func(s *sim, set string) { s.setCapacity(t, set, 9) }, 9},
		"one deleted":         {func(s *sim, set string) { s.deleteInstances(t, set, "0") }, 4},
		"the surplus deleted": {func(s *sim, set string) { s.deleteInstances(t, set, "5") }, 5},
		"all deleted":         {func(s *sim, set string) { s.deleteInstances(t, set, "*") }, 0},
	} {
		s, set := surplus(t, armsim.Config{})
		s.setCapacity(t, set, 5)
		s.Advance(time.Second)
		c.act(s, set)
		s.Advance(10 * settled)
		assert.Equal(t, []any{c.want, c.want, c.want}, []any{s.Stats().Running, s.Stats().Instances, s.capacity(t, set)}, name)
		assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"), name)
	}
}

// TestAnySurplusGoes: whatever happens meanwhile, in the end there are as many
// instances as the capacity says.
func TestAnySurplusGoes(t *testing.T) {
	t.Parallel()
	s, first := surplus(t, armsim.Config{Seed: 7})
	model, runs := s.get(t, first).raw, 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		name := fmt.Sprintf("r%d", runs)
		m := &machineless{sim: s, name: name, set: s.ScaleSetPath(name)}
		require.Equal(t, http.StatusCreated, s.send(t, "PUT", m.set, model).status)
		s.Advance(settled)
		t.Repeat(map[string]func(*rapid.T){
			"resize": m.resize, "delete": m.delete, "delete one": m.deleteOne, "kill": m.kill, "power": m.power, "pass": m.pass,
		})
		s.Advance(10 * settled)
		require.Len(t, m.live(), s.capacity(t, m.set))
		require.Equal(t, "Succeeded", s.get(t, m.set).text("properties.provisioningState"))
		for _, r := range m.replies {
			require.NotEqual(t, "InProgress", s.status(t, r))
		}
		s.send(t, "DELETE", m.set, nil)
		s.Advance(settled)
		require.Zero(t, s.Stats().Instances)
	})
}
