package vmss

import (
	"context"
	"net/netip"
)

// Client reads and changes one scale set. Implementations are safe for
// concurrent use, give every call a deadline of their own, and return errors as
// *armerr.Error. A list is complete or it is an error.
type Client interface {
	// ScaleSet reads the scale set's model, capacity and ETag.
	ScaleSet(ctx context.Context) (ScaleSet, error)

	// Instances is how the instances of a scale set in that mode are reached.
	// It sends nothing.
	Instances(mode OrchestrationMode) Instances

	// SetCapacity writes sku.capacity and nothing else, if the scale set still
	// has the given ETag. It returns when Azure has accepted the write. The
	// request is sent once: after a lost response only a read can tell whether
	// it took effect.
	SetCapacity(ctx context.Context, capacity int64, etag string) (Operation, error)

	// SetTags writes all tags of the scale set and nothing else, under the same
	// condition as SetCapacity.
	SetTags(ctx context.Context, tags map[string]string, etag string) error

	// Progress asks once how far an operation is. An error is one of asking,
	// and says nothing about the operation.
	Progress(ctx context.Context, o Operation) (Progress, error)

	// Remaining is how many calls of a kind Azure would serve now: its request
	// limits less what was used, and none while it has asked to wait.
	Remaining(call Call) int

	// AutoscaleSettings names the enabled Azure Monitor autoscale settings
	// that target the scale set.
	AutoscaleSettings(ctx context.Context) ([]string, error)
}

// Instances reads and deletes the instances of one scale set. What holds for a
// Client holds for it.
type Instances interface {
	// List reads all instances with their instance views. Where Azure's list
	// leaves out a vmId, vmID provides the one that is known for a resource ID,
	// or an empty string; what it does not know costs a further list.
	List(ctx context.Context, vmID func(resourceID string) string) ([]Instance, error)

	// ListsRemaining is how many whole lists Azure would serve now.
	ListsRemaining() int

	// Get reads one instance with its instance view.
	Get(ctx context.Context, instanceID string) (Instance, error)

	// Interfaces lists the network interfaces of instances, and may list those
	// of others.
	Interfaces(ctx context.Context) ([]Interface, error)

	// PublicAddresses lists public addresses, among them all of the instances,
	// by the ID of the public IP address resource in lower case.
	PublicAddresses(ctx context.Context) (map[string]netip.Addr, error)

	// Delete deletes the named instances, which lowers the capacity by their
	// number. It returns when Azure has accepted, with those that it accepted,
	// even alongside an error.
	Delete(ctx context.Context, instanceIDs []string) (accepted []string, o Operation, err error)
}

// Call is a kind of call that Azure limits by itself.
type Call int

// The kinds of call whose limits decide when to write and when to wait.
const (
	ReadScaleSet Call = iota
	WriteScaleSet
	DeleteInstances
)

// Operation names a long-running operation that Azure has accepted; empty where
// Azure's response named none.
type Operation string

// Progress is how far an operation is.
type Progress struct {
	Ended   bool
	Failure error // why it failed, as *armerr.Error; nil while it runs
}
