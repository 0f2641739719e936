package preflight

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// WarmPool returns why a scale set can have no warm pool; nothing where it can.
func WarmPool(set vmss.ScaleSet) []Finding {
	if !set.Model.EphemeralDisk {
		return nil
	}
	return []Finding{{Refusal, "its instances have ephemeral OS disks, which cannot be deallocated, so that it can have no warm pool", "set warm_pool_size = 0, or create the scale set with a managed OS disk"}}
}

// Suspension returns why the instances of a scale set cannot be suspended in the way that
// is wanted, with the fixes; nothing where they can. The rules are those of Microsoft's
// pages on ephemeral OS disks and on hibernation. That the disk must hold the memory is
// not checked: the model has neither.
func Suspension(set vmss.ScaleSet, hibernate bool) []Finding {
	var all []Finding
	refuse := func(problem, fix string) {
		all = append(all, Finding{Refusal, problem, strings.ReplaceAll(fix, "%s", set.ID)})
	}
	if set.Model.EphemeralDisk {
		refuse("its instances have ephemeral OS disks, which cannot be deallocated", `set suspend_mode = "off", or create the scale set with a managed OS disk`)
	}
	if !hibernate {
		return all
	}
	if set.Mode != vmss.Flexible {
		refuse("instances in Uniform orchestration cannot hibernate", `set suspend_mode = "deallocate", or create the scale set in Flexible orchestration`)
		return all
	}
	if !set.Model.Hibernation {
		refuse("its model does not allow hibernation", `set suspend_mode = "deallocate", or create the scale set with additionalCapabilities.hibernationEnabled`)
	}
	if set.IsSpot() {
		refuse("Spot instances cannot hibernate", `set suspend_mode = "deallocate", or create the scale set without Spot`)
	}
	return all
}
