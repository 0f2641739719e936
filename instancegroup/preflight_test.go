package instancegroup

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// TestRefuse turns each finding on alone; a sound scale set has none.
func TestRefuse(t *testing.T) {
	require.NoError(t, refuse(newFake(0).set))
	for _, c := range []struct {
		name  string
		spoil func(*ScaleSet)
		want  string
	}{
		{"being deleted", func(s *ScaleSet) { s.ProvisioningState = "DELETING" }, "it is being deleted; fix: name a scale set"},
		{"overprovision", func(s *ScaleSet) { s.Model.Overprovision = true }, "fix: az vmss update --ids /x/ci --set overprovision=false"},
		{"automatic", func(s *ScaleSet) { s.Model.UpgradeMode = "automatic" }, "upgradePolicy.mode=Manual"},
		{"rolling", func(s *ScaleSet) { s.Model.UpgradeMode = "Rolling" }, "upgradePolicy.mode=Manual"},
		{"OS upgrade", func(s *ScaleSet) { s.Model.AutomaticOSUpgrade = true }, "enableAutomaticOSUpgrade=false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := newFake(0).set
			c.spoil(&set)
			err := refuse(set)
			require.ErrorContains(t, err, `scale set "ci" cannot serve jobs: `)
			assert.ErrorContains(t, err, c.want)
			assert.Equal(t, 1, strings.Count(err.Error(), "; fix: "), err)
			assert.NotContains(t, err.Error(), "%")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestRefuseJoinsAllInOneLine(t *testing.T) {
	f := newFake(1)
	f.set.Model.Overprovision, f.set.Model.AutomaticOSUpgrade, f.set.ProvisioningState = true, true, "Deleting"
	_, err := Open(t.Context(), Options{Cloud: f, Logger: hclog.NewNullLogger()})
	require.Error(t, err)
	assert.Equal(t, 3, strings.Count(err.Error(), "; fix: "), err)
	assert.NotContains(t, err.Error(), "\n")
	assert.False(t, strings.HasSuffix(err.Error(), ";") || strings.HasSuffix(err.Error(), "."), err)
	assert.Zero(t, f.count(opWrite)+f.count(opDelete), "Open changes nothing")

	f.failNext(opSet, fault{err: azure(armerr.NotFound, 404)})
	_, err = Open(t.Context(), Options{Cloud: f, Logger: hclog.NewNullLogger()})
	assert.Equal(t, armerr.NotFound, armerr.KindOf(err))
}

func openWithLog(t *testing.T, f *fake) string {
	t.Helper()
	var out bytes.Buffer
	_, err := Open(t.Context(), Options{Cloud: f, Logger: hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info})})
	require.NoError(t, err)
	return out.String()
}

// TestWarnings turns each finding on alone: one line each, with the fix.
func TestWarnings(t *testing.T) {
	require.Empty(t, openWithLog(t, newFake(0)))
	for _, c := range []struct {
		name  string
		spoil func(*Model)
		want  string
	}{
		{"repairs", func(m *Model) { m.AutomaticRepairs = true }, "--ids /x/ci --enable-automatic-repairs false"},
		{"restore", func(m *Model) { m.SpotRestore = true }, "turn spotRestorePolicy off"},
		{"spot, default policy", func(m *Model) { m.Priority = "spot" }, "eviction policy Delete"},
		{"spot, deallocate", func(m *Model) { m.Priority, m.EvictionPolicy = "Spot", "Deallocate" }, "eviction policy Delete"},
		{"notice", func(m *Model) { m.TerminateNotice = true }, "--enable-terminate-notification false"},
		{"resilient", func(m *Model) { m.ResilientCreation = true }, "resilientVMCreationPolicy off"},
		{"one group", func(m *Model) { m.SinglePlacementGroup = true }, "singlePlacementGroup=false"},
		{"scale-in rules", func(m *Model) { m.ScaleInRules = []string{"OldestVM"} }, "nothing to do"},
		{"scale-in force", func(m *Model) { m.ScaleInForced = true }, "nothing to do"},
		{"no key", func(m *Model) { m.PasswordDisabled, m.PublicKeys = true, 0 }, "add the public key"},
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
	for _, sound := range []func(*Model){
		func(m *Model) { m.Priority, m.EvictionPolicy = "Spot", "delete" },
		func(m *Model) { m.PasswordDisabled = true },
		func(m *Model) { m.OSType, m.PasswordDisabled, m.PublicKeys = "Windows", true, 0 },
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

func TestMaxSize(t *testing.T) {
	for _, c := range []struct {
		single, image bool
		want          int
	}{{false, false, 1000}, {false, true, 600}, {true, false, 100}, {true, true, 100}} {
		f := newFake(0)
		f.set.Model.SinglePlacementGroup, f.set.Model.ManagedImage = c.single, c.image
		g, _ := f.open(t)
		assert.Equal(t, c.want, g.MaxSize())
		assert.Equal(t, "ci", g.ScaleSet().Name)
	}
}
