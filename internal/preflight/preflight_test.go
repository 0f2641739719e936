package preflight

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// sound is a scale set in which nothing is wrong.
func sound() vmss.ScaleSet {
	return vmss.ScaleSet{
		ID: "/x/ci", Name: "ci", Mode: vmss.Uniform,
		Model: vmss.Model{OSType: "Linux", Upgrade: vmss.Upgrade{Mode: "Manual"}, Login: vmss.Login{PublicKeys: []vmss.PublicKey{{Data: "ssh-ed25519 AAAA"}}}},
	}
}

// TestRefusals turns each check on alone; a sound scale set has no finding.
func TestRefusals(t *testing.T) {
	require.Empty(t, Check(sound()))
	require.NoError(t, Refuse(sound(), nil))
	for _, c := range []struct {
		name  string
		spoil func(*vmss.ScaleSet)
		want  string
	}{
		{"being deleted", func(s *vmss.ScaleSet) { s.ProvisioningState = "DELETING" }, "it is being deleted; fix: use another scale set"},
		{"overprovision", func(s *vmss.ScaleSet) { s.Model.Overprovision = true }, "fix: az vmss update --ids /x/ci --set overprovision=false"},
		{"automatic", func(s *vmss.ScaleSet) { s.Model.Upgrade.Mode = "automatic" }, "upgradePolicy.mode=Manual"},
		{"rolling", func(s *vmss.ScaleSet) { s.Model.Upgrade.Mode = "Rolling" }, "upgradePolicy.mode=Manual"},
		{"OS upgrade", func(s *vmss.ScaleSet) { s.Model.Upgrade.AutomaticOS = true }, "enableAutomaticOSUpgrade=false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := sound()
			c.spoil(&set)
			found := Check(set)
			require.Len(t, found, 1)
			assert.Equal(t, Refusal, found[0].Severity)
			err := Refuse(set, found)
			require.ErrorContains(t, err, `scale set "ci" cannot serve jobs: `)
			assert.ErrorContains(t, err, c.want)
			assert.Equal(t, 1, strings.Count(err.Error(), "; fix: "), err)
			assert.NotContains(t, err.Error(), "%")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	flexible := sound()
	flexible.Mode, flexible.Model.Overprovision = vmss.Flexible, true
	assert.Empty(t, Check(flexible), "only Uniform scale sets overprovision")
}

func TestAutoscale(t *testing.T) {
	_, attached := Autoscale(nil)
	assert.False(t, attached)
	f, attached := Autoscale([]string{"cpu", "nightly"})
	assert.True(t, attached)
	assert.Equal(t, Warning, f.Severity)
	assert.Contains(t, f.Problem, "(cpu, nightly)")
}

func TestRefuseJoinsAllInOneLine(t *testing.T) {
	set := sound()
	set.Model.Overprovision, set.Model.Upgrade.AutomaticOS, set.ProvisioningState = true, true, "Deleting"
	set.Model.AutomaticRepairs = true // a warning refuses nothing
	err := Refuse(set, Check(set))
	require.Error(t, err)
	assert.Equal(t, 3, strings.Count(err.Error(), "; fix: "), err)
	assert.NotContains(t, err.Error(), "\n")
	assert.False(t, strings.HasSuffix(err.Error(), ";") || strings.HasSuffix(err.Error(), "."), err)
}

// TestWarnings turns each check on alone.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*vmss.Model)
		fix   string
	}{
		{"repairs", func(m *vmss.Model) { m.AutomaticRepairs = true }, "--ids /x/ci --enable-automatic-repairs false"},
		{"restore", func(m *vmss.Model) { m.Spot.Restore = true }, "turn spotRestorePolicy off"},
		{"spot, default policy", func(m *vmss.Model) { m.Spot.Priority = "spot" }, "eviction policy Delete"},
		{"spot, deallocate", func(m *vmss.Model) { m.Spot.Priority, m.Spot.EvictionPolicy = "Spot", "Deallocate" }, "eviction policy Delete"},
		{"notice", func(m *vmss.Model) { m.TerminateNotice = true }, "--enable-terminate-notification false"},
		{"resilient", func(m *vmss.Model) { m.ResilientCreation = true }, "resilientVMCreationPolicy off"},
		{"detached", func(m *vmss.Model) { m.Detached = []string{"nic"} }, "set deleteOption to Delete"},
		{"one group", func(m *vmss.Model) { m.SingleGroup = true }, "singlePlacementGroup=false"},
		{"scale-in rules", func(m *vmss.Model) { m.ScaleIn.Rules = []string{"OldestVM"} }, "nothing to do"},
		{"scale-in force", func(m *vmss.Model) { m.ScaleIn.Forced = true }, "nothing to do"},
		{"no key", func(m *vmss.Model) { m.Login = vmss.Login{PasswordDisabled: true} }, "add the public key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := sound()
			c.spoil(&set.Model)
			found := Check(set)
			require.Len(t, found, 1)
			assert.Equal(t, Warning, found[0].Severity)
			assert.Contains(t, found[0].Fix, c.fix)
			assert.NotContains(t, found[0].Problem+found[0].Fix, "\n")
			assert.NotContains(t, found[0].Fix, "%")
			assert.NoError(t, Refuse(set, found))
		})
	}
	for _, change := range []func(*vmss.Model){
		func(m *vmss.Model) { m.Spot.Priority, m.Spot.EvictionPolicy = "Spot", "delete" },
		func(m *vmss.Model) { m.Login.PasswordDisabled = true },
		func(m *vmss.Model) { m.OSType, m.Login = "Windows", vmss.Login{PasswordDisabled: true} },
	} {
		set := sound()
		change(&set.Model)
		assert.Empty(t, Check(set))
	}
}
