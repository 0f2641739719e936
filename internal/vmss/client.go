package vmss

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Client reads and changes one scale set. Implementations are safe for
// concurrent use, give every call a deadline of their own, and return errors as
// *armerr.Error. A list is complete, or the result is an error.
type Client interface {
	// ScaleSet reads the scale set's model, capacity and ETag.
	ScaleSet(ctx context.Context) (ScaleSet, error)

	// Instances returns the client for the instances of a scale set in that
	// mode. It sends nothing.
	Instances(mode OrchestrationMode) Instances

	// SetCapacity writes sku.capacity and nothing else, if the scale set still
	// has the given ETag. It returns when Azure has accepted the write. The
	// request is sent once: after a lost response only a read can tell whether
	// it took effect.
	SetCapacity(ctx context.Context, capacity int64, etag string) (Operation, error)

	// SetTags writes all tags of the scale set and nothing else, under the same
	// condition as SetCapacity.
	SetTags(ctx context.Context, tags map[string]string, etag string) error

	// SetPublicKeys writes the list of SSH public keys in the scale set's model, which
	// replaces the one that is there, and nothing else, under the same condition as
	// SetCapacity. New instances get them; those that there are keep theirs.
	SetPublicKeys(ctx context.Context, keys []PublicKey, etag string) error

	// Progress reads the status of an operation once. An error concerns the
	// request, and says nothing about the operation.
	Progress(ctx context.Context, o Operation) (Progress, error)

	// Remaining returns how many calls of a kind Azure would serve now: its
	// request limits less what was used, and none before Retry-After has passed.
	Remaining(call Call) int

	// AutoscaleSettings returns the names of the enabled Azure Monitor autoscale settings
	// that target the scale set.
	AutoscaleSettings(ctx context.Context) ([]string, error)
}

// Instances reads, deletes, stops and starts the instances of one scale set, under the
// same rules as Client.
type Instances interface {
	// List reads all instances with their instance views. Once begun, it waits
	// between pages where Azure's limits ask for it.
	List(ctx context.Context, o ListOptions) ([]Instance, error)

	// ReadPage reads one page of the list again, the one that a link leads to. What it
	// shows is so, and what it lacks means nothing: Azure does not say what a link
	// leads to later. vmID is that of ListOptions; an unknown vmId stays empty.
	ReadPage(ctx context.Context, link string, vmID func(resourceID string) string) (Page, error)

	// ListByGraph reads the list through Azure Resource Graph, and passes on each page as
	// it comes. What it shows was so seconds to minutes ago: an instance may be gone by
	// now, or be another. The error is ErrNotByGraph where the provider answered
	// instead, as it does without a word where Microsoft has not given Resource Graph
	// to the subscription. vmID is that of ListOptions.
	ListByGraph(ctx context.Context, vmID func(resourceID string) string, page func([]Instance)) error

	// GraphRoom returns what is left of Resource Graph's quota.
	GraphRoom() ListRoom

	// ListRoom returns what Azure's limits leave for lists.
	ListRoom() ListRoom

	// ReadsRemaining returns how many single instances could be read now.
	ReadsRemaining() int

	// Get reads one instance with its instance view.
	Get(ctx context.Context, instanceID string) (Instance, error)

	// Interfaces lists the network interfaces of all instances, and possibly
	// those of other VMs.
	Interfaces(ctx context.Context) ([]Interface, error)

	// PublicAddresses lists the public addresses of all instances, and possibly
	// others, by the ID of the public IP address resource in lower case.
	PublicAddresses(ctx context.Context) (map[string]netip.Addr, error)

	// Delete deletes the named instances, which lowers the capacity by their
	// number. It returns when Azure has accepted, with the accepted IDs, also
	// alongside an error, and the operation, if there is a single one.
	Delete(ctx context.Context, instanceIDs []string) (accepted []string, o Operation, err error)

	// Deallocate stops the named instances and gives their machines back to Azure, which
	// keeps the disks; with hibernate it keeps the memory, too. The outcome is complete
	// also alongside an error.
	Deallocate(ctx context.Context, instanceIDs []string, hibernate bool) (PowerOutcome, error)

	// Start starts the named instances. The outcome is as for Deallocate.
	Start(ctx context.Context, instanceIDs []string) (PowerOutcome, error)

	// Mark writes the mark of an instance as it was read, and nothing else. It returns
	// when Azure has accepted; the operation may be under way still. Where instances
	// keep no tags the mark of the warm pool is not written, which is no error.
	Mark(ctx context.Context, i Instance, mark Mark) (Operation, error)
}

// PowerOutcome is what became of a call that changes the power of instances, by their IDs.
// Those that it does not name were refused, or not tried.
type PowerOutcome struct {
	Accepted  []string  // by Azure
	Doubtful  []string  // were sent, and the response was lost
	Operation Operation // of those that were accepted, if there is a single one
}

// ErrNotByGraph is the error of a list that Azure Resource Graph did not answer.
var ErrNotByGraph = errors.New("Azure's resource provider answered instead of Azure Resource Graph")

// ListOptions are what a caller of List wants to know meanwhile. The functions are
// called one after the other.
type ListOptions struct {
	// VMID returns the known vmId for a resource ID, or an empty string, where
	// Azure's list omits it. An unknown vmId costs a further list.
	VMID func(resourceID string) string
	Page func(Page)               // nil: nothing; a page has come
	Wait func(wait time.Duration) // nil: nothing; the next one has to wait so long

	// Within ends the list after its first page if the rest of Expected instances takes
	// longer within Azure's limits; 0: it takes as long as it does.
	Within   time.Duration
	Expected int
}

// Page is a page of a list.
type Page struct {
	Link      string // leads to it; empty: it is the first
	Next      string // leads to the next; empty: it is the last
	Instances []Instance
}

// ListRoom is what Azure's limits leave for lists.
type ListRoom struct {
	Pages     int     // that can be read now
	Cost      int     // pages of the last whole list, at least 1
	PerMinute float64 // pages that become possible per minute, as far as others leave them
}

// Lists is how many whole lists can be read now.
func (r ListRoom) Lists() int { return r.Pages / r.Cost }

// Call is a kind of call that Azure limits separately.
type Call int

// The kinds of call whose limits decide when to write and when to wait.
const (
	ReadScaleSet Call = iota
	WriteScaleSet
	DeleteInstances
	DeallocateInstances
	StartInstances
	MarkInstance
)

// Operation is the status URL of a long-running operation that Azure has accepted;
// empty if the response had none.
type Operation string

// Progress is the status of an operation.
type Progress struct {
	Ended   bool
	Failure error // why it failed, as *armerr.Error; nil while it runs
}
