package azure

import (
	"net/http"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Operations of Azure, as faults name them.
const (
	getSet       = "VirtualMachineScaleSets_Get"
	updateSet    = "VirtualMachineScaleSets_Update"
	deleteBatch  = "VirtualMachineScaleSets_DeleteInstances"
	anyList      = "VirtualMachine*_List"
	anyGet       = "VirtualMachine*s_Get"
	interfaces   = "NetworkInterfaces_*"
	getOperation = "Operations_Get"
)

func refusal(name, operation string, status, retryAfter int, after bool) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: armsim.Effect{
		Error: &armsim.ErrorAnswer{Status: status, RetryAfter: retryAfter, After: after},
	}}
}

func cut(name, operation, where string) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: armsim.Effect{Cut: where}}
}

func list(what string) armsim.Fault {
	return armsim.Fault{Name: "list " + what, Operation: anyList, Effect: armsim.Effect{List: what}}
}

func fate(name, operation string, e armsim.Effect) armsim.Fault {
	return armsim.Fault{Name: name, Operation: operation, Effect: e}
}

var noCapacity = &armsim.Failure{Code: "AllocationFailed", Message: "Allocation failed. We do not have sufficient capacity for the requested VM size in this region."}

// palette are the faults that TestModel draws from.
var palette = []armsim.Fault{
	refusal("lists throttled", anyList, http.StatusTooManyRequests, 40, false),
	refusal("lists fail", anyList, http.StatusInternalServerError, 0, false),
	refusal("reads throttled", getSet, http.StatusTooManyRequests, 20, false),
	refusal("reads fail", anyGet, http.StatusServiceUnavailable, 0, false),
	refusal("interfaces fail", interfaces, http.StatusBadGateway, 0, false),
	refusal("polls fail", getOperation, http.StatusInternalServerError, 0, false),
	refusal("polls find nothing", getOperation, http.StatusNotFound, 0, false),
	refusal("writes throttled", updateSet, http.StatusTooManyRequests, 30, false),
	refusal("writes fail", updateSet, http.StatusInternalServerError, 0, false),
	refusal("writes conflict", updateSet, http.StatusConflict, 0, false),
	refusal("writes fail afterwards", updateSet, http.StatusGatewayTimeout, 0, true),
	refusal("precondition", updateSet, http.StatusPreconditionFailed, 0, false),
	refusal("deletions throttled", deleteBatch, http.StatusTooManyRequests, 30, false),
	refusal("deletions fail", deleteBatch, http.StatusInternalServerError, 0, false),
	refusal("deletions conflict", deleteBatch, http.StatusConflict, 0, false),
	refusal("deletions fail afterwards", deleteBatch, http.StatusBadGateway, 0, true),
	refusal("forbidden", "VirtualMachine*", http.StatusForbidden, 0, false),
	refusal("token", "VirtualMachine*", http.StatusUnauthorized, 0, false),
	cut("writes cut before", updateSet, armsim.CutBefore),
	cut("writes cut after", updateSet, armsim.CutAfter),
	cut("deletions cut after", deleteBatch, armsim.CutAfter),
	cut("lists cut", anyList, armsim.CutBefore),
	list(armsim.ListNoValue), list(armsim.ListShuffle), list(armsim.ListRepeat), list(armsim.ListOdd), list(armsim.ListEmptyLast),
	list(armsim.ListTruncate), list(armsim.ListEmpty),
	fate("stale lists", anyList, armsim.Effect{Stale: armsim.Span(20 * time.Second)}),
	fate("stale reads", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second)}),
	fate("stale reads with a new ETag", getSet, armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: true}),
	fate("slow answers", "VirtualMachine*", armsim.Effect{Delay: armsim.Span(20 * time.Second)}),
	fate("no capacity in the answer", getSet, armsim.Effect{Omit: []string{"sku"}}),
	fate("no instance views", anyList, armsim.Effect{Omit: []string{"properties.instanceView"}}),
	fate("operations fail", updateSet, armsim.Effect{FailOperation: noCapacity}),
	fate("creations fail", "instance.create", armsim.Effect{Fail: noCapacity}),
	fate("instances never made", "instance.create", armsim.Effect{Absent: noCapacity}),
	fate("creations stuck", "instance.create", armsim.Effect{Stuck: true}),
	fate("creations slow", "instance.create", armsim.Effect{Slow: 5}),
	fate("deletions come to nothing", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}),
	fate("deletions stuck", "instance.delete", armsim.Effect{Stuck: true}),
}
