package instancegroup

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func sound(change func(*vmss.ScaleSet)) vmss.ScaleSet {
	set := newFake(0).set
	set.UniqueID, set.Mode = "u1", vmss.Uniform
	if change != nil {
		change(&set)
	}
	return set
}

func TestJudge(t *testing.T) {
	overprovisioned := func(s *vmss.ScaleSet) { s.Model.Overprovision = true }
	for _, c := range []struct {
		name                        string
		change                      func(*vmss.ScaleSet)
		replaced, refused, accepted bool
		warnings                    int
	}{
		{name: "the same"},
		{name: "the same in other letters", change: func(s *vmss.ScaleSet) { s.UniqueID = "U1" }},
		{name: "no unique ID", change: func(s *vmss.ScaleSet) { s.UniqueID = "" }},
		{name: "another", change: func(s *vmss.ScaleSet) { s.UniqueID = "u2" }, replaced: true},
		{name: "another mode", change: func(s *vmss.ScaleSet) { s.Mode = vmss.Flexible }, replaced: true},
		{name: "overprovisioned", change: overprovisioned, refused: true},
		{name: "another, overprovisioned", change: func(s *vmss.ScaleSet) { s.UniqueID = "u2"; overprovisioned(s) }, refused: true},
		{name: "repairs", change: func(s *vmss.ScaleSet) { s.Model.AutomaticRepairs = true }, warnings: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := admission{set: sound(nil)}
			v := a.judge(sound(c.change))
			assert.Equal(t, []bool{c.replaced, c.refused}, []bool{v.replaced, v.refused})
			assert.Len(t, v.warnings, c.warnings)
			assert.Equal(t, c.refused, a.refusal != nil)
			again := a.judge(sound(c.change))
			assert.False(t, again.replaced || again.refused || again.accepted, "it is said once")
			assert.Empty(t, again.warnings)
			v = a.judge(sound(nil))
			assert.Equal(t, c.refused, v.accepted)
		})
	}
}

// TestModelThatDrifts (Case 05): infrastructure as code undoes the plugin's advice
// while the runner runs.
func TestModelThatDrifts(t *testing.T) {
	f, g, clock := opened(t, 1)
	var log bytes.Buffer
	g.log = hclog.New(&hclog.LoggerOptions{Output: &log})
	f.change(func() { f.set.Model.Overprovision = true })
	errs := 0
	for range 20 {
		accepted, err := g.Increase(t.Context(), 1)
		assert.Zero(t, accepted)
		if err != nil {
			require.ErrorContains(t, err, `increase scale set "ci" by 1: scale set "ci" cannot serve jobs: overprovisioning is on`)
			errs++
		}
		clock.pass(time.Minute)
	}
	assert.Equal(t, 1, errs)
	assert.Empty(t, f.writes)
	assert.Equal(t, 1, strings.Count(log.String(), "[ERROR]"), log.String())
	_, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err, "what is deleted by its ID is deleted all the same")
	f.change(func() { f.set.Model.Overprovision = false })
	clock.pass(10 * time.Minute)
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)
}

// TestScaleSetReplacedInAnotherMode (Case 01): the instances of the new one are
// found, and those of the old one are gone.
func TestScaleSetReplacedInAnotherMode(t *testing.T) {
	f, g, clock := opened(t, 2)
	old := []string{f.id(0), f.id(1)}
	_, err := g.Increase(t.Context(), 2)
	require.NoError(t, err)
	f.change(func() { f.vms = f.vms[:0]; f.set.Capacity, f.set.Mode = 0, vmss.Flexible })
	clock.pass(2 * time.Minute)
	var lost int
	seen := map[string]bool{old[0]: true, old[1]: true}
	for range 5 {
		v, err := g.Observe(t.Context())
		require.NoError(t, err)
		discovered := 0
		for _, m := range v.Members {
			if !seen[m.MemberID] {
				seen[m.MemberID] = true
				discovered++
			}
		}
		lost += g.ReconcilePending(t.Context(), v, discovered)
		if len(f.vms) < 4 {
			_, _ = g.Increase(t.Context(), 2)
		}
		f.boot()
		clock.pass(time.Minute)
	}
	v := refreshed(t, g)
	assert.ElementsMatch(t, old, v.Gone)
	assert.Len(t, v.Members, len(f.vms))
	assert.Equal(t, 2, lost, "what the old one accepted")
	assert.NotEmpty(t, v.Members)
	assert.LessOrEqual(t, len(f.vms), 6)
	assert.Equal(t, vmss.Flexible, g.ScaleSet().Mode)
}
