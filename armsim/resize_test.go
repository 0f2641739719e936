package armsim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestCapacityOperationsEndWithTheirOwn: the operation of a new capacity ends with
// the instances that it creates or deletes, whatever else is under way.
func TestCapacityOperationsEndWithTheirOwn(t *testing.T) {
	t.Parallel()
	slow := armsim.Effect{Slow: 10}
	for name, c := range map[string]struct {
		change armsim.Fault
		before func(t *testing.T, s *sim, set string) // what the second capacity finds under way
		want   string
		busy   []string // what still goes on
	}{
		"older creations": {armsim.Fault{Operation: "instance.create", Times: 1, Effect: slow}, func(t *testing.T, s *sim, set string) { s.setCapacity(t, set, 4) }, "Succeeded ", []string{"ci_3 Creating"}},
		"older creations that fail": {armsim.Fault{Operation: "instance.create", Times: 1, Effect: armsim.Effect{Fail: stockOut}},
			func(t *testing.T, s *sim, set string) { s.setCapacity(t, set, 4); s.Advance(boot / 2) }, "Succeeded ", []string{"ci_3 Failed"}},
		"its own creations":   {armsim.Fault{Operation: "instance.create", Skip: 1, Times: 1, Effect: slow}, func(t *testing.T, s *sim, set string) { s.setCapacity(t, set, 4) }, "InProgress ", []string{"ci_4 Creating"}},
		"deletions by others": {armsim.Fault{Operation: "instance.delete", Effect: armsim.Effect{Stuck: true}}, func(t *testing.T, s *sim, set string) { s.deleteInstances(t, set, "1") }, "Succeeded ", []string{"ci_1 Deleting"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{Polite: true}, 3)
			s.add(t, c.change)
			c.before(t, s, set)
			raised := s.setCapacity(t, set, 5)
			s.Advance(boot + time.Second)
			assert.Equal(t, c.want, s.outcome(t, raised))
			var busy []string
			for _, i := range s.Instances() {
				if i.ProvisioningState != "Succeeded" {
					busy = append(busy, i.Name+" "+i.ProvisioningState)
				}
			}
			assert.Equal(t, c.busy, busy)
			s.ClearFaults()
			s.Advance(10 * settled)
			require.NotContains(t, s.outcome(t, raised), "InProgress")
			assert.Equal(t, 5, s.capacity(t, set))
		})
	}
}

// TestLowerCapacityEndsWithItsDeletions, not with those that others asked for.
func TestLowerCapacityEndsWithItsDeletions(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{Polite: true}, 4)
	s.add(t, armsim.Fault{Operation: "instance.delete", Times: 1, Effect: armsim.Effect{Stuck: true}})
	s.deleteInstances(t, set, "0")
	lowered := s.setCapacity(t, set, 2)
	assert.Equal(t, "InProgress ", s.outcome(t, lowered))
	s.Advance(removal + time.Second)
	assert.Equal(t, "Succeeded ", s.outcome(t, lowered))
	assert.Equal(t, 3, s.Stats().Instances, "one is stuck")
}
