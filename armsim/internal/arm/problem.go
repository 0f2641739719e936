package arm

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The errors of this front have their constructors here. What the world refuses
// has its words there.

// conflict is a failure of the world as a client sees it; nil of nil.
func conflict(f *world.Failure) *azhttp.Problem {
	if f == nil {
		return nil
	}
	return azhttp.NewProblem(http.StatusConflict, f.Code, "%s", f.Message)
}

// ARM's own.

func missingAPIVersion() *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "MissingApiVersionParameter",
		"The api-version query parameter (?api-version=) is required for all requests.")
}

func invalidAPIVersion(v string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidApiVersionParameter",
		"The api-version '%s' is invalid. The supported versions are dates such as '2024-11-01'.", v)
}

// noRegisteredProvider has Azure's own words (azure-sdk-for-python#32029).
func noRegisteredProvider(resourceType, v, location string, supported []string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are '%s'.",
		location, v, resourceType, strings.Join(supported, ", "), location)
}

func notSimulated(method, path string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotImplemented, "NotImplemented",
		"armsim does not simulate %s %s; see docs/reference/armsim.md for what it does.", method, path)
}

// internalError is a fault of the simulator itself, with the place in its code.
func internalError(fault any) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusInternalServerError, "InternalServerError",
		"armsim has a fault of its own, please report it: %v at %s.", fault, placeOfPanic())
}

// placeOfPanic is the function of armsim that a recovered panic began in.
func placeOfPanic() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	panicked := false
	for {
		frame, more := frames.Next()
		if panicked && !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", frame.Function, frame.Line)
		}
		panicked = panicked || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}

func subscriptionNotFound(id string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

func groupNotFound(name string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name))
}

func groupBeingDeleted(name string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusConflict, "ResourceGroupBeingDeleted",
		"The resource group '%s' is in deprovisioning state and cannot perform this operation.", name))
}

func resourceNotFound(resource, group string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", resource, group)
}

// networkNotFound is the Network provider's own 404: its code is NotFound, not
// ResourceNotFound (terraform-provider-azurerm#22439).
func networkNotFound(id string) *azhttp.Problem {
	return byNetwork(azhttp.NewProblem(http.StatusNotFound, "NotFound", "Resource %s not found.", id))
}

func instanceNotFound(id string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "NotFound", "The entity was not found in this Azure location: instance '%s'.", id)
}

func operationNotFound(id string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusNotFound, "NotFound", "The operation '%s' was not found.", id)
}

func invalidRequestContent(cause error) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidRequestContent",
		"The request content was invalid and could not be deserialized: '%s'.", oneLine(cause))
}

func locationRequired() *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
}

// invalidResourceLocation has reported words (fortinetsolutions/Azure-Templates#8).
func invalidResourceLocation(name, group, is, wanted string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusConflict, "InvalidResourceLocation",
		"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
		name, is, group, wanted))
}

// invalidGroupLocation has reported words and status (trailofbits/algo#1814).
func invalidGroupLocation(is, wanted string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusConflict, "InvalidResourceGroupLocation",
		"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", wanted, is))
}

// Who may what.

func authorizationFailed(client, principal, action, scope string) *azhttp.Problem {
	return byGateway(azhttp.NewProblem(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		client, principal, action, scope))
}

// Compute's.

func invalidParameter(target, format string, args ...any) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidParameter", format, args...).At(target)
}

func instanceIDNotNumber() *azhttp.Problem {
	return invalidParameter("instanceId", "Virtual Machine Scale Set VM instanceId must be a number.")
}

func instanceIDNotActive(target, id string) *azhttp.Problem {
	return invalidParameter(target, "The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", id)
}

func preconditionFailed(given, actual string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusPreconditionFailed, "PreconditionFailed",
		"Etag provided in if-match header %s does not match etag %s of resource.", quoted(given), actual)
}

func markedForDeletion(operation, name string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed",
		"Operation '%s' is not allowed on Virtual Machine Scale Set '%s' since it is marked for deletion.", operation, name)
}

func flexibleNotAllowed(operation, name string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusBadRequest, "BadRequest",
		"Operation '%s' is not allowed on Virtual Machine Scale Set '%s'.", operation, name)
}

func propertyChangeNotAllowed(property string) *azhttp.Problem {
	return azhttp.NewProblem(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).At(property)
}

func quoted(s string) string {
	if strings.HasPrefix(s, `"`) {
		return s
	}
	return `"` + s + `"`
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
