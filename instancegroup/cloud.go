package instancegroup

import (
	"context"
	"net/netip"
)

// Cloud is what this package needs of Azure for one scale set. Implementations
// are safe for concurrent use, give every call a deadline of their own, and
// answer errors as *armerr.Error. A list is complete or it is an error.
type Cloud interface {
	// ScaleSet reads the scale set's model, capacity and ETag.
	ScaleSet(ctx context.Context) (ScaleSet, error)

	// Instances lists every instance with its instance view.
	Instances(ctx context.Context) ([]Instance, error)

	// Instance reads one instance with its instance view.
	Instance(ctx context.Context, instanceID string) (Instance, error)

	// Interfaces lists the network interfaces of all instances.
	Interfaces(ctx context.Context) ([]Interface, error)

	// PublicAddresses lists the public addresses of all instances, by the ID
	// of the public IP address resource in lower case.
	PublicAddresses(ctx context.Context) (map[string]netip.Addr, error)

	// The four above are the scale set's own view, which Azure has in Uniform
	// orchestration alone. In Flexible orchestration instances are virtual
	// machines of the resource group, and these are their twins; an instance's
	// ID is the name of its VM.

	// VirtualMachines lists the VMs that belong to the scale set, with their
	// instance views. Where Azure leaves out the model, fields are empty.
	VirtualMachines(ctx context.Context) ([]Instance, error)

	// VirtualMachineModels lists the same VMs with their models and without
	// instance views.
	VirtualMachineModels(ctx context.Context) ([]Instance, error)

	// VirtualMachine reads one VM with its instance view.
	VirtualMachine(ctx context.Context, name string) (Instance, error)

	// GroupInterfaces lists the network interfaces of the resource group that
	// belong to a VM.
	GroupInterfaces(ctx context.Context) ([]Interface, error)

	// GroupPublicAddresses is PublicAddresses for the resource group.
	GroupPublicAddresses(ctx context.Context) (map[string]netip.Addr, error)

	// DeleteVirtualMachine deletes one VM outside of its scale set, which may
	// leave the capacity as it is. It returns when Azure has accepted.
	DeleteVirtualMachine(ctx context.Context, name string) error

	// SetCapacity writes sku.capacity and nothing else, if the scale set still
	// has the given ETag. It returns when Azure has accepted the write. The
	// request is sent once: after a lost answer only a read can tell whether
	// it took effect.
	SetCapacity(ctx context.Context, capacity int64, etag string) (Operation, error)

	// SetTags writes all tags of the scale set and nothing else, under the same
	// condition as SetCapacity.
	SetTags(ctx context.Context, tags map[string]string, etag string) error

	// DeleteInstances deletes the named instances in one call, which lowers
	// the capacity by their number. It returns when Azure has accepted.
	DeleteInstances(ctx context.Context, instanceIDs []string) (Operation, error)

	// Progress asks once how far an operation is. An error is one of asking,
	// and says nothing of the operation.
	Progress(ctx context.Context, o Operation) (Progress, error)

	// Room is how many calls of a kind Azure would answer now: its request
	// limits, less what was used, and none while it has asked to wait.
	Room(call Call) int

	// AutoscaleSettings names the enabled Azure Monitor autoscale settings
	// that target the scale set.
	AutoscaleSettings(ctx context.Context) ([]string, error)
}

// Call is a kind of call that Azure limits by itself.
type Call int

// The kinds of call. ListMachines is the list of a Flexible scale set.
const (
	ListInstances Call = iota
	ListMachines
	ReadScaleSet
	WriteScaleSet
	DeleteBatch
)

// Operation names a long-running operation that Azure has accepted; empty where
// Azure's answer named none.
type Operation string

// Progress is how far an operation is.
type Progress struct {
	Ended   bool
	Failure error // why it failed, as *armerr.Error; nil while it runs
}

// ScaleSet is a scale set as it was read.
type ScaleSet struct {
	ID                string
	Name              string
	UniqueID          string
	ETag              string
	Location          string
	Size              string // VM size, sku.name
	Capacity          int64  // the goal, not the count; meaningless unless HasCapacity
	HasCapacity       bool   // false: the answer held no sku.capacity
	OrchestrationMode string // Uniform or Flexible; empty means Uniform
	ProvisioningState string
	Tags              map[string]string
	Model             Model
}

// Model is what a scale set's model says that matters to a runner.
type Model struct {
	OSType               string // Linux or Windows; empty: not told
	AdminUsername        string
	PasswordDisabled     bool
	PublicKeys           int // SSH public keys in the model
	HasPublicAddress     bool
	SinglePlacementGroup bool
	ManagedImage         bool // a legacy managed image, not a gallery or Marketplace one
	Overprovision        bool
	UpgradeMode          string // Manual, Automatic or Rolling
	AutomaticOSUpgrade   bool
	AutomaticRepairs     bool
	Priority             string // Regular, Spot; empty means Regular
	EvictionPolicy       string // Deallocate or Delete
	SpotRestore          bool
	ResilientCreation    bool
	TerminateNotice      bool
	ScaleInForced        bool // scaleInPolicy.forceDeletion
	ScaleInRules         []string
	ZoneBalance          bool
	Zones                []string
	HealthExtension      bool
	Detached             []string // what instances leave behind, as "nic" or "osDisk"
}

// Instance is an instance as Azure tells of it.
type Instance struct {
	ID                string // resource ID, in whatever case it came
	Name              string // resource name, as "ci_3"
	InstanceID        string // what deletion takes: the number in Uniform mode
	VMID              string // unique in place and time; empty early in life
	ProvisioningState string
	HasView           bool   // an instance view was part of the answer
	PowerState        string // running, stopped, deallocated …; empty: none told
	Failure           string // Azure's code and message where provisioning failed
	Zone              string
	LatestModel       bool
	Spot              bool // its scale set is one of Spot instances; not for a Cloud to set
}

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
