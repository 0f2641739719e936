package instancegroup

import (
	"context"
	"fmt"
	"strings"
)

// finding is a check of a scale set's model: what is wrong, and what to do.
type finding struct {
	found func(ScaleSet) bool
	what  string
	fix   string // %s is replaced by the scale set's resource ID
}

// refusals would kill jobs. Sources: GitLab Runner's autoscaler documentation
// on overprovisioning and scaling mode, Microsoft's upgrade policy pages.
var refusals = []finding{
	{func(s ScaleSet) bool { return strings.EqualFold(s.ProvisioningState, "Deleting") },
		"it is being deleted", "name a scale set that stays, or create it again"},
	{func(s ScaleSet) bool { return s.Model.Overprovision && !s.flexible() },
		"overprovisioning is on, so Azure creates extra instances and deletes them while jobs run", "az vmss update --ids %s --set overprovision=false"},
	{func(s ScaleSet) bool {
		return strings.EqualFold(s.Model.UpgradeMode, "Automatic") || strings.EqualFold(s.Model.UpgradeMode, "Rolling")
	},
		"its upgrade policy is not Manual, so a change of the model restarts instances while jobs run", "az vmss update --ids %s --set upgradePolicy.mode=Manual"},
	{func(s ScaleSet) bool { return s.Model.AutomaticOSUpgrade },
		"automatic OS upgrades are on, which reimage instances while jobs run", "az vmss update --ids %s --set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=false"},
}

// warnings cost time or money, or surprise.
var warnings = []finding{
	{func(s ScaleSet) bool { return s.Model.AutomaticRepairs },
		"automatic repairs are on: Azure replaces instances that it finds unhealthy, jobs and all", "az vmss update --ids %s --enable-automatic-repairs false"},
	{func(s ScaleSet) bool { return s.Model.SpotRestore },
		"Spot restore is on: Azure creates evicted instances again that nobody asked for", "turn spotRestorePolicy off"},
	{func(s ScaleSet) bool {
		return s.spot() && !strings.EqualFold(s.Model.EvictionPolicy, "Delete")
	},
		"the Spot eviction policy is Deallocate: evicted instances keep their quota and their disks are billed until the plugin has removed them", "create the scale set with eviction policy Delete"},
	{func(s ScaleSet) bool { return s.Model.TerminateNotice },
		"termination notices are on: each deletion waits for an approval or its time limit", "az vmss update --ids %s --enable-terminate-notification false"},
	{func(s ScaleSet) bool { return s.Model.ResilientCreation },
		"resilient creation is on: Azure swaps an instance that is slow to come up for another one", "turn resiliencyPolicy.resilientVMCreationPolicy off"},
	{func(s ScaleSet) bool { return len(s.Model.Detached) > 0 },
		"its model has a deleteOption of Detach: interfaces or disks of deleted instances stay, and are billed", "set deleteOption to Delete for them in the scale set's virtualMachineProfile"},
	{func(s ScaleSet) bool { return s.Model.SinglePlacementGroup },
		"it is limited to 100 instances by its single placement group", "az vmss update --ids %s --set singlePlacementGroup=false, which cannot be undone"},
	{func(s ScaleSet) bool { return len(s.Model.ScaleInRules) > 0 || s.Model.ScaleInForced },
		"its scale-in policy has no effect: the plugin deletes instances by ID and never lets Azure choose", "nothing to do"},
	{func(s ScaleSet) bool {
		return strings.EqualFold(s.Model.OSType, "Linux") && s.Model.PasswordDisabled && s.Model.PublicKeys == 0
	},
		"its model has no SSH public key and password login is off", "make sure that the image lets the connector's user in, or add the public key to the model"},
}

// refuse returns all that speaks against a scale set, in one line.
func refuse(set ScaleSet) error {
	var all []string
	for _, f := range refusals {
		if f.found(set) {
			all = append(all, f.what+"; fix: "+f.advice(set))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("scale set %q cannot serve jobs: %s", set.Name, strings.Join(all, "; "))
}

func (f finding) advice(set ScaleSet) string { return strings.ReplaceAll(f.fix, "%s", set.ID) }

// warn logs what is worth knowing before the first job.
func (g *Group) warn(ctx context.Context) {
	for _, f := range warnings {
		if f.found(g.set) {
			g.log.Warn(f.what, "fix", f.advice(g.set))
		}
	}
	settings, err := g.cloud.AutoscaleSettings(ctx)
	switch {
	case err != nil:
		g.log.Info("autoscale settings could not be read; make sure that none targets this scale set", "error", err)
	case len(settings) > 0:
		g.log.Warn("Azure autoscale is attached and will delete instances while jobs run", "settings", settings,
			"fix", "disable or delete these autoscale settings; the runner alone decides how many instances there are")
	}
}
