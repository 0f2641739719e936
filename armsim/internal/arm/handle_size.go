package arm

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

func listLocations(c *call) (*response, *problem) {
	value := []any{}
	for _, l := range c.world.Catalog.Locations() {
		value = append(value, c.location(l))
	}
	return &response{Status: http.StatusOK, Body: object{"value": value}}, nil
}

// location has the fields of the specification of subscriptions (2022-12-01).
func (c *call) location(l catalog.Location) object {
	root := "/subscriptions/" + c.front.config.SubscriptionID + "/locations/"
	metadata := object{
		"regionType": "Physical", "regionCategory": "Recommended", "geographyGroup": l.Group, "physicalLocation": l.Display, "pairedRegion": []any{},
	}
	if l.Paired != "" {
		metadata["pairedRegion"] = []any{object{"name": l.Paired, "id": root + l.Paired}}
	}
	body := object{
		"id": root + l.Name, "name": l.Name, "type": "Region", "displayName": l.Display,
		"regionalDisplayName": "(" + l.Group + ") " + l.Display, "metadata": metadata,
	}
	if len(l.Zones) > 0 {
		mappings := []any{}
		for _, zone := range l.Zones {
			mappings = append(mappings, object{"logicalZone": zone, "physicalZone": l.Name + "-az" + zone})
		}
		body["availabilityZoneMappings"] = mappings
	}
	return body
}

// locationFilter is the only filter that the list of sizes has.
var locationFilter = regexp.MustCompile(`^\s*location\s+eq\s+'([^']*)'\s*$`)

// listSizes is one page however long it is, as recorded (recording 32).
func listSizes(c *call) (*response, *problem) {
	locations := c.world.Catalog.Locations()
	if filter := c.query.get("$filter"); filter != "" {
		m := locationFilter.FindStringSubmatch(filter)
		if m == nil {
			return nil, notSimulated("the list of sizes with", "the filter "+strconv.Quote(filter))
		}
		one, ok := c.world.Catalog.Location(m[1])
		locations = []catalog.Location{one}
		if !ok {
			locations = nil
		}
	}
	value := []any{}
	for _, l := range locations {
		value = append(value, object{
			"resourceType": "availabilitySets", "name": "Aligned", "locations": []any{l.Name}, "restrictions": []any{},
			"locationInfo": []any{object{"location": l.Name, "zones": []any{}, "zoneDetails": []any{}}},
			"capabilities": []any{object{"name": "MaximumPlatformFaultDomainCount", "value": "3"}},
		})
		for _, s := range c.world.Catalog.Sizes() {
			value = append(value, c.size(s, l))
		}
	}
	return &response{Status: http.StatusOK, Body: object{"value": value}}, nil
}

func (c *call) size(s catalog.Size, l catalog.Location) object {
	zones, details := texts(l.Zones), []any{}
	if len(zones) > 0 && s.Premium {
		details = []any{object{"Name": zones, "name": nil, "capabilities": []any{object{"name": "UltraSSDAvailable", "value": "True"}}}}
	}
	restrictions := []any{}
	if r, ok := c.world.Catalog.Restriction(s.Name); ok {
		restrictions = restrictionsOf(r, l)
	}
	return object{
		"resourceType": "virtualMachines", "name": s.Name, "tier": "Standard", "size": strings.TrimPrefix(s.Name, "Standard_"), "family": s.Family,
		"locations": []any{l.Name}, "locationInfo": []any{object{"location": l.Name, "zones": zones, "zoneDetails": details}},
		"capabilities": capabilitiesOf(s), "restrictions": restrictions,
	}
}

// restrictionsOf has one of the location only where no zone is named, and one of
// zones, as recorded.
func restrictionsOf(r catalog.Restriction, l catalog.Location) []any {
	at, all := []any{l.Name}, []any{}
	if len(r.Zones) == 0 {
		all = append(all, object{"type": "Location", "values": at, "restrictionInfo": object{"locations": at}, "reasonCode": r.Reason})
		r.Zones = l.Zones
	}
	if len(r.Zones) > 0 {
		all = append(all, object{
			"type": "Zone", "values": at, "restrictionInfo": object{"locations": at, "zones": texts(r.Zones)}, "reasonCode": r.Reason,
		})
	}
	return all
}

// capabilitiesOf are texts all of them (recording 32). HibernationSupported and
// DiskControllerTypes are documented.
func capabilitiesOf(s catalog.Size) []any {
	all := []any{}
	add := func(name, value string) { all = append(all, object{"name": name, "value": value}) }
	flag := func(name string, value bool) {
		text := "False"
		if value {
			text = "True"
		}
		add(name, text)
	}
	add("MaxResourceVolumeMB", fmt.Sprint(1024*s.TempGB))
	add("OSVhdSizeMB", "1047552")
	add("vCPUs", fmt.Sprint(s.VCPUs))
	flag("MemoryPreservingMaintenanceSupported", true)
	add("HyperVGenerations", s.Generations)
	add("MemoryGB", strconv.FormatFloat(s.MemoryGB, 'f', -1, 64))
	add("MaxDataDiskCount", fmt.Sprint(2*s.VCPUs))
	add("CpuArchitectureType", s.Architecture)
	flag("LowPriorityCapable", !s.NoSpot)
	flag("HibernationSupported", s.Hibernation)
	flag("PremiumIO", s.Premium)
	add("VMDeploymentTypes", "IaaS")
	add("vCPUsAvailable", fmt.Sprint(s.VCPUs))
	flag("EphemeralOSDiskSupported", s.Ephemeral)
	flag("EncryptionAtHostSupported", true)
	flag("CapacityReservationSupported", false)
	flag("AcceleratedNetworkingEnabled", true)
	flag("RdmaEnabled", false)
	add("MaxNetworkInterfaces", "2")
	return all
}

// noLimit is what the list of usages has for a limit that is not set.
const noLimit = 100_000

// listUsages has figures of the configured location alone; elsewhere nothing
// runs.
func listUsages(c *call) (*response, *problem) {
	if _, ok := c.world.Catalog.Location(c.param("location")); !ok {
		return nil, unknownLocation()
	}
	here := catalog.CanonicalLocation(c.param("location")) == catalog.CanonicalLocation(c.front.config.Location)
	value := []any{}
	for _, u := range c.world.Usages() {
		if !here {
			u.Current = 0
		}
		if u.Limit == 0 {
			u.Limit = noLimit
		}
		value = append(value, object{
			"unit": "Count", "currentValue": u.Current, "limit": u.Limit, "name": object{"value": u.Name, "localizedValue": u.Display},
		})
	}
	return &response{Status: http.StatusOK, Body: object{"value": value}}, nil
}

// listRegionalSizes are the sizes in the older list, which has no restrictions (the
// specification of virtual machine sizes).
func listRegionalSizes(c *call) (*response, *problem) {
	if _, ok := c.world.Catalog.Location(c.param("location")); !ok {
		return nil, unknownLocation()
	}
	return page(c.pager, c.world.Catalog.Sizes(), sizeKey, oldSize)
}

// listMachineSizes are those that a virtual machine can be changed to.
func listMachineSizes(c *call) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return page(c.pager, sizesLike(c.world.Catalog, i.Size), sizeKey, oldSize)
}

func oldSize(s catalog.Size) object {
	return object{
		"name": s.Name, "numberOfCores": s.VCPUs, "memoryInMB": int(1024 * s.MemoryGB), "maxDataDiskCount": 2 * s.VCPUs,
		"osDiskSizeInMB": 1047552, "resourceDiskSizeInMB": 1024 * s.TempGB,
	}
}

func sizeKey(s catalog.Size) string { return strings.ToLower(s.Name) }

func unknownLocation() *problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidParameter", "The value of parameter location is invalid.").At("location")
}

// sizesLike are those that what has this size can be changed to.
func sizesLike(all *catalog.Catalog, size string) []catalog.Size {
	present, known := all.Size(size)
	return slices.DeleteFunc(all.Sizes(), func(s catalog.Size) bool {
		_, restricted := all.Restriction(s.Name)
		return restricted || known && s.Architecture != present.Architecture
	})
}

// listScaleSetSizes are those that a scale set can be changed to: of the
// architecture that it has.
func listScaleSetSizes(c *call) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	return page(c.pager, sizesLike(c.world.Catalog, set.Size()), sizeKey, func(s catalog.Size) object { return scaleSetSize(s, set) })
}

func scaleSetSize(s catalog.Size, set *world.ScaleSet) object {
	most := 100
	if single, ok := set.Model["properties"].(object)["singlePlacementGroup"].(bool); ok && !single || !set.Uniform() {
		most = 1000
	}
	return object{
		"resourceType": "Microsoft.Compute/virtualMachineScaleSets", "sku": object{"name": s.Name, "tier": "Standard"},
		"capacity": object{"minimum": 0, "maximum": most, "defaultCapacity": 1, "scaleType": "Automatic"},
	}
}
