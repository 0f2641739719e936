package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

// TestDoctorNamesTheMissingAction: with exactly the role that setup writes nothing is
// wrong, and with any one action less the doctor names that.
func TestDoctorNamesTheMissingAction(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		actions := setup.Actions(mode)
		for n := -1; n < len(actions); n++ {
			held, missing := actions, ""
			if n >= 0 {
				missing, held = actions[n], slices.Delete(slices.Clone(actions), n, n+1)
			}
			t.Run(mode+" without "+missing, func(t *testing.T) {
				c := armsim.Config{Principals: []armsim.Principal{
					{ClientID: armsim.DefaultClientID, Secret: "admin"},
					{ClientID: "00000000-0000-4000-8000-0000000000dd", Secret: "weak", Actions: held},
				}}
				in(t, c, func(s *setup.Spec) { s.Mode = mode }, func(p *place) {
					p.settings = strings.ReplaceAll(p.settings, armsim.DefaultClientID, "00000000-0000-4000-8000-0000000000dd")
					p.env["AZURE_CLIENT_SECRET"] = "weak"
					var named []string
					for _, f := range p.examine() {
						if f.Check == "permissions" {
							named = append(named, strings.TrimPrefix(f.Text, "the identity lacks the permission "))
						} else if f.Level == doctor.Fault {
							assert.Equal(p, "Microsoft.Compute/virtualMachineScaleSets/read", missing, f.Text)
						}
					}
					if missing == "" {
						assert.Empty(p, named)
						return
					}
					assert.Contains(p, named, missing)
				})
			})
		}
	}
}

// TestSuspensionNeedsItsActions: one that the runner may ask for is a warning, one that
// the warm pool needs a fault, and without either none is missing.
func TestSuspensionNeedsItsActions(t *testing.T) {
	const deallocate = "Microsoft.Compute/virtualMachineScaleSets/deallocate/action"
	held := slices.DeleteFunc(setup.Actions("Uniform"), func(action string) bool { return action == deallocate })
	c := armsim.Config{Principals: []armsim.Principal{
		{ClientID: armsim.DefaultClientID, Secret: "admin"},
		{ClientID: weakClient, Secret: "weak", Actions: held},
	}}
	in(t, c, func(s *setup.Spec) { s.Mode = "Uniform" }, func(p *place) {
		assert.NoError(p, asWeak(p))
		given := p.settings
		for options, expected := range map[string][]doctor.Level{
			"": {doctor.Warning}, `suspend_mode = "deallocate"`: {doctor.Fault},
			`suspend_mode = "off"`: nil, "suspend_mode = \"off\"\nwarm_pool_size = 2": {doctor.Fault},
		} {
			p.settings = strings.Replace(given, "[runners.autoscaler.plugin_config]\n", "[runners.autoscaler.plugin_config]\n"+options+"\n", 1)
			var levels []doctor.Level
			for _, f := range p.examine() {
				if strings.Contains(f.Text, deallocate) {
					levels = append(levels, f.Level)
				}
			}
			assert.Equal(p, expected, levels, options)
		}
	})
}
