package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// checkHibernation refuses hibernation where it cannot be enabled, with the code of
// Microsoft's page on hibernation problems. The words for Spot are that page's; the others'
// and the status are believed.
func (o *order) checkHibernation() *problem {
	if !jsonmap.Bool(o.model, "properties.additionalCapabilities.hibernationEnabled") {
		return nil
	}
	size, known := o.size()
	disk, _ := jsonmap.At(o.profile, "storageProfile.osDisk.diskSizeGB").(float64)
	switch {
	case !o.machine && !strings.EqualFold(jsonmap.Text(o.model, "properties.orchestrationMode"), "Flexible"):
		return noHibernation("Virtual Machine Scale Sets with Uniform orchestration")
	case world.IsSpot(jsonmap.Text(o.profile, "priority")):
		return noHibernation("Spot VMs")
	case known && !size.Hibernation:
		return noHibernation("VM size " + size.Name)
	case jsonmap.Text(o.profile, "storageProfile.osDisk.diffDiskSettings.option") != "":
		return noHibernation("VMs with an ephemeral OS disk")
	case known && disk < size.MemoryGB:
		return noHibernation("VMs whose OS disk is smaller than their memory")
	}
	return nil
}

func noHibernation(of string) *problem {
	return azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed", "Hibernation capability isn't supported for %s.", of)
}
