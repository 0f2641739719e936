package doctor_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
)

// TestSeveralScaleSets: each is examined, whatever another one lacks, and max_instances is
// compared with all of them.
func TestSeveralScaleSets(t *testing.T) {
	in(t, armsim.Config{}, nil, func(p *place) {
		const name = "ci-regular"
		var model body
		require.NoError(p, p.admin.Get(p.Context(), "VirtualMachineScaleSets_Get", p.setup.Spec.ScaleSetID(), nil, &model))
		id := p.group() + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + name
		require.NoError(p, p.do(http.MethodPut, id, "2025-04-01", model))
		require.NoError(p, p.edit(`name = "ci"`, `scale_sets = ["ci", "`+name+`"]`))
		assert.Empty(p, p.examine())

		p.sim.SetCoreQuota(6)
		assert.Empty(p, found(p.examine(), doctor.Fault, doctor.Warning), "what one has no room for the other one makes")
		p.sim.SetCoreQuota(10_000)

		require.NoError(p, p.edit("max_instances = 10", "max_instances = 2001"))
		sums := found(p.examine(), doctor.Fault)
		require.Len(p, sums, 1)
		assert.Equal(p, "max-instances", sums[0].Check)
		assert.Contains(p, sums[0].Text, "max_instances = 2001, and the 2 scale sets take 2000 together")
		require.NoError(p, p.edit("max_instances = 2001", "max_instances = 10"))

		require.NoError(p, p.do(http.MethodPatch, id, "2025-04-01", body{"properties": body{"upgradePolicy": body{"mode": "Automatic"}}}))
		wrong := found(p.examine(), doctor.Fault, doctor.Warning)
		require.Len(p, wrong, 1)
		assert.Equal(p, `scale set "ci-regular"`, wrong[0].About)

		require.NoError(p, p.do(http.MethodDelete, id, "2025-04-01", nil))
		time.Sleep(10 * time.Minute) // of virtual time
		missing := found(p.examine(), doctor.Fault)
		require.Len(p, missing, 1)
		assert.Contains(p, missing[0].Text, name)
	})
}
