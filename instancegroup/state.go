package instancegroup

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// State is what an instance is good for.
type State int

const (
	// Creating instances are on their way and cannot take a job yet.
	Creating State = iota
	// Running instances are provisioned, powered on and have an address.
	Running
	// Deleting instances are being deleted, by us or by somebody else.
	Deleting
	// Dead instances still exist, but no job can run on them ever again: they
	// never came up, or their power is off and it was not us.
	Dead
	// Suspending instances are being deallocated, as the runner wants it.
	Suspending
	// Suspended instances are deallocated; they can be started again.
	Suspended
	// Resuming instances are being started again.
	Resuming
)

func (s State) String() string {
	return [...]string{"creating", "running", "deleting", "dead", "suspending", "suspended", "resuming"}[s]
}

// classify reads an instance's state. What was dead stays dead, even if somebody
// starts it or its deletion fails: to the runner it is gone and will
// neither use nor delete it.
func classify(i vmss.Instance, before *Member, spot, addressed bool) (State, string) {
	state, reason := stateOf(i, before, spot, addressed)
	if before == nil || before.Reason == "" {
		return state, reason
	}
	if state != Deleting {
		state = Dead
	}
	return state, before.Reason
}

// stateOf reads a state out of what Azure shows of an instance. The
// provisioning state is that of the last operation, not of the VM: Failed may
// stand on a VM that runs, Succeeded on one that was switched off
// (cluster-autoscaler's azure_scale_set_instance_cache.go; Microsoft's
// states-billing page). before is what it was in the last view.
func stateOf(i vmss.Instance, before *Member, spot, addressed bool) (State, string) {
	on := i.IsOn()
	switch strings.ToLower(i.ProvisioningState) {
	case "deleting":
		return Deleting, ""
	case "creating":
		return Creating, ""
	case "updating", "migrating":
		// Something is done to the VM under a job's feet: what ran goes on
		// running, unless its power goes, as in an eviction. Where nothing ran
		// yet, a power state says nothing: VMs are briefly stopped on their way
		// up (Microsoft's states-billing page).
		if before != nil && before.State == Running && !on {
			return withoutPower(i, before, spot)
		}
		return keep(before), ""
	}
	switch {
	case on && addressed:
		return Running, ""
	case on:
		return Creating, ""
	case !i.HasView:
		return keep(before), ""
	}
	return withoutPower(i, before, spot)
}

// withoutPower judges a settled instance whose power state is not running.
// "starting" and "unknown" settle later; so does a missing one, except where
// provisioning failed and nothing ran before: then the VM never came up.
func withoutPower(i vmss.Instance, before *Member, spot bool) (State, string) {
	failed := i.Is("failed")
	switch power := strings.ToLower(i.PowerState); power {
	case "stopped", "stopping", "deallocated", "deallocating":
		if failed && i.Failure != "" {
			return Dead, "provisioning failed: " + i.Failure
		}
		if spot && strings.HasPrefix(power, "dealloc") {
			return Dead, "it was evicted, or deallocated from outside: its power state is " + power
		}
		return Dead, "its power state is " + power + ", and not by the plugin"
	case "":
		if failed && keep(before) != Running {
			return Dead, strings.TrimSuffix("provisioning failed: "+i.Failure, ": ")
		}
	}
	return keep(before), ""
}

// keep repeats what is known of an instance of which nothing new can be said.
func keep(before *Member) State {
	if before == nil {
		return Creating
	}
	return before.State
}
