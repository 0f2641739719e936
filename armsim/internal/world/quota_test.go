package world

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
)

// newRegularSet adds a scale set of two vCPUs an instance.
func newRegularSet(t *testing.T, w *World, capacity int) *ScaleSet {
	t.Helper()
	model := object{"sku": object{"name": "Standard_D2s_v5"}, "properties": object{"orchestrationMode": "Uniform", "virtualMachineProfile": object{}}}
	set, _, f := w.AddGroup("regular", "l").CreateScaleSet("regular", model, "", capacity)
	require.Nil(t, f)
	w.Clock.Advance(settled)
	return set
}

func usage(t *testing.T, w *World, name string) Usage {
	t.Helper()
	for _, u := range w.Usages() {
		if u.Name == name {
			return u
		}
	}
	t.Fatalf("no usage %q", name)
	return Usage{}
}

func TestQuota(t *testing.T) {
	const family = "standardDSv5Family"
	for name, c := range map[string]struct {
		limit func(*World)
		spot  bool
		want  string // in the refusal
	}{
		"region":                {func(w *World) { w.SetCoreQuota(4) }, false, "approved Total Regional Cores quota"},
		"family":                {func(w *World) { mustChange(t, w, family, 4) }, false, "approved standardDSv5Family Cores quota"},
		"spot":                  {func(w *World) { mustChange(t, w, catalog.LowPriorityCores, 4) }, true, "approved LowPriorityCores quota"},
		"region is not of Spot": {func(w *World) { w.SetCoreQuota(4) }, true, ""},
		"family is not of Spot": {func(w *World) { mustChange(t, w, family, 4) }, true, ""},
		"none is not none left": {func(w *World) { mustChange(t, w, family, 0) }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, spot := newSet(t, "Uniform", 1, nil)
			set := newRegularSet(t, w, 1)
			if c.spot {
				set = spot
			}
			c.limit(w)
			assert.Nil(t, set.Admit(2))
			assert.Nil(t, set.Admit(0), "less is always allowed")
			f := set.Admit(3)
			if c.want == "" {
				require.Nil(t, f)
				return
			}
			require.NotNil(t, f)
			assert.Equal(t, "OperationNotAllowed", f.Code)
			assert.Contains(t, f.Message, c.want)
			assert.Contains(t, f.Message, "Current Limit: 4, Current Usage: 2, Additional Required: 4, (Minimum) New Limit Required: 6.")
		})
	}
}

func mustChange(t *testing.T, w *World, quota string, n int) {
	t.Helper()
	require.NoError(t, w.Catalog.Change(catalog.Changes{Quotas: map[string]int{quota: n}}))
}

func TestUsagesAreOfWhatRuns(t *testing.T) {
	w, _ := newSet(t, "Uniform", 2, nil)
	newRegularSet(t, w, 3)
	mustChange(t, w, "standardDSv5Family", 10)
	assert.Equal(t, 6, usage(t, w, "cores").Current)
	assert.Equal(t, 4, usage(t, w, catalog.LowPriorityCores).Current)
	assert.Equal(t, Usage{"standardDSv5Family", "Standard DSv5 Family vCPUs", 6, 10}, usage(t, w, "standardDSv5Family"))
	assert.Equal(t, 5, usage(t, w, "virtualMachines").Current)
	assert.Equal(t, 2, usage(t, w, "virtualMachineScaleSets").Current)
}
