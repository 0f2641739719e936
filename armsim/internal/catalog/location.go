package catalog

import "strings"

// Location is a region.
type Location struct {
	Name    string
	Display string
	Group   string // of its geography
	Paired  string
	Zones   []string
}

var inZones = []string{"1", "2", "3"}

// newLocations are some of Azure's regions; the configured one is added where it
// is none of them.
func newLocations(configured string) []Location {
	all := []Location{
		{"eastus", "East US", "US", "westus", inZones},
		{"eastus2", "East US 2", "US", "centralus", inZones},
		{"germanywestcentral", "Germany West Central", "Europe", "germanynorth", inZones},
		{"northcentralus", "North Central US", "US", "southcentralus", nil},
		{"northeurope", "North Europe", "Europe", "westeurope", inZones},
		{"uksouth", "UK South", "Europe", "ukwest", inZones},
		{"westeurope", "West Europe", "Europe", "northeurope", inZones},
		{"westus", "West US", "US", "eastus", nil},
		{"westus2", "West US 2", "US", "westcentralus", inZones},
	}
	for _, one := range all {
		if one.Name == configured {
			return all
		}
	}
	return append(all, Location{configured, configured, "Europe", "", inZones})
}

// CanonicalLocation is a region's name as it stands in paths: Azure takes display
// names such as "West Europe" in its place.
func CanonicalLocation(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }
