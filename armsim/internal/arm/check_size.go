package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// order is the model of a new scale set or virtual machine as the catalogue has to serve it.
type order struct {
	call     *call
	catalog  *catalog.Catalog
	model    object
	profile  object // of virtual machines
	id       string // of what is to be
	sizeName string
	machine  bool // it is a virtual machine, not a scale set
}

// orderOf is the order of a scale set.
func (c *call) orderOf(id string, model object) order {
	profile, _ := jsonmap.At(model, "properties.virtualMachineProfile").(object)
	return order{call: c, catalog: c.world.Catalog, model: model, profile: profile, id: id, sizeName: jsonmap.Text(model, "sku.name")}
}

// machineOrder is the order of a virtual machine.
func (c *call) machineOrder(id string, model object) order {
	profile, _ := model["properties"].(object)
	return order{call: c, catalog: c.world.Catalog, model: model, profile: profile, id: id, sizeName: jsonmap.Text(profile, "hardwareProfile.vmSize"), machine: true}
}

// check refuses what the catalogue cannot serve. The order of the checks is believed.
// An update is not checked: Azure does that, too.
func (o *order) check() *problem {
	checks := []func() *problem{o.checkZones, o.checkSize, o.checkHibernation, o.checkPlan, o.checkImage}
	switch {
	case o.machine: // checkNewMachine has looked at its plan
		checks = []func() *problem{o.checkZones, o.checkSize, o.checkHibernation, o.checkImage}
	case withoutProfile(o.model):
		checks = []func() *problem{o.checkZones, o.checkSize}
	}
	for _, check := range checks {
		if p := check(); p != nil {
			return p
		}
	}
	return nil
}

func (o *order) kind() string {
	if o.machine {
		return "virtualMachines"
	}
	return "virtualMachineScaleSets"
}

func (o *order) location() string { return jsonmap.Text(o.model, "location") }

func (o *order) zones() []string {
	var zones []string
	for _, zone := range jsonmap.List(o.model, "zones") {
		if text, ok := zone.(string); ok {
			zones = append(zones, text)
		}
	}
	return zones
}

// checkZones knows the zones of the regions that there are. The first refusal is
// reported (cluster-api-provider-azure#294), the second believed.
func (o *order) checkZones() *problem {
	location, known := o.catalog.Location(o.location())
	zones := o.zones()
	if !known || len(zones) == 0 {
		return nil
	}
	if len(location.Zones) == 0 {
		return azhttp.NewProblem(http.StatusBadRequest, "ResourceTypeNotSupportAvailabilityZones",
			"The resource type '%s' does not support availability zones at location '%s' and api-version '%s'.", o.kind(), location.Name, o.call.apiVersion)
	}
	for _, zone := range zones {
		if !slices.Contains(location.Zones, zone) {
			return azhttp.NewProblem(http.StatusBadRequest, "AvailabilityZoneNotSupported",
				"The zone(s) '%s' for resource '%s' is not supported. The supported zones for location '%s' are '%s'", zone, o.id, location.Name, strings.Join(location.Zones, ","))
		}
	}
	return nil
}

// size is the one that is asked for; false: there is none to look at.
func (o *order) size() (catalog.Size, bool) { return o.catalog.Size(o.sizeName) }

func (o *order) checkSize() *problem {
	name := o.sizeName
	size, known := o.size()
	switch {
	case name == "":
		return nil
	case strings.EqualFold(name, world.Mixed):
		return o.checkMixedSizes()
	case !known:
		return sizeNotValid(name, o.catalog.Sizes())
	}
	if p := o.checkRestriction(size.Name); p != nil {
		return p
	}
	return o.checkEphemeral(size)
}

// checkMixedSizes finds the first size of an instance mix that there is not.
func (o *order) checkMixedSizes() *problem {
	for _, one := range jsonmap.List(o.model, "properties.skuProfile.vmSizes") {
		name := jsonmap.Text(one, "name")
		if _, known := o.catalog.Size(name); !known {
			return sizeNotValid(name, o.catalog.Sizes())
		}
	}
	return nil
}

// sizeNotValid is reported (viya4-iac-azure#116, azure-quickstart-templates#7147).
func sizeNotValid(name string, sizes []catalog.Size) *problem {
	var names []string
	for _, s := range sizes {
		names = append(names, s.Name)
	}
	return invalidParameter("vmSize", "The value %s provided for the VM size is not valid. The valid sizes in the current region are: %s. Find out more on the available VM sizes in each region at https://aka.ms/azure-regions.",
		name, strings.Join(names, ","))
}

// checkRestriction has reported words (aks-baseline#372), and the status of
// karpenter-provider-azure#192.
func (o *order) checkRestriction(size string) *problem {
	r, restricted := o.catalog.Restriction(size)
	if !restricted {
		return nil
	}
	zones := o.zones()
	closed := func(zone string) bool { return slices.Contains(r.Zones, zone) }
	if len(r.Zones) > 0 && !slices.ContainsFunc(zones, closed) {
		return nil
	}
	return azhttp.NewProblem(http.StatusConflict, "SkuNotAvailable",
		"The requested size for resource '%s' is currently not available in location '%s' zones '%s' for subscription '%s'. Please try another size or deploy to a different location or zones. See https://aka.ms/azureskunotavailable for details.",
		o.id, o.location(), strings.Join(zones, ","), o.call.front.config.SubscriptionID)
}

// checkEphemeral has the code and status of a disk that is too big
// (bosh-azure-cpi-release#674); the words are believed.
func (o *order) checkEphemeral(size catalog.Size) *problem {
	if jsonmap.Text(o.profile, "storageProfile.osDisk.diffDiskSettings.option") == "" || size.Ephemeral {
		return nil
	}
	return azhttp.NewProblem(http.StatusConflict, "NotSupported",
		"OS disk of Ephemeral VM is not allowed for VM size %s: it has neither cache nor temporary disk. Please refer to https://aka.ms/Ephemeral for more details.", size.Name)
}
