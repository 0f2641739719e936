package preflight

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// check is a row of the tables below.
type check struct {
	found   func(vmss.ScaleSet) bool
	problem string
	fix     string // %s is replaced by the scale set's resource ID
}

// refusals are what would kill jobs. Sources: GitLab Runner's autoscaler documentation
// on overprovisioning and scaling mode, Microsoft's upgrade policy pages.
var refusals = []check{
	{func(s vmss.ScaleSet) bool { return strings.EqualFold(s.ProvisioningState, "Deleting") },
		"it is being deleted", "use another scale set, or create it again"},
	{func(s vmss.ScaleSet) bool { return s.Model.Overprovision && s.Mode != vmss.Flexible },
		"overprovisioning is on, so Azure creates extra instances and deletes them while jobs run", "az vmss update --ids %s --set overprovision=false"},
	{func(s vmss.ScaleSet) bool {
		return strings.EqualFold(s.Model.Upgrade.Mode, "Automatic") || strings.EqualFold(s.Model.Upgrade.Mode, "Rolling")
	},
		"its upgrade policy is not Manual, so a change of the model restarts instances while jobs run", "az vmss update --ids %s --set upgradePolicy.mode=Manual"},
	{func(s vmss.ScaleSet) bool { return s.Model.Upgrade.AutomaticOS },
		"automatic OS upgrades are on, which reimage instances while jobs run", "az vmss update --ids %s --set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=false"},
}

// warnings are what costs time or money, or may surprise.
var warnings = []check{
	{func(s vmss.ScaleSet) bool { return s.Model.AutomaticRepairs },
		"automatic repairs are on: Azure replaces instances that it considers unhealthy, even while a job runs", "az vmss update --ids %s --enable-automatic-repairs false"},
	{func(s vmss.ScaleSet) bool { return s.Model.Spot.Restore },
		"Spot restore is on: Azure recreates evicted instances, which the runner did not request", "turn spotRestorePolicy off"},
	{func(s vmss.ScaleSet) bool {
		return s.IsSpot() && !strings.EqualFold(s.Model.Spot.EvictionPolicy, "Delete")
	},
		"the Spot eviction policy is Deallocate: evicted instances keep their quota and their disks are billed until the plugin has removed them", "create the scale set with eviction policy Delete"},
	{func(s vmss.ScaleSet) bool { return s.Model.TerminateNotice },
		"termination notices are on: each deletion waits for an approval or its time limit", "az vmss update --ids %s --enable-terminate-notification false"},
	{func(s vmss.ScaleSet) bool { return s.Model.ResilientCreation },
		"resilient creation is on: Azure replaces an instance that is slow to start", "turn resiliencyPolicy.resilientVMCreationPolicy off"},
	{func(s vmss.ScaleSet) bool { return len(s.Model.Detached) > 0 },
		"its model has a deleteOption of Detach: interfaces or disks of deleted instances stay, and are billed", "set deleteOption to Delete for them in the scale set's virtualMachineProfile"},
	{func(s vmss.ScaleSet) bool { return s.Model.SingleGroup },
		"it is limited to 100 instances by its single placement group", "az vmss update --ids %s --set singlePlacementGroup=false, which cannot be undone"},
	{func(s vmss.ScaleSet) bool { return len(s.Model.ScaleIn.Rules) > 0 || s.Model.ScaleIn.Forced },
		"its scale-in policy has no effect: the plugin deletes instances by ID and never lets Azure choose", "nothing to do"},
	{func(s vmss.ScaleSet) bool {
		return strings.EqualFold(s.Model.OSType, "Linux") && s.Model.Login.PasswordDisabled && len(s.Model.Login.PublicKeys) == 0
	},
		"its model has no SSH public key and password login is disabled", "make sure that the connector's user can log in to the image, or add the public key to the model"},
}
