package instancegroup

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func TestOpenRefuses(t *testing.T) {
	f := newFake(1)
	f.set.Model.Overprovision, f.set.Model.Upgrade.AutomaticOS, f.set.ProvisioningState = true, true, "Deleting"
	_, err := Open(t.Context(), Options{Client: f, Logger: hclog.NewNullLogger()})
	require.ErrorContains(t, err, `scale set "ci" cannot serve jobs: `)
	assert.Equal(t, 3, strings.Count(err.Error(), "; fix: "), err)
	assert.NotContains(t, err.Error(), "\n")
	assert.False(t, strings.HasSuffix(err.Error(), ";") || strings.HasSuffix(err.Error(), "."), err)
	assert.Zero(t, f.count(opWrite)+f.count(opDelete), "Open changes nothing")

	f.failNext(opSet, fault{err: azure(armerr.NotFound, 404)})
	_, err = Open(t.Context(), Options{Client: f, Logger: hclog.NewNullLogger()})
	assert.Equal(t, armerr.NotFound, armerr.KindOf(err))
}

func openWithLog(t *testing.T, f *fake) string {
	t.Helper()
	var out bytes.Buffer
	_, err := Open(t.Context(), Options{Client: f, Logger: hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info})})
	require.NoError(t, err)
	return out.String()
}

// TestWarnings turns each finding on alone: one line each, with the fix.
func TestWarnings(t *testing.T) {
	require.Empty(t, openWithLog(t, newFake(0)))
	for _, c := range []struct {
		name  string
		spoil func(*vmss.Model)
		want  string
	}{
		{"repairs", func(m *vmss.Model) { m.AutomaticRepairs = true }, "--ids /x/ci --enable-automatic-repairs false"},
		{"restore", func(m *vmss.Model) { m.Spot.Restore = true }, "turn spotRestorePolicy off"},
		{"spot, default policy", func(m *vmss.Model) { m.Spot.Priority = "spot" }, "eviction policy Delete"},
		{"spot, deallocate", func(m *vmss.Model) { m.Spot.Priority, m.Spot.EvictionPolicy = "Spot", "Deallocate" }, "eviction policy Delete"},
		{"notice", func(m *vmss.Model) { m.TerminateNotice = true }, "--enable-terminate-notification false"},
		{"resilient", func(m *vmss.Model) { m.ResilientCreation = true }, "resilientVMCreationPolicy off"},
		{"one group", func(m *vmss.Model) { m.Placement.SingleGroup = true }, "singlePlacementGroup=false"},
		{"scale-in rules", func(m *vmss.Model) { m.ScaleIn.Rules = []string{"OldestVM"} }, "nothing to do"},
		{"scale-in force", func(m *vmss.Model) { m.ScaleIn.Forced = true }, "nothing to do"},
		{"no key", func(m *vmss.Model) { m.Login.PasswordDisabled, m.Login.PublicKeys = true, 0 }, "add the public key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(0)
			c.spoil(&f.set.Model)
			log := openWithLog(t, f)
			assert.Equal(t, 1, strings.Count(log, "[WARN]"), log)
			assert.Equal(t, 1, strings.Count(log, "\n"), log)
			assert.Contains(t, log, c.want)
			assert.Contains(t, log, "fix=")
		})
	}
	for _, sound := range []func(*vmss.Model){
		func(m *vmss.Model) { m.Spot.Priority, m.Spot.EvictionPolicy = "Spot", "delete" },
		func(m *vmss.Model) { m.Login.PasswordDisabled = true },
		func(m *vmss.Model) { m.OSType, m.Login.PasswordDisabled, m.Login.PublicKeys = "Windows", true, 0 },
	} {
		f := newFake(0)
		sound(&f.set.Model)
		assert.Empty(t, openWithLog(t, f))
	}
}

func TestAutoscaleIsWarnedOf(t *testing.T) {
	f := newFake(0)
	f.settled = []string{"cpu-rule"}
	log := openWithLog(t, f)
	assert.Contains(t, log, "[WARN]")
	assert.Contains(t, log, "cpu-rule")
	f.failNext(opAutoscale, fault{err: azure(armerr.Forbidden, 403)})
	log = openWithLog(t, f)
	assert.NotContains(t, log, "[WARN]", "not to be allowed to look is no fault")
	assert.Contains(t, log, "autoscale settings could not be read")
}

func TestScaleSetIsThatOfOpen(t *testing.T) {
	f := newFake(0)
	f.set.Model.Placement.SingleGroup = true
	g, _ := f.open(t)
	assert.Equal(t, "ci", g.ScaleSet().Name)
	assert.Equal(t, 100, g.ScaleSet().MaxSize())
}
