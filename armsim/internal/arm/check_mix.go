package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// mostSizes is how many sizes an instance mix may have.
const mostSizes = 5

// checkMix refuses a wrong instance mix with the codes of Microsoft's page on its problems.
// Their status and words are believed, as is the refusal of a mix without sizes.
func checkMix(model object) *problem {
	profile := jsonmap.At(model, "properties.skuProfile")
	mix := strings.EqualFold(jsonmap.Text(model, "sku.name"), world.Mixed)
	if profile == nil && !mix {
		return nil
	}
	names := mixedNames(profile)
	strategy := jsonmap.Text(profile, "allocationStrategy")
	strategies := []string{"", world.StrategyLowestPrice, world.StrategyCapacityOptimized, world.StrategyPrioritized}
	switch {
	case !mix:
		return badMix("SkuNameMustBeMixIfSkuProfileIsSpecified", "The SKU's name must be 'Mix' where a SKU profile is specified.")
	case jsonmap.At(model, "sku.tier") != nil:
		return badMix("SkuTierMustNotBeSetIfSkuProfileIsSpecified", "The SKU's tier must not be set where a SKU profile is specified.")
	case len(names) == 0:
		return badMix("SkuProfileVMSizesCannotBeNullOrEmpty", "The SKU profile must have VM sizes.")
	case len(names) > mostSizes:
		return badMix("SkuProfileHasTooManyVMSizesInRequest", "The SKU profile has too many VM sizes.")
	case len(slices.Compact(slices.Sorted(slices.Values(names)))) < len(names):
		return badMix("SkuProfileVMSizesCannotHaveDuplicates", "The SKU profile has a VM size twice.")
	case !slices.ContainsFunc(strategies, func(one string) bool { return strings.EqualFold(one, strategy) }):
		return badMix("SkuProfileAllocationStrategyInvalid", "The allocation strategy of the SKU profile is invalid.")
	case !strings.EqualFold(jsonmap.Text(model, "properties.orchestrationMode"), "Flexible"),
		jsonmap.At(model, "properties.virtualMachineProfile.storageProfile.osDisk.diffDiskSettings") != nil:
		return badMix("SkuProfileScenarioNotSupported", "The scale set has a property that a SKU profile does not support.")
	}
	return nil
}

// mixedNames are the sizes of a SKU profile in lower case.
func mixedNames(profile any) []string {
	var names []string
	for _, one := range jsonmap.List(profile, "vmSizes") {
		names = append(names, strings.ToLower(jsonmap.Text(one, "name")))
	}
	return names
}

func badMix(code, message string) *problem {
	return azhttp.NewProblem(http.StatusBadRequest, code, "%s", message)
}
