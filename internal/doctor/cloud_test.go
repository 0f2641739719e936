package doctor_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

// TestDoctorAfterSetup: with what setup made, and the configuration that it printed, all
// is in order.
func TestDoctorAfterSetup(t *testing.T) {
	for name, spec := range map[string]func(*setup.Spec){
		"Uniform": nil, "Flexible": func(s *setup.Spec) { s.Mode = "Flexible" }, "Spot": func(s *setup.Spec) { s.Spot = true },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, armsim.Config{}, spec, func(p *place) { assert.Empty(p, p.examine()) })
		})
	}
}

// cloudCase is a cloud in which one thing is wrong, and its fix.
type cloudCase struct {
	config armsim.Config
	spec   func(*setup.Spec)
	broken step
	fixed  step // what the fix says
	check  string
	level  doctor.Level
	text   string
	fix    string
	hides  bool // other checks cannot be made meanwhile
}

// TestCloudFaults: each yields exactly the finding that it should, with a fix, and after
// the fix there is none.
func TestCloudFaults(t *testing.T) {
	all := map[string]cloudCase{}
	for _, some := range []map[string]cloudCase{setCases(), accessCases(), sizeCases(), imageCases(), networkCases(), othersCases()} {
		maps.Copy(all, some)
	}
	assert.GreaterOrEqual(t, len(all), 55, "with those of the configuration there are more than 100")
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			in(t, c.config, c.spec, func(p *place) { c.run(p) })
		})
	}
}

func (c cloudCase) run(p *place) {
	require.NoError(p, c.broken(p))
	all := p.examine()
	wrong := found(all, doctor.Fault, doctor.Warning)
	require.Len(p, wrong, 1, "%v", all)
	if !c.hides {
		assert.Len(p, all, 1)
	}
	assert.Equal(p, c.check, wrong[0].Check)
	assert.Equal(p, c.level, wrong[0].Level, wrong[0].Text)
	assert.Contains(p, wrong[0].Text, c.text)
	assert.Contains(p, wrong[0].Fix, c.fix)
	assert.NotEmpty(p, wrong[0].Fix)
	assert.NotContains(p, wrong[0].Text, "\n")
	require.NoError(p, c.fixed(p))
	assert.Empty(p, p.examine())
}
