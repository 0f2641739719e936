package vmss

import (
	"net/netip"
	"strings"
	"time"
)

// OrchestrationMode is how a scale set orchestrates its instances.
type OrchestrationMode string

// Azure's orchestration modes. A scale set that names none is Uniform.
const (
	Uniform  OrchestrationMode = "Uniform"
	Flexible OrchestrationMode = "Flexible"
)

// ScaleSet is a scale set as it was read at one time.
type ScaleSet struct {
	ID                string
	Name              string
	UniqueID          string
	ETag              string
	Size              string   // VM size, sku.name; "Mix": there are several
	Sizes             []string // of an instance mix, which Azure chooses from
	Capacity          int64    // the target, not the count; meaningless unless HasCapacity
	HasCapacity       bool     // false: the response held no sku.capacity
	Mode              OrchestrationMode
	ProvisioningState string
	Tags              map[string]string
	Model             Model
	ReadAt            time.Time // by Azure's clock, no later than it was; zero: unknown
}

// IsSpot reports whether the instances are Spot instances.
func (s ScaleSet) IsSpot() bool { return strings.EqualFold(s.Model.Spot.Priority, "Spot") }

// IsUpdating reports whether Azure is changing the scale set.
func (s ScaleSet) IsUpdating() bool { return strings.EqualFold(s.ProvisioningState, "Updating") }

// MaxSize returns the number of instances that Azure allows in the scale set: 100 in a single placement group, 600 from a managed image, else 1000
// (Microsoft's placement groups and design overview pages).
func (s ScaleSet) MaxSize() int {
	switch m := s.Model; {
	case m.SingleGroup:
		return 100
	case m.ManagedImage:
		return 600
	}
	return 1000
}

// Model is the part of a scale set's model that matters to a runner.
type Model struct {
	OSType            string // Linux or Windows; empty: not given
	Login             Login
	HasPublicAddress  bool
	ManagedImage      bool // a legacy managed image, not a gallery or Marketplace one
	SingleGroup       bool // singlePlacementGroup
	Overprovision     bool
	Upgrade           Upgrade
	AutomaticRepairs  bool
	Spot              Spot
	ResilientCreation bool
	TerminateNotice   bool
	ScaleIn           ScaleIn
	Detached          []string // what instances leave behind, as "nic" or "osDisk"
	EphemeralDisk     bool     // the OS disk is on the host: the instances cannot be deallocated
	Hibernation       bool     // additionalCapabilities.hibernationEnabled
	Fingerprint       string   // of what a new instance is made from: size, image, login
}

// Login is how users log in to an instance.
type Login struct {
	AdminUsername    string
	PasswordDisabled bool
	PublicKeys       []PublicKey // the model's, which new instances get
	WinRM            WinRM
}

// PublicKey is an SSH public key and the file in an instance that Azure puts it into.
type PublicKey struct {
	Path string // as in /home/azureuser/.ssh/authorized_keys
	Data string // as in authorized_keys, and as Azure sent it
}

// WinRM is the listeners that Azure sets up in a Windows instance. An image may have
// others of its own.
type WinRM struct{ HTTP, HTTPS bool }

// Any reports whether there is a listener.
func (w WinRM) Any() bool { return w.HTTP || w.HTTPS }

// Upgrade is how a change of the model reaches the instances.
type Upgrade struct {
	Mode        string // Manual, Automatic or Rolling
	AutomaticOS bool   // automaticOSUpgradePolicy.enableAutomaticOSUpgrade
}

// Spot is the priority of the instances, and what happens to evicted ones.
type Spot struct {
	Priority       string // Regular, Spot; empty means Regular
	EvictionPolicy string // Deallocate or Delete
	Restore        bool   // spotRestorePolicy
}

// ScaleIn is how Azure chooses instances to delete when the capacity is lowered.
type ScaleIn struct {
	Forced bool // scaleInPolicy.forceDeletion
	Rules  []string
}

// Instance is an instance as Azure describes it.
type Instance struct {
	ID                string // resource ID, in the case that Azure sent
	Name              string // resource name, as "ci_3"
	InstanceID        string // what deletion takes: the number in Uniform mode, the name in Flexible
	VMID              string // unique in place and time; empty early in life
	ProvisioningState string
	HasView           bool      // an instance view was part of the response
	PowerState        string    // running, stopped, deallocated …; empty: none given
	Failure           string    // Azure's code and message where provisioning failed
	Created           time.Time // the zero Time: Azure does not say
	SSHKeys           []KeyID   // of the public keys in its own model, which it was made with; nil: the response held no model
	Bare              bool      // the response held no model: neither tags nor mark
	Tags              map[string]string
	Mark              Mark
	ByPolicy          bool // the mark is a protection from scale-in, which somebody else may have set, too
}

// IsOn reports whether the instance is powered on.
func (i Instance) IsOn() bool { return strings.EqualFold(i.PowerState, "running") }

// Is reports whether the instance is in a provisioning state.
func (i Instance) Is(state string) bool { return strings.EqualFold(i.ProvisioningState, state) }

// Interface is a network interface of an instance.
type Interface struct {
	VMID    string // resource ID of the instance it belongs to, in lower case
	Primary bool
	Configs []IPConfig
}

// IPConfig is an IP configuration of a network interface.
type IPConfig struct {
	Primary  bool
	Private  netip.Addr // the zero Addr: none yet
	PublicID string     // ID of the public IP address resource in lower case, if any
}
