package armerr

import (
	"errors"
	"slices"
	"time"
)

// Kind says what an error means to its caller.
type Kind int

// The kinds of error.
const (
	Unknown              Kind = iota
	NotFound                  // the resource is not there
	GroupNotFound             // its resource group is not there
	SubscriptionNotFound      // its subscription is not there, or hidden from the identity
	Unauthenticated           // no token, or one that Azure does not take
	Forbidden                 // the identity, a policy or a lock does not allow it
	Throttled                 // too many calls; Error.RetryAfter may say how long to wait
	Quota                     // a quota of the subscription is used up
	Allocation                // Azure has no such machines to give at present
	Conflict                  // another operation is under way
	Precondition              // the resource is not at the ETag given
	Deleting                  // the resource is about to vanish
	Invalid                   // the request makes no sense to Azure
	InstanceGone              // a deletion names an instance that is not there
	Preempted                 // a later operation took the place of this one
	NotAllowedForMode         // the orchestration mode has no such operation
	Transient                 // Azure's own trouble
	Network                   // no answer
	Canceled                  // the caller gave up
)

var kindNames = [...]string{
	"unknown", "not found", "group not found", "subscription not found", "unauthenticated",
	"forbidden", "throttled", "quota", "allocation", "conflict", "precondition", "deleting",
	"invalid", "instance gone", "preempted", "not allowed for mode", "transient", "network", "canceled",
}

// String names the kind in lower-case words, for logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// KindOf returns the kind of the first [Error] in err's tree, and Unknown
// where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unknown
}

// Is tells whether err is of one of the kinds.
func Is(err error, kinds ...Kind) bool {
	return err != nil && slices.Contains(kinds, KindOf(err))
}

// IsSystemic reports whether err would meet any other call to Azure, too: the
// network is down, Azure throttles or is in trouble, or the caller gave up.
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

// MayHaveTakenEffect tells whether a write that ended in err may have been
// carried out all the same, so that only a read can tell.
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
