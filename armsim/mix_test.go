package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// mix makes a model one of several sizes, ranked in their order.
func mix(strategy string, sizes ...string) func(object) {
	return func(model object) {
		list := []object{}
		for n, size := range sizes {
			list = append(list, object{"name": size, "rank": n})
		}
		model["sku"] = object{"name": "Mix", "capacity": get(model, "sku.capacity")}
		model["properties"].(object)["skuProfile"] = object{"vmSizes": list, "allocationStrategy": strategy}
	}
}

func (s *sim) mixed(t *testing.T, strategy string, sizes ...string) string {
	t.Helper()
	spec := flexible(0)
	spec.Change = mix(strategy, sizes...)
	return s.scaleSet(t, spec)
}

// got counts the sizes that machines have.
func (s *sim) got(t *testing.T, set string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, m := range s.machines(t, set) {
		counts[get(m, "properties.hardwareProfile.vmSize").(string)]++
	}
	return counts
}

// TestMixSkipsWhatThereIsNot: a size without quota, or without stock, is passed over for
// the next.
func TestMixSkipsWhatThereIsNot(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{
		Catalog: armsim.CatalogChanges{Quotas: map[string]int{"standardDSv5Family": 4}},
		Stock:   []armsim.Stock{{Size: "Standard_D2as_v5", Count: 1}},
	})
	set := s.mixed(t, "Prioritized", "Standard_D2s_v5", "Standard_D2as_v5", "Standard_E2s_v5")
	raised := s.setCapacity(t, set, 5)
	require.Equal(t, http.StatusOK, raised.status, raised.raw)
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, raised))
	assert.Equal(t, map[string]int{"Standard_D2s_v5": 2, "Standard_D2as_v5": 1, "Standard_E2s_v5": 2}, s.got(t, set))
	found := s.get(t, set)
	assert.Equal(t, "Mix", found.text("sku.name"))
	assert.Nil(t, get(found.body, "sku.tier"))
}

func TestMixWithoutAnyRoom(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{CoreQuota: 2, Stock: []armsim.Stock{{Count: 0}}})
	set := s.mixed(t, "Prioritized", "Standard_D2s_v5", "Standard_E2s_v5")
	assert.Equal(t, "OperationNotAllowed", s.setCapacity(t, set, 2).code())
	raised := s.setCapacity(t, set, 1)
	s.Advance(settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, raised))
}

func TestMixStrategies(t *testing.T) {
	t.Parallel()
	for strategy, want := range map[string]string{"Prioritized": "Standard_D4s_v5", "lowestPrice": "Standard_D2s_v5", "CapacityOptimized": "Standard_E2s_v5"} {
		s := virtual(t, armsim.Config{Stock: []armsim.Stock{{Size: "Standard_D*", Count: 5}}})
		set := s.mixed(t, strategy, "Standard_D4s_v5", "Standard_E2s_v5", "Standard_D2s_v5")
		if strategy == "lowestPrice" {
			want = "Standard_E2s_v5" // the first of two vCPUs
		}
		s.setCapacity(t, set, 2)
		assert.Equal(t, map[string]int{want: 2}, s.got(t, set), strategy)
	}
}

func TestMixRefused(t *testing.T) {
	t.Parallel()
	many := []string{"Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5", "Standard_E2s_v5", "Standard_E4s_v5", "Standard_D2as_v5"}
	s := virtual(t, armsim.Config{})
	for want, change := range map[string]func(object){
		"SkuProfileVMSizesCannotBeNullOrEmpty":       mix("Prioritized"),
		"SkuProfileHasTooManyVMSizesInRequest":       mix("Prioritized", many...),
		"SkuProfileVMSizesCannotHaveDuplicates":      mix("Prioritized", "Standard_D2s_v5", "standard_d2s_v5"),
		"SkuProfileAllocationStrategyInvalid":        mix("Cheapest", many[:2]...),
		"The value Standard_X provided":              mix("Prioritized", "Standard_D2s_v5", "Standard_X"),
		"SkuNameMustBeMixIfSkuProfileIsSpecified":    both(mix("Prioritized", many[:2]...), setSize("Standard_D2s_v5")),
		"SkuTierMustNotBeSetIfSkuProfileIsSpecified": both(mix("Prioritized", many[:2]...), func(m object) { m["sku"].(object)["tier"] = "Standard" }),
		"SkuProfileScenarioNotSupported":             both(mix("Prioritized", many[:2]...), ephemeral),
	} {
		spec := flexible(0)
		spec.Change = change
		_, err := s.CreateScaleSet(t.Context(), spec)
		require.ErrorContains(t, err, want)
	}
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Change: mix("Prioritized", many[:2]...)})
	require.ErrorContains(t, err, "SkuProfileScenarioNotSupported", "Uniform")
	set := s.mixed(t, "Prioritized", many[:2]...)
	r := s.send(t, "PATCH", set, object{"sku": object{"name": "Mix", "tier": "Standard", "capacity": 1}})
	assert.Equal(t, "SkuTierMustNotBeSetIfSkuProfileIsSpecified", r.code())
	r = s.send(t, "PATCH", set, object{"properties": object{"skuProfile": object{"vmSizes": []object{{"name": "Standard_E2s_v5"}}, "allocationStrategy": "LowestPrice"}}})
	require.Equal(t, http.StatusOK, r.status, r.raw)
	s.setCapacity(t, set, 1)
	assert.Equal(t, map[string]int{"Standard_E2s_v5": 1}, s.got(t, set), "the new list counts")
}
