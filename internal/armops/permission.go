package armops

import "slices"

// Permission is an action that the plugin's role grants.
type Permission struct {
	Action  string
	Mode    Mode
	Purpose string // what the plugin does with it, in Markdown
}

// Permissions are all that the plugin needs: those of both modes, of Uniform, of Flexible.
func Permissions() []Permission {
	var all []Permission
	at := map[string]int{}
	for _, o := range All() {
		n, known := at[o.Action]
		switch {
		case !known:
			at[o.Action] = len(all)
			all = append(all, Permission{o.Action, o.Mode, purposes[o.Action]})
		case all[n].Mode != o.Mode:
			all[n].Mode = Both
		}
	}
	order := []Mode{Both, Uniform, Flexible}
	slices.SortStableFunc(all, func(a, b Permission) int { return slices.Index(order, a.Mode) - slices.Index(order, b.Mode) })
	return all
}

// IsForSuspension reports whether an action is needed for nothing but suspending and
// resuming instances.
func IsForSuspension(action string) bool {
	for _, o := range All() {
		if o.Action == action && !slices.Contains(suspension, o.Name) {
			return false
		}
	}
	return true
}

var suspension = []string{
	DeallocateInstances, StartInstances, UpdateInstance, DeallocateVirtualMachine, StartVirtualMachine, UpdateVirtualMachine,
}

var purposes = map[string]string{
	actions + "read":                                      "the model, the capacity and the ETag",
	actions + "write":                                     "raising the capacity, the tag that names the manager, and the plugin's own SSH public key in the model",
	actions + "delete/action":                             "deleting instances by ID",
	actions + "deallocate/action":                         "suspending instances by ID; not needed with `suspend_mode = \"off\"`",
	actions + "start/action":                              "resuming them",
	actions + "virtualMachines/write":                     "the mark of an instance that is suspended, a tag or its protection policy; not needed with `suspend_mode = \"off\"`",
	"Microsoft.Compute/virtualMachines/deallocate/action": "suspending one VM, where the scale set refuses it for several; not needed with `suspend_mode = \"off\"`",
	"Microsoft.Compute/virtualMachines/start/action":      "resuming one VM, the same",
	"Microsoft.Compute/virtualMachines/write":             "the mark of a VM that is suspended, a tag; not needed with `suspend_mode = \"off\"`. Azure cannot limit it to tags, nor to VMs of the scale set",
	"Microsoft.Insights/autoscaleSettings/read":           "a warning when Azure's own autoscale is attached; without it the plugin only logs that it could not look",
	"Microsoft.Compute/locations/operations/read": "why instances that Azure had accepted were not created. [unconfirmed] Whether Azure checks it at all: the address of an operation is signed. " +
		"Without it the plugin says so in its log, goes by the state of the scale set, and cannot name the reason",
	actions + "virtualMachines/read":         "the instances and their states",
	actions + "networkInterfaces/read":       "the private addresses",
	actions + "publicIPAddresses/read":       "the public addresses",
	"Microsoft.Compute/virtualMachines/read": "the instances, which are VMs of the resource group, and their states",
	"Microsoft.Compute/virtualMachines/delete": "deleting one VM outside of its scale set. Azure cannot limit it to VMs of the scale set; " +
		"keep others out of the resource group",
	"Microsoft.Network/networkInterfaces/read": "the private addresses",
	"Microsoft.Network/publicIPAddresses/read": "the public addresses",
}
