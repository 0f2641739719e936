package arm

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// checkNewMachine is Resource Manager's own check of a virtual machine, what every one
// must have, and whether the catalogue serves it.
func (c *call) checkNewMachine(g *world.Group) *problem {
	o := c.machineOrder(g.ID+"/providers/Microsoft.Compute/virtualMachines/"+c.param("machine"), c.body)
	if p := o.checkPlan(); p != nil {
		return p
	}
	if o.sizeName == "" {
		return required("vmSize")
	}
	if len(jsonmap.List(c.body, "zones")) > 0 && zoneOf(c.body) == "" {
		return invalidParameter("zones", "The value of parameter zones is invalid: a virtual machine is in one zone.") // believed
	}
	return o.check()
}

// admitMachine refuses a new virtual machine for which there is no quota.
func (c *call) admitMachine() *world.Failure {
	return c.world.AdmitMachine(jsonmap.Text(c.body, "properties.hardwareProfile.vmSize"), jsonmap.Text(c.body, "properties.priority"))
}

// checkMachineChange refuses what cannot be changed of a virtual machine: its priority, and
// while it is allocated its maximum price (recording 38), its zone
// (terraform-provider-azurerm#3277) and its SSH keys.
func (c *call) checkMachineChange(i *world.Instance) *problem {
	properties := c.body["properties"]
	was, wanted := jsonmap.Text(i.Profile, "priority"), jsonmap.Text(properties, "priority")
	zones, given := c.body["zones"].([]any)
	price := jsonmap.At(properties, "billingProfile.maxPrice")
	switch {
	case wanted != "" && world.IsSpot(wanted) != world.IsSpot(was):
		return propertyChangeNotAllowed("priority")
	case given && !sameZones(zones, i.Zone):
		return propertyChangeNotAllowed("zones")
	case c.changesKeys(i):
		return propertyChangeNotAllowed("linuxConfiguration.ssh.publicKeys")
	case price != nil && !reflect.DeepEqual(price, jsonmap.At(i.Profile, "billingProfile.maxPrice")) && i.Power != world.PowerDeallocated:
		return maxPriceOfAllocated(i.Name)
	}
	return nil
}

func maxPriceOfAllocated(name string) *problem {
	const page = "For more information, see http://aka.ms/AzureSpot/errormessages"
	p := azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed", "Max price change is not allowed. %s", page)
	p.Details = []problem{*azhttp.NewProblem(0, "OperationNotAllowed",
		"Max price change is not allowed when the VM '%s' is currently allocated. Please deallocate and try again. %s", name, page).At(name)}
	return p
}

func sameZones(wanted []any, zone string) bool {
	if zone == "" {
		return len(wanted) == 0
	}
	return len(wanted) == 1 && wanted[0] == zone
}

// changesKeys reports whether the body has other SSH keys than the machine, which
// Azure refuses (aks-engine#585).
func (c *call) changesKeys(i *world.Instance) bool {
	os, _ := jsonmap.At(c.body, "properties.osProfile").(object)
	had, _ := i.Profile["osProfile"].(object)
	keys := world.PublicKeys(os)
	return len(keys) > 0 && !slices.Equal(keys, world.PublicKeys(had))
}

func isResourceID(id string) bool {
	id = strings.ToLower(id)
	return strings.HasPrefix(id, "/subscriptions/") || strings.HasPrefix(id, "/providers/")
}

// checkLinkedIDs refuses a resource ID in a model that is none. It is Resource Manager's check
// of a request's body, whatever the provider makes of the property (recording 38).
func checkLinkedIDs(v any, path string) *problem {
	switch v := v.(type) {
	case object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			member := v[key]
			id, isText := member.(string)
			below := path + "." + key
			if key == "id" && isText && !isResourceID(id) {
				return byGateway(azhttp.NewProblem(http.StatusBadRequest, "LinkedInvalidPropertyId",
					"Property id '%s' at path '%s' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.", id, below))
			}
			if p := checkLinkedIDs(member, below); p != nil {
				return p
			}
		}
	case []any:
		for n, element := range v {
			if p := checkLinkedIDs(element, fmt.Sprintf("%s[%d]", path, n)); p != nil {
				return p
			}
		}
	}
	return nil
}
