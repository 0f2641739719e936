package arm

// What a client asks for before it knows a group, and the lists of a whole
// subscription.

func routesOfTenant() []route {
	// Who may read what is decided for each entry, so that these demand no action.
	return []route{
		{"Subscriptions_List", get, "/subscriptions", "", limitNone, listSubscriptions},
		{"Tenants_List", get, "/tenants", "", limitNone, listTenants},
		{"Resources_List", get, subscriptionPath + "/resources", "Microsoft.Resources/subscriptions/resources/read", limitNone, listAllResources},
	}
}

func routesOfAllGroups() []route {
	const (
		sets       = "/providers/Microsoft.Compute/virtualMachineScaleSets"
		machines   = "/providers/Microsoft.Compute/virtualMachines"
		interfaces = "/providers/Microsoft.Network/networkInterfaces"
		addresses  = "/providers/Microsoft.Network/publicIPAddresses"
		vnets      = "/providers/Microsoft.Network/virtualNetworks"
		groups     = "/providers/Microsoft.Network/networkSecurityGroups"
		location   = "/providers/Microsoft.Compute/locations/{location}"
	)
	return []route{
		{"VirtualMachineScaleSets_ListAll", get, subscriptionPath + sets, setAction + "read", limitScaleSetList, listAllScaleSets},
		{"VirtualMachineScaleSets_ListByLocation", get, subscriptionPath + location + "/virtualMachineScaleSets", setAction + "read", limitScaleSetList, listAllScaleSets},
		{"VirtualMachines_ListAll", get, subscriptionPath + machines, ownAction + "read", limitMachineList, listAllMachines},
		{"VirtualMachines_ListByLocation", get, subscriptionPath + location + "/virtualMachines", ownAction + "read", limitMachineList, listAllMachines},
		{"NetworkInterfaces_ListAll", get, subscriptionPath + interfaces, networkAction + "networkInterfaces/read", limitNone, listEveryInterface},
		{"PublicIPAddresses_ListAll", get, subscriptionPath + addresses, networkAction + "publicIPAddresses/read", limitNone, ofNetworks(listEveryAddress)},
		{"VirtualNetworks_ListAll", get, subscriptionPath + vnets, networkAction + "virtualNetworks/read", limitNone, listEveryNetwork(virtualNetworks)},
		{"NetworkSecurityGroups_ListAll", get, subscriptionPath + groups, networkAction + "networkSecurityGroups/read", limitNone, listEveryNetwork(securityGroups)},
	}
}
