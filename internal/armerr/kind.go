package armerr

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// Kind is what an error means to the caller.
type Kind int

// The kinds of error.
const (
	Unknown              Kind = iota
	NotFound                  // the resource does not exist
	GroupNotFound             // its resource group does not exist
	SubscriptionNotFound      // its subscription does not exist, or the identity cannot see it
	Unauthenticated           // no token, or one that Azure rejects
	Forbidden                 // the identity's roles, a policy or a lock do not allow it
	Throttled                 // too many calls; Error.RetryAfter is how long to wait, if known
	Quota                     // a quota of the subscription is exhausted, or a subnet full
	Allocation                // Azure has no capacity for such machines at present
	Conflict                  // another operation is in progress
	Precondition              // the resource no longer has the given ETag
	Deleting                  // the resource is being deleted
	Invalid                   // Azure rejects the request as malformed
	InstanceGone              // a deletion names an instance that does not exist
	Preempted                 // a later operation replaced this one
	NotAllowedForMode         // the orchestration mode does not support the operation
	Linked                    // what the scale set's model links to is missing or cannot be used
	APIVersion                // this Azure does not know the api-version
	Transient                 // a failure on Azure's side
	Network                   // no response
	Canceled                  // the caller's context was canceled
)

var kindNames = [...]string{
	"unknown", "not found", "group not found", "subscription not found", "unauthenticated",
	"forbidden", "throttled", "quota", "allocation", "conflict", "precondition", "deleting",
	"invalid", "instance gone", "preempted", "not allowed for mode",
	"linked", "api-version", "transient", "network", "canceled",
}

// String returns the kind in lower case, for logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// KindOf returns the kind of the first [Error] in err's tree, Unknown if there is
// none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unknown
}

// Is reports whether err is of one of the kinds.
func Is(err error, kinds ...Kind) bool {
	return err != nil && slices.Contains(kinds, KindOf(err))
}

// IsAbsent reports whether Azure says that a resource, or the resource group that it is in,
// does not exist, by whatever code.
func IsAbsent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusNotFound && e.Kind != SubscriptionNotFound
}

// IsSystemic reports whether err would affect any other call to Azure, too: no
// network, throttling, a failure on Azure's side, or a canceled context.
func IsSystemic(err error) bool {
	return Is(err, Network, Throttled, Transient, Canceled)
}

// RetryAfter returns how long Azure asked to wait, or zero.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// MayHaveTakenEffect reports whether a write that returned err may have taken
// effect nevertheless; only a read can show it.
func MayHaveTakenEffect(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err != nil
	}
	switch e.Kind {
	case Network, Transient, Canceled:
		return true
	case Unknown:
		return e.Status < 400
	}
	return false
}
