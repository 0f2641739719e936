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

// story sends the same requests to a new simulator of the seed and returns
// what its instances came to, step by step.
func story(t *testing.T, seed uint64) [][]armsim.InstanceInfo {
	t.Helper()
	varying := armsim.Duration{Median: 10 * time.Second, Spread: 0.5}
	s := virtual(t, armsim.Config{Seed: seed, Boot: varying, Delete: varying, Power: varying})
	var steps [][]armsim.InstanceInfo
	note := func() { steps = append(steps, sortedInstances(s)) }
	var sets []string
	for _, name := range []string{"a", "b", "c"} {
		set, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: name, Capacity: 5, PublicAddress: true})
		require.NoError(t, err)
		sets = append(sets, set)
		s.Advance(5 * time.Second)
		note()
	}
	s.list(t, sets[0]+"/virtualMachines")
	s.deleteInstances(t, sets[0], s.ids(t, sets[0])[1])
	s.send(t, "POST", sets[1]+"/restart", nil)
	s.get(t, sets[1]+"/instanceView")
	for range 10 {
		s.Advance(time.Second)
		note()
	}
	require.Equal(t, http.StatusAccepted, s.send(t, "DELETE", s.ResourcePath(""), nil).status)
	for range 10 {
		s.Advance(2 * time.Second)
		note()
	}
	return steps
}

func TestASeedReplays(t *testing.T) {
	t.Parallel()
	first := story(t, 42)
	assert.Equal(t, first, story(t, 42))
	assert.NotEqual(t, first, story(t, 43))
}

func TestARandomSeedIsTold(t *testing.T) {
	t.Parallel()
	one, two := virtual(t, armsim.Config{}), virtual(t, armsim.Config{})
	assert.NotZero(t, one.Seed)
	assert.NotEqual(t, one.Seed, two.Seed)
	assert.Equal(t, one.Seed, one.Stats().Seed)
	assert.NotEqual(t, one.Principal.Secret, two.Principal.Secret)
}

func sortedInstances(s *sim) []armsim.InstanceInfo {
	all := s.Instances()
	slices.SortFunc(all, func(a, b armsim.InstanceInfo) int { return strings.Compare(a.Name, b.Name) })
	return all
}
