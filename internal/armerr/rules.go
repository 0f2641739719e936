package armerr

import "slices"

// rules is searched from the top, and the first match counts: a kind and a fix for
// each code and each object that the error may be about. Without a match the kind
// is Unknown.
var rules = slices.Concat(limitRules, foreignRules, placeRules, linkedRules, imageRules, networkRules,
	stateRules, sizeRules, modelRules, statusRules, entraRules, localRules)

// Sources that several rules have.
const (
	sourceCommonErrors = `learn.microsoft.com, "Troubleshoot common Azure deployment errors"`
	sourceVMErrors     = `learn.microsoft.com, "Understand common error messages when you manage virtual machines in Azure"`
	sourceAuthCodes    = `learn.microsoft.com, "Microsoft Entra authentication and authorization error codes"`
	sourceRecorded     = "recorded in tests of Azure's own tools"
	sourceBuiltInRoles = `recorded in tests of Azure's own tools; learn.microsoft.com, "Azure built-in roles"`
	sourceSpot         = `learn.microsoft.com, "Error codes and messages for Azure Spot"`
	sourceRPC          = "github.com/cloud-and-ai-microsoft/resource-provider-contract, common API contracts"
	sourceHTTP         = "RFC 9110"
	sourceGo           = "net/http, as tried"
	sourceSDK          = "azidentity v1.15.0"
)

const (
	hintQuota     = "request more vCPUs or addresses for the subscription in this region, or choose another VM size"
	hintCapacity  = "Azure has too few of these machines there at present; try later, or another VM size, zone or region"
	hintTransient = "a failure on Azure's side, which usually passes within minutes"
	hintClock     = "check this machine's clock"
	hintVersion   = "set api_version to the newest version of Microsoft.Compute that this cloud lists for virtualMachineScaleSets; " +
		"it must be one of those that the plugin works with"

	// %s is the host that was asked.
	restProxy = "what HTTPS_PROXY names: a proxy or a firewall responds in Azure's place; have it let %[1]s pass, or name %[1]s in NO_PROXY"
	restPage  = "this machine's network: a page for people came in Azure's place, as of a proxy or of a network that wants a sign-in; " +
		"have it let %[1]s pass, or name %[1]s in NO_PROXY"
)

// limitRules come first: compute sends 429 with the code that quota errors have.
var limitRules = []rule{
	{origin: arm, status: 429, kind: Throttled, hint: throttleHint, source: `learn.microsoft.com, "Troubleshoot API throttling errors"`},
	{
		origin: arm, codes: []string{"TooManyRequests", "TooManyRequestsReceived", "SubscriptionRequestsThrottled", "ResourceRequestsThrottled"},
		kind: Throttled, hint: throttleHint, source: `learn.microsoft.com, "Troubleshoot API throttling errors"; kubernetes/autoscaler#1499`,
	},
	{origin: arm, status: 412, kind: Precondition, hint: fixedHint(""), source: "recorded: etag of a scale set"},
}

// foreignRules are for responses without a code, which Azure's errors always have.
// They must not be taken for a resource that does not exist, or a missing role.
var foreignRules = []rule{
	{
		origin: arm, status: 407, kind: Network, source: sourceHTTP,
		hint: fixedHint("check HTTPS_PROXY and the proxy's credentials, or name Azure's hosts in NO_PROXY if this machine reaches them without it"),
	},
	{origin: arm, status: 511, kind: Network, hint: foreignHint(restPage), source: "RFC 6585, network authentication required"},
	{origin: arm, status: 401, foreign: true, page: true, kind: Unknown, hint: foreignHint(restProxy), source: sourceHTTP},
	{origin: arm, status: 403, foreign: true, kind: Unknown, hint: foreignHint(restProxy), source: sourceHTTP},
	{origin: arm, status: 404, foreign: true, kind: Unknown, hint: foreignHint(restProxy), source: sourceHTTP},
	{
		// Azure's own gateways have such pages, too: it may pass.
		origin: arm, status: serverError, foreign: true, page: true, kind: Transient, source: sourceHTTP,
		hint: fixedHint("a failure on Azure's side, which usually passes within minutes, or of a proxy on the way; check what HTTPS_PROXY names if it stays"),
	},
	{origin: arm, status: 200, foreign: true, page: true, kind: Unknown, hint: foreignHint(restPage), source: sourceGo},
}

// placeRules are about where the scale set is, and who asks.
var placeRules = []rule{
	{
		origin: arm, codes: []string{"SubscriptionNotFound", "InvalidSubscriptionId"}, kind: SubscriptionNotFound,
		hint: fixedHint("check subscription_id, and that the identity may see it"), source: sourceCommonErrors,
	},
	{
		// That a parent does not exist says nothing about the resource itself.
		origin: arm, codes: []string{"ResourceGroupNotFound", "ParentResourceNotFound"}, kind: GroupNotFound,
		hint: fixedHint("check name, resource_group_name and subscription_id"), source: sourceCommonErrors,
	},
	{
		origin: arm, codes: []string{"InvalidAuthenticationTokenTenant"}, kind: Unauthenticated,
		hint: fixedHint("the subscription belongs to another tenant; check tenant_id and subscription_id"), source: sourceCommonErrors,
	},
	{
		origin: arm, codes: []string{"ExpiredAuthenticationToken"}, kind: Unauthenticated,
		hint: fixedHint(hintClock), source: "hashicorp/terraform-provider-azurerm#20867",
	},
	{
		origin: arm, status: 401, text: []string{"not yet valid"}, kind: Unauthenticated,
		hint: fixedHint(hintClock), source: "RFC 7519, not before; Azure/azure-sdk-for-js#4814",
	},
	{
		origin: arm, status: 401, kind: Unauthenticated,
		hint: fixedHint("check credential, tenant_id and cloud"), source: sourceCommonErrors,
	},
	{
		origin: arm, codes: []string{"ReadOnlyDisabledSubscription", "DisabledSubscription"}, kind: Forbidden,
		hint: fixedHint("the subscription is disabled; enable it in the Azure portal"), source: sourceCommonErrors,
	},
	{
		origin: arm, codes: []string{"MissingSubscriptionRegistration"}, kind: Invalid,
		hint:   fixedHint("register the resource provider that the message names with the subscription: az provider register"),
		source: sourceRecorded,
	},
	{
		origin: arm, codes: []string{"NoRegisteredProviderFound", "InvalidApiVersionParameter"}, text: []string{"supported"},
		kind: APIVersion, hint: fixedHint(hintVersion), source: "Azure/azure-sdk-for-net#2276, Azure/azure-resource-manager-schemas#33",
	},
	{
		origin: arm, codes: []string{"NoRegisteredProviderFound", "InvalidApiVersionParameter", "UnsupportedApiVersion"},
		kind: APIVersion, hint: fixedHint(hintVersion), source: sourceCommonErrors,
	},
	{
		origin: arm, codes: []string{"InvalidResourceType", "InvalidResourceNamespace"}, kind: APIVersion,
		hint: fixedHint("this cloud has no such resource type; check cloud, and set api_version to one that it lists"), source: sourceCommonErrors,
	},
}

// statusRules are for codes that are in no other row.
var statusRules = []rule{
	{origin: arm, status: 408, kind: Transient, hint: fixedHint(hintTransient), source: sourceHTTP},
	{origin: arm, status: serverError, kind: Transient, hint: fixedHint(hintTransient), source: "recorded: 500 and 504 of polls that succeeded later"},
	{
		origin: arm, codes: []string{"InternalExecutionError", "InternalOperationError", "TransientFailure", "ServerTimeout"}, kind: Transient,
		hint: fixedHint(hintTransient), source: `learn.microsoft.com, "Resilient create and delete for scale sets"`,
	},
	{
		origin: arm, status: 404, about: linked, kind: Linked, source: "recorded: code NotFound for a subnet",
		hint: subjectHint("create %s again, or change the link to it in the scale set's model: az vmss update"),
	},
	{origin: arm, status: 404, kind: NotFound, hint: fixedHint("check name, resource_group_name and subscription_id"), source: sourceRecorded},
	{origin: arm, status: 403, about: linked, kind: Forbidden, hint: linkedRoleHint(""), source: sourceCommonErrors},
	{origin: arm, status: 403, kind: Forbidden, hint: roleHint, source: sourceCommonErrors},
	{origin: arm, status: 409, kind: Conflict, hint: fixedHint(""), source: "Azure/azure-cli#15765"},
	{
		origin: arm, status: 400, about: linked, kind: Linked, source: sourceCommonErrors,
		hint: subjectHint("correct %s, or the link to it in the scale set's model: az vmss update"),
	},
	{
		origin: arm, status: 400, kind: Invalid, source: sourceCommonErrors,
		hint: fixedHint("correct in the scale set's model what the message names, and try by hand with az vmss scale, which shows the same error"),
	},
}
