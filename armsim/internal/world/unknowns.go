package world

import (
	"fmt"
	"slices"
	"strings"
)

// Unknowns are questions about Azure that nobody has answered. The zero value
// is what is believed; a client should pass with each of them the other way.
type Unknowns struct {
	// FlexibleDeleteKeepsCapacity: does a Flexible set's batch deletion leave
	// the capacity as it is?
	FlexibleDeleteKeepsCapacity bool

	// VMDeleteLowersCapacity: does DELETE of a Flexible set's virtual machine
	// lower the capacity?
	VMDeleteLowersCapacity bool

	// DeadIDsIgnored: does a batch deletion skip an ID that is not active, and
	// delete the others, rather than refuse all?
	DeadIDsIgnored bool

	// DeleteKeepsETag: does a deletion leave the scale set's ETag as it is?
	DeleteKeepsETag bool

	// ExpandedListWithoutModel: does the virtual machines' list hold nothing
	// but the instance view where it is asked for?
	ExpandedListWithoutModel bool

	// FlexibleBatchPowerRefused: does a Flexible set refuse to start and stop
	// several instances in one call?
	FlexibleBatchPowerRefused bool

	// EvictionFailsInstance: is a Spot instance Failed, not Succeeded, after an
	// eviction that deallocates it?
	EvictionFailsInstance bool

	// CapacityFallsLate: does a deletion lower the capacity when it is done,
	// not when it is accepted?
	CapacityFallsLate bool

	// KeysFixed: does Azure refuse to change a scale set's SSH public keys?
	KeysFixed bool

	// FlexibleCountsInstances: does a Flexible set create as many instances as
	// are missing, not the new capacity less the old?
	FlexibleCountsInstances bool

	// DeleteSharesUpdateBucket: does a batch deletion draw from the bucket of a
	// scale set's updates, too?
	DeleteSharesUpdateBucket bool

	// NumbersReused: does a Uniform set give a new instance the lowest number
	// that none has, though one had it?
	NumbersReused bool

	// CapacityFallsUnseen: does a deletion of instances lower the capacity when
	// it is done, while the scale set's provisioning state is what it was
	// before, as Succeeded?
	CapacityFallsUnseen bool

	// GoneIsInvalidParameter: is GET of an instance that there is not answered
	// with 400 InvalidParameter, as PUT is, rather than 404?
	GoneIsInvalidParameter bool

	// UnreadableListsEmpty: is a list of instances empty for who may not read
	// them, rather than refused?
	UnreadableListsEmpty bool

	// InstanceReadsShareBucket: do reads of single instances of a Uniform set
	// draw from one bucket of the scale set, rather than one of each instance?
	InstanceReadsShareBucket bool

	// VnetPutKeepsSubnets: does a PUT of a virtual network without the property
	// subnets leave them, rather than remove them?
	VnetPutKeepsSubnets bool

	// PrincipalTypeIgnored: is a role assignment to a principal that is new
	// refused also where it names the principal's type?
	PrincipalTypeIgnored bool

	// PermissionsNeedRole: may only who holds Microsoft.Authorization/permissions/read
	// list the permissions that they have, rather than everybody?
	PermissionsNeedRole bool

	// FailedStartFailsInstance: is an instance Failed after a start that failed, rather
	// than what it was before?
	FailedStartFailsInstance bool

	// InstanceTagsRefused: are tags of a Uniform set's instance refused?
	InstanceTagsRefused bool

	// InstanceTagsKept: are they kept, rather than taken with 200 and shown nowhere, as in
	// recording 02?
	InstanceTagsKept bool

	// ProtectionRefused: are protection policies of instances refused?
	ProtectionRefused bool

	// ProtectionCoversNamed: is an instance that is protected from actions on the scale set
	// left out of power actions that name it, too? Microsoft's page on instance protection
	// says that actions initiated on the scale set do not reach it.
	ProtectionCoversNamed bool

	// DeallocatedKeepsQuota: do the cores of a deallocated instance count against the
	// quotas?
	DeallocatedKeepsQuota bool

	// RefillByMinute: do the tokens of Compute's request limits flow in once a minute,
	// rather than evenly? The example on Microsoft's page can be read either way.
	RefillByMinute bool

	// PatchDrawsFromActions: does a PATCH of a scale set draw from the limits of starts
	// and batch deletions, as was recorded in 2020, rather than from ones of its own? Of
	// the limits on a single scale set it has one either way.
	PatchDrawsFromActions bool

	// SetDeallocationLimited: does the deallocation of instances in one call draw from a
	// limit on the scale set, too, as Microsoft's page has it and no recording?
	SetDeallocationLimited bool

	// InstanceActionsDrawFromSet: do actions on a single instance that the limit on its
	// updates is for, as a start, draw from the limit on actions of scale sets, too, as was
	// recorded in 2020?
	InstanceActionsDrawFromSet bool
}

// fallsLate reports whether a deletion lowers the capacity at its end.
func (u *Unknowns) fallsLate() bool { return u.CapacityFallsLate || u.CapacityFallsUnseen }

var unknowns = []struct {
	name  string
	field func(*Unknowns) *bool
}{
	{"flexible-delete-keeps-capacity", func(u *Unknowns) *bool { return &u.FlexibleDeleteKeepsCapacity }},
	{"vm-delete-lowers-capacity", func(u *Unknowns) *bool { return &u.VMDeleteLowersCapacity }},
	{"dead-ids-ignored", func(u *Unknowns) *bool { return &u.DeadIDsIgnored }},
	{"delete-keeps-etag", func(u *Unknowns) *bool { return &u.DeleteKeepsETag }},
	{"expanded-list-without-model", func(u *Unknowns) *bool { return &u.ExpandedListWithoutModel }},
	{"flexible-batch-power-refused", func(u *Unknowns) *bool { return &u.FlexibleBatchPowerRefused }},
	{"eviction-fails-instance", func(u *Unknowns) *bool { return &u.EvictionFailsInstance }},
	{"capacity-falls-late", func(u *Unknowns) *bool { return &u.CapacityFallsLate }},
	{"keys-fixed", func(u *Unknowns) *bool { return &u.KeysFixed }},
	{"flexible-counts-instances", func(u *Unknowns) *bool { return &u.FlexibleCountsInstances }},
	{"delete-shares-update-bucket", func(u *Unknowns) *bool { return &u.DeleteSharesUpdateBucket }},
	{"numbers-reused", func(u *Unknowns) *bool { return &u.NumbersReused }},
	{"capacity-falls-unseen", func(u *Unknowns) *bool { return &u.CapacityFallsUnseen }},
	{"gone-is-invalid-parameter", func(u *Unknowns) *bool { return &u.GoneIsInvalidParameter }},
	{"unreadable-lists-empty", func(u *Unknowns) *bool { return &u.UnreadableListsEmpty }},
	{"instance-reads-share-bucket", func(u *Unknowns) *bool { return &u.InstanceReadsShareBucket }},
	{"vnet-put-keeps-subnets", func(u *Unknowns) *bool { return &u.VnetPutKeepsSubnets }},
	{"principal-type-ignored", func(u *Unknowns) *bool { return &u.PrincipalTypeIgnored }},
	{"permissions-need-role", func(u *Unknowns) *bool { return &u.PermissionsNeedRole }},
	{"failed-start-fails-instance", func(u *Unknowns) *bool { return &u.FailedStartFailsInstance }},
	{"instance-tags-refused", func(u *Unknowns) *bool { return &u.InstanceTagsRefused }},
	{"instance-tags-kept", func(u *Unknowns) *bool { return &u.InstanceTagsKept }},
	{"protection-refused", func(u *Unknowns) *bool { return &u.ProtectionRefused }},
	{"protection-covers-named", func(u *Unknowns) *bool { return &u.ProtectionCoversNamed }},
	{"deallocated-keeps-quota", func(u *Unknowns) *bool { return &u.DeallocatedKeepsQuota }},
	{"refill-by-minute", func(u *Unknowns) *bool { return &u.RefillByMinute }},
	{"patch-draws-from-actions", func(u *Unknowns) *bool { return &u.PatchDrawsFromActions }},
	{"set-deallocation-limited", func(u *Unknowns) *bool { return &u.SetDeallocationLimited }},
	{"instance-actions-draw-from-set", func(u *Unknowns) *bool { return &u.InstanceActionsDrawFromSet }},
}

// UnknownNames are the names that Unknowns.Set takes, in the order of the
// fields.
func UnknownNames() []string {
	var names []string
	for _, u := range unknowns {
		names = append(names, u.name)
	}
	return names
}

// Set answers the named questions against what is believed. The error lists
// the names there are.
func (u *Unknowns) Set(names ...string) error {
	for _, name := range names {
		n := slices.Index(UnknownNames(), name)
		if n < 0 {
			return fmt.Errorf("set unknown %q: there is none of that name; known: %s", name, strings.Join(UnknownNames(), ", "))
		}
		*unknowns[n].field(u) = true
	}
	return nil
}
