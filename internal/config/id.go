package config

// GroupID is the resource ID of the resource group.
func (c *Config) GroupID() string {
	return "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + c.ResourceGroupName
}

// ScaleSetID is the resource ID of the scale set.
func (c *Config) ScaleSetID() string {
	return c.GroupID() + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + c.Name
}
