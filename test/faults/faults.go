// Package faults has the simulator's faults that tests share. It is for tests only.
package faults

import (
	"net/http"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Operations of Azure, as faults name them.
const (
	GetScaleSet     = "VirtualMachineScaleSets_Get"
	UpdateScaleSet  = "VirtualMachineScaleSets_Update"
	DeleteInstances = "VirtualMachineScaleSets_DeleteInstances"
	Deallocate      = "VirtualMachine*_Deallocate"
	Start           = "VirtualMachine*_Start"
	AnyUpdate       = "VirtualMachine*s_Update"
	AnyList         = "VirtualMachine*_List"
	AnyGet          = "VirtualMachine*s_Get"
	Interfaces      = "NetworkInterfaces_*"
	GetOperation    = "Operations_Get"
)

// Refusal refuses requests with a status, and after seconds in Retry-After if they
// are not 0. With after the request is carried out nevertheless.
func Refusal(name, operation string, status, retryAfter int, after bool) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: armsim.Effect{
		Error: &armsim.ErrorResponse{Status: status, RetryAfter: retryAfter, After: after},
	}}
}

// Cut cuts the connection, before or after the request is carried out.
func Cut(name, operation, where string) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: armsim.Effect{Cut: where}}
}

// List spoils the list of instances.
func List(what string) armsim.Fault {
	return armsim.Fault{Name: "list " + what, Operation: AnyList, Effect: armsim.Effect{List: what}}
}

// WithEffect is a fault with any effect.
func WithEffect(name, operation string, e armsim.Effect) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: e}
}

// For limits a fault to a time.
func For(f armsim.Fault, d time.Duration) armsim.Fault {
	f.For = armsim.Span(d)
	return f
}

// Times limits a fault to the first requests that it meets.
func Times(f armsim.Fault, n int) armsim.Fault {
	f.Times = n
	return f
}

// AboveCapacity limits a fault to writes that ask for a capacity above n.
func AboveCapacity(f armsim.Fault, n int) armsim.Fault {
	f.CapacityAbove = n
	return f
}

// AllocationFailed is how a creation ends where Azure has no capacity left.
var AllocationFailed = &armsim.Failure{Code: "AllocationFailed", Message: "Allocation failed. We do not have sufficient capacity for the requested VM size in this region."}

// ProvisioningTimeout is how a creation ends whose virtual machine runs, but never
// reports that it is ready.
var ProvisioningTimeout = &armsim.Failure{Code: "OSProvisioningTimedOut", Message: "OS Provisioning for VM did not finish in the allotted time. The VM may still finish provisioning successfully."}

// NeverMade has instances of accepted increases never made: so many after the first to
// pass; times 0 stands for all.
func NeverMade(skip, times int) armsim.Fault {
	f := Times(WithEffect("instances never made", "instance.create", armsim.Effect{Absent: AllocationFailed}), times)
	f.Skip = skip
	return f
}

// FailWithPower has creations end as Failed while their virtual machines run.
func FailWithPower(f *armsim.Failure) armsim.Fault {
	return WithEffect("creations fail with power", "instance.create", armsim.Effect{FailRunning: f})
}

// NoRoom refuses writes of a capacity above n, in words that name no number.
func NoRoom(n int) armsim.Fault {
	return AboveCapacity(armsim.Fault{Name: "no room", Operation: UpdateScaleSet, Effect: armsim.Effect{Error: &armsim.ErrorResponse{
		Status: http.StatusBadRequest, Code: "SubnetIsFull", Message: "Subnet default with address prefix 10.0.0.0/29 does not have enough capacity for the IP addresses.",
	}}}, n)
}

// All are the faults that TestModel draws from.
var All = []armsim.Fault{
	Refusal("lists throttled", AnyList, http.StatusTooManyRequests, 40, false),
	Refusal("lists fail", AnyList, http.StatusInternalServerError, 0, false),
	Refusal("reads throttled", GetScaleSet, http.StatusTooManyRequests, 20, false),
	Refusal("reads fail", AnyGet, http.StatusServiceUnavailable, 0, false),
	Refusal("interfaces fail", Interfaces, http.StatusBadGateway, 0, false),
	Refusal("polls fail", GetOperation, http.StatusInternalServerError, 0, false),
	Refusal("polls find nothing", GetOperation, http.StatusNotFound, 0, false),
	Refusal("writes throttled", UpdateScaleSet, http.StatusTooManyRequests, 30, false),
	Refusal("writes fail", UpdateScaleSet, http.StatusInternalServerError, 0, false),
	Refusal("writes conflict", UpdateScaleSet, http.StatusConflict, 0, false),
	Refusal("writes fail afterwards", UpdateScaleSet, http.StatusGatewayTimeout, 0, true),
	Refusal("precondition", UpdateScaleSet, http.StatusPreconditionFailed, 0, false),
	Refusal("deletions throttled", DeleteInstances, http.StatusTooManyRequests, 30, false),
	Refusal("deletions fail", DeleteInstances, http.StatusInternalServerError, 0, false),
	Refusal("deletions conflict", DeleteInstances, http.StatusConflict, 0, false),
	Refusal("deletions fail afterwards", DeleteInstances, http.StatusBadGateway, 0, true),
	Refusal("forbidden", "VirtualMachine*", http.StatusForbidden, 0, false),
	Refusal("token", "VirtualMachine*", http.StatusUnauthorized, 0, false),
	Cut("writes cut before", UpdateScaleSet, armsim.CutBefore),
	Cut("writes cut after", UpdateScaleSet, armsim.CutAfter),
	Cut("deletions cut after", DeleteInstances, armsim.CutAfter),
	Cut("lists cut", AnyList, armsim.CutBefore),
	List(armsim.ListNoValue), List(armsim.ListShuffle), List(armsim.ListRepeat), List(armsim.ListOdd), List(armsim.ListEmptyLast),
	List(armsim.ListTruncate), List(armsim.ListEmpty),
	WithEffect("stale lists", AnyList, armsim.Effect{Stale: armsim.Span(20 * time.Second)}),
	WithEffect("stale reads", GetScaleSet, armsim.Effect{Stale: armsim.Span(10 * time.Second)}),
	WithEffect("stale reads with a new ETag", GetScaleSet, armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: true}),
	WithEffect("slow responses", "VirtualMachine*", armsim.Effect{Delay: armsim.Span(20 * time.Second)}),
	WithEffect("no capacity in the response", GetScaleSet, armsim.Effect{Omit: []string{"sku"}}),
	WithEffect("no instance views", AnyList, armsim.Effect{Omit: []string{"properties.instanceView"}}),
	WithEffect("operations fail", UpdateScaleSet, armsim.Effect{FailOperation: AllocationFailed}),
	WithEffect("creations fail", "instance.create", armsim.Effect{Fail: AllocationFailed}),
	NeverMade(0, 0),
	WithEffect("creations stuck", "instance.create", armsim.Effect{Stuck: true}),
	WithEffect("creations slow", "instance.create", armsim.Effect{Slow: 5}),
	FailWithPower(ProvisioningTimeout),
	NoRoom(3),
	WithEffect("deletions come to nothing", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
	WithEffect("deletions stuck", "instance.delete", armsim.Effect{Stuck: true}),
	WithEffect("deallocations fail", "instance.deallocate", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
	WithEffect("starts fail", "instance.start", armsim.Effect{Fail: AllocationFailed}),
	WithEffect("starts stuck", "instance.start", armsim.Effect{Stuck: true}),
	Refusal("deallocations fail afterwards", Deallocate, http.StatusBadGateway, 0, true),
	Refusal("deallocations conflict", Deallocate, http.StatusConflict, 0, false),
	Refusal("starts throttled", Start, http.StatusTooManyRequests, 30, false),
	Refusal("starts fail afterwards", Start, http.StatusGatewayTimeout, 0, true),
	Refusal("marks fail", AnyUpdate, http.StatusInternalServerError, 0, false),
	Cut("marks cut after", AnyUpdate, armsim.CutAfter),
}
