package armsim

import (
	"fmt"
	"net/http"
	"strings"
)

// problem is an error answer in Azure's shape: {"error":{code,message,…}}.
// Every error that the simulator can give has its constructor in this file.
type problem struct {
	status  int
	code    string
	message string
	target  string
	details []problem
	header  http.Header
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func (p *problem) body() map[string]any { return map[string]any{"error": p.object()} }

func (p *problem) object() map[string]any {
	o := map[string]any{"code": p.code, "message": p.message}
	if p.target != "" {
		o["target"] = p.target
	}
	if len(p.details) > 0 {
		list := make([]any, 0, len(p.details))
		for i := range p.details {
			list = append(list, p.details[i].object())
		}
		o["details"] = list
	}
	return o
}

func newProblem(status int, code, format string, args ...any) *problem {
	return &problem{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func (p *problem) at(target string) *problem {
	p.target = target
	return p
}

// ARM's own.

func missingAPIVersion() *problem {
	return newProblem(http.StatusBadRequest, "MissingApiVersionParameter",
		"The api-version query parameter (?api-version=) is required for all requests.")
}

func invalidAPIVersion(v string) *problem {
	return newProblem(http.StatusBadRequest, "InvalidApiVersionParameter",
		"The api-version '%s' is invalid. The supported versions are dates such as '2024-11-01'.", v)
}

func noRegisteredProvider(resourceType, v, location string) *problem {
	return newProblem(http.StatusBadRequest, "NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'.", location, v, resourceType)
}

func notSimulated(method, path string) *problem {
	return newProblem(http.StatusNotImplemented, "NotImplemented",
		"armsim does not simulate %s %s; see docs/reference/armsim.md for what it does.", method, path)
}

func subscriptionNotFound(id string) *problem {
	return newProblem(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

func groupNotFound(name string) *problem {
	return newProblem(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

func groupBeingDeleted(name string) *problem {
	return newProblem(http.StatusConflict, "ResourceGroupBeingDeleted",
		"The resource group '%s' is in deprovisioning state and cannot perform this operation.", name)
}

func resourceNotFound(resource, group string) *problem {
	return newProblem(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", resource, group)
}

// networkNotFound is the Network provider's own 404: its code is NotFound, not
// ResourceNotFound (terraform-provider-azurerm#22439).
func networkNotFound(id string) *problem {
	return newProblem(http.StatusNotFound, "NotFound", "Resource %s not found.", id)
}

func instanceNotFound(id string) *problem {
	return newProblem(http.StatusNotFound, "NotFound", "The entity was not found in this Azure location: instance '%s'.", id)
}

func operationNotFound(id string) *problem {
	return newProblem(http.StatusNotFound, "NotFound", "The operation '%s' was not found.", id)
}

func invalidRequestContent(cause error) *problem {
	return newProblem(http.StatusBadRequest, "InvalidRequestContent",
		"The request content was invalid and could not be deserialized: '%s'.", oneLine(cause))
}

func locationRequired() *problem {
	return newProblem(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
}

// Who may what.

func authenticationFailed(reason string) *problem {
	p := newProblem(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. %s", reason)
	p.header = http.Header{"Www-Authenticate": {`Bearer authorization_uri="armsim", error="invalid_token"`}}
	return p
}

func invalidToken(code, format string, args ...any) *problem {
	p := newProblem(http.StatusUnauthorized, code, format, args...)
	p.header = http.Header{"Www-Authenticate": {`Bearer authorization_uri="armsim", error="invalid_token"`}}
	return p
}

func authorizationFailed(client, action, scope string) *problem {
	return newProblem(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		client, client, action, scope)
}

// Compute's.

func invalidParameter(target, format string, args ...any) *problem {
	return newProblem(http.StatusBadRequest, "InvalidParameter", format, args...).at(target)
}

func instanceIDNotNumber() *problem {
	return invalidParameter("instanceId", "Virtual Machine Scale Set VM instanceId must be a number.")
}

func instanceIDNotActive(target, id string) *problem {
	return invalidParameter(target, "The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", id)
}

func preconditionFailed(given, actual string) *problem {
	return newProblem(http.StatusPreconditionFailed, "PreconditionFailed",
		"Etag provided in if-match header %s does not match etag %s of resource.", quoted(given), actual)
}

func markedForDeletion(operation, name string) *problem {
	return newProblem(http.StatusConflict, "OperationNotAllowed",
		"Operation '%s' is not allowed on Virtual Machine Scale Set '%s' since it is marked for deletion.", operation, name)
}

func coreQuotaExceeded(limit, used, asked int, location string) *problem {
	return newProblem(http.StatusConflict, "OperationNotAllowed",
		"Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d.",
		location, limit, used, asked, used+asked)
}

func flexibleNotAllowed(operation, name string) *problem {
	return newProblem(http.StatusBadRequest, "BadRequest",
		"Operation '%s' is not allowed on Virtual Machine Scale Set '%s'.", operation, name)
}

func propertyChangeNotAllowed(property string) *problem {
	return newProblem(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).at(property)
}

// concurrentRequest is the answer to a second write where one at a time is allowed.
func concurrentRequest() *problem {
	return newProblem(http.StatusConflict, "Conflict",
		"The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.")
}

// preempted is the end of an operation that a newer capacity superseded
// (kubernetes/autoscaler#3018, #9505).
func preempted() *problem {
	return newProblem(http.StatusConflict, "OperationPreempted",
		"The operation execution has been preempted by a more recent operation.")
}

// throttled carries the code of a quota error; only the status and the detail
// tell them apart (Microsoft's troubleshooting-throttling-errors page).
func throttled(policy string, retryAfter int) *problem {
	p := newProblem(http.StatusTooManyRequests, "OperationNotAllowed",
		"The server rejected the request because too many requests have been received for this subscription.")
	p.details = []problem{{code: "TooManyRequests", target: policy,
		message: fmt.Sprintf(`{"operationGroup":"%s","retryAfterSeconds":%d}`, policy, retryAfter)}}
	p.header = http.Header{"Retry-After": {fmt.Sprint(retryAfter)}}
	return p
}

func quoted(s string) string {
	if strings.HasPrefix(s, `"`) {
		return s
	}
	return `"` + s + `"`
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
