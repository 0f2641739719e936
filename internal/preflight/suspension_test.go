package preflight

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func TestSuspension(t *testing.T) {
	assert.Empty(t, Suspension(sound(), false))
	for _, c := range []struct {
		name      string
		hibernate bool
		spoil     func(*vmss.ScaleSet)
		problem   string
	}{
		{"ephemeral", false, func(s *vmss.ScaleSet) { s.Model.EphemeralDisk = true }, "ephemeral OS disks"},
		{"Uniform", true, func(s *vmss.ScaleSet) { s.Mode = vmss.Uniform }, "Uniform"},
		{"not allowed", true, func(s *vmss.ScaleSet) { s.Model.Hibernation = false }, "does not allow hibernation"},
		{"Spot", true, func(s *vmss.ScaleSet) { s.Model.Spot.Priority = "Spot" }, "Spot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := sound()
			set.Mode, set.Model.Hibernation = vmss.Flexible, true
			assert.Empty(t, Suspension(set, true))
			c.spoil(&set)
			found := Suspension(set, c.hibernate)
			require.Len(t, found, 1)
			assert.Equal(t, Refusal, found[0].Severity)
			assert.Contains(t, found[0].Problem, c.problem)
			assert.Contains(t, found[0].Fix, "suspend_mode")
		})
	}
}
