package instancegroup

import "strings"

// Removal is why an instance goes, coarsely: it is a label of a metric.
type Removal string

const (
	Requested          Removal = "requested"           // the runner asked for it
	ProvisioningFailed Removal = "provisioning_failed" // Azure could not provision it
	CreationLimit      Removal = "creation_limit"      // it did not come up, or got no identity, in time
	Evicted            Removal = "evicted"             // Azure took it back, or somebody deallocated it
	PoweredOff         Removal = "powered_off"         // somebody stopped it, or its own system did
	ResumeFailed       Removal = "resume_failed"       // it was suspended, and could not be started again
	LeftPool           Removal = "left_pool"           // the warm pool no longer needs it
	Vanished           Removal = "vanished"            // it went without a deletion of the plugin's
	OtherRemoval       Removal = "other"
)

// Removals returns all of them, in a fresh slice.
func Removals() []Removal {
	return []Removal{Requested, ProvisioningFailed, CreationLimit, Evicted, PoweredOff, ResumeFailed, LeftPool, Vanished, OtherRemoval}
}

// removalOf sorts the reason of a member's death, a text for people.
func removalOf(reason string) Removal {
	switch {
	case reason == "":
		return Requested
	case strings.HasPrefix(reason, "provisioning failed"):
		return ProvisioningFailed
	case strings.Contains(reason, "within creation_limit"):
		return CreationLimit
	case strings.HasPrefix(reason, "it was evicted"):
		return Evicted
	case strings.HasPrefix(reason, "its power state is"):
		return PoweredOff
	case reason == leftPool:
		return LeftPool
	case strings.HasPrefix(reason, couldNotResume):
		return ResumeFailed
	}
	return OtherRemoval
}
