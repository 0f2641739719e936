package arm

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// checkRequired finds what a new scale set's model lacks, as its client wrote it. Words and
// targets are reported for the upgrade policy (azure_preview_modules#259,
// azure-docs#74002) and the operating system's profile (ansible-collections/azure#378),
// and by these believed for the others; so is the order.
func checkRequired(model object) *problem {
	flexible := strings.EqualFold(jsonmap.Text(model, "properties.orchestrationMode"), "Flexible")
	profile, given := jsonmap.At(model, "properties.virtualMachineProfile").(object)
	switch {
	case flexible && !given:
		return nil
	case model["properties"] == nil:
		return required("properties")
	case !flexible && jsonmap.At(model, "properties.upgradePolicy") == nil:
		return required("upgradePolicy")
	case !flexible && jsonmap.Text(model, "properties.upgradePolicy.mode") == "":
		return required("upgradePolicy.mode")
	case !given:
		return required("virtualMachineProfile")
	}
	return checkProfile(profile)
}

// checkProfile finds what a virtual machine profile lacks. Whether it needs a user depends
// on the image, see checkImage.
func checkProfile(profile object) *problem {
	storage, _ := profile["storageProfile"].(object)
	disk, _ := storage["osDisk"].(object)
	switch {
	case storage == nil:
		return required("storageProfile")
	case storage["imageReference"] == nil && disk["image"] == nil && disk["vhdContainers"] == nil:
		return required("storageProfile.imageReference")
	case profile["networkProfile"] == nil:
		return required("networkProfile")
	case len(jsonmap.List(profile, "networkProfile.networkInterfaceConfigurations")) == 0:
		return required("networkProfile.networkInterfaceConfigurations")
	}
	return nil
}

// checkZonesKept refuses a list of zones that lacks one that there was. New ones may be
// added (terraform-provider-azurerm#27288); code and status are reported
// (azure-powershell#4704).
func checkZonesKept(before, after object) *problem {
	now := zonesOf(after)
	for zone := range zonesOf(before) {
		if !now[zone] {
			return propertyChangeNotAllowed("zones")
		}
	}
	return nil
}

func zonesOf(model object) map[string]bool {
	all := map[string]bool{}
	for _, zone := range jsonmap.List(model, "zones") {
		name, _ := zone.(string)
		all[name] = true
	}
	return all
}
