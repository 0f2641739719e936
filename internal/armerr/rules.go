package armerr

import "slices"

// rules is searched from the top; the first match counts. Where an answer
// matches none, its kind is Unknown.
var rules = slices.Concat(armRules, entraRules, localRules)

const (
	hintQuota    = "request more vCPUs or addresses for the subscription in this region, or choose another VM size"
	hintCapacity = "Azure has too few of these machines there now; try later, or another VM size, zone or region"
	hintProxy    = "the answer is not Azure's; check cloud, and any proxy between this machine and Azure"
	hintAgain    = "Azure's own trouble; it is usually gone within minutes"
)

var armRules = []rule{
	// learn.microsoft.com, "Troubleshoot API throttling errors": compute sends
	// 429 with the code that quota has too, so the status goes first.
	{origin: arm, status: 429, kind: Throttled, hint: askPatience},
	{
		origin: arm, codes: []string{"TooManyRequests", "TooManyRequestsReceived", "SubscriptionRequestsThrottled", "ResourceRequestsThrottled"},
		kind: Throttled, hint: askPatience,
	},
	{origin: arm, status: 412, kind: Precondition, hint: say("")},

	// learn.microsoft.com, "Troubleshoot common Azure deployment errors".
	{
		origin: arm, codes: []string{"SubscriptionNotFound", "InvalidSubscriptionId"},
		kind: SubscriptionNotFound, hint: say("check subscription_id, and that the identity may see it"),
	},
	{
		// A resource in another one that is not there says nothing of itself.
		origin: arm, codes: []string{"ResourceGroupNotFound", "ParentResourceNotFound"},
		kind: GroupNotFound, hint: say("check name, resource_group_name and subscription_id"),
	},
	{
		origin: arm, codes: []string{"InvalidAuthenticationTokenTenant"},
		kind: Unauthenticated, hint: say("the subscription belongs to another tenant; check tenant_id and subscription_id"),
	},
	{
		origin: arm, codes: []string{"ExpiredAuthenticationToken"},
		kind: Unauthenticated, hint: say("check this machine's clock"),
	},
	{origin: arm, status: 401, kind: Unauthenticated, hint: say("check credential, tenant_id and cloud")},

	// A missing join action on a subnet and the like is "linked".
	{origin: arm, codes: []string{"AuthorizationFailed", "LinkedAuthorizationFailed"}, kind: Forbidden, hint: askRole},
	{
		origin: arm, codes: []string{"RequestDisallowedByPolicy"},
		kind: Forbidden, hint: say("an Azure Policy of the subscription forbids this; ask its owner for an exemption"),
	},
	{
		origin: arm, codes: []string{"ScopeLocked"},
		kind: Forbidden, hint: say("remove the lock on the scale set, its resource group or its subscription"),
	},
	{
		origin: arm, codes: []string{"ReadOnlyDisabledSubscription", "DisabledSubscription"},
		kind: Forbidden, hint: say("the subscription is disabled; enable it in the Azure portal"),
	},

	// github.com/kubernetes/autoscaler/issues/9505.
	{origin: arm, codes: []string{"OperationPreempted"}, kind: Preempted, hint: say("")},
	// github.com/microsoft/onefuzz/issues/511.
	{origin: arm, text: []string{"marked for deletion"}, kind: Deleting, hint: say("")},
	{origin: arm, codes: []string{"ResourceGroupBeingDeleted"}, kind: Deleting, hint: say("")},
	// Recorded by github.com/Azure/azure-xplat-cli.
	{origin: arm, codes: []string{"InstanceIdsListInstanceIdNotActiveVM"}, kind: InstanceGone, hint: say("")},
	{origin: arm, status: 400, codes: []string{"InvalidParameter"}, target: "instanceIds", kind: InstanceGone, hint: say("")},
	// github.com/hashicorp/nomad-autoscaler/issues/1096. With a reason given
	// it is the scale set's state that stands in the way, not its mode.
	{origin: arm, text: []string{"is not allowed on virtual machine scale set", " since "}, kind: Conflict, hint: say("")},
	{
		origin: arm, text: []string{"is not allowed on virtual machine scale set"},
		kind: NotAllowedForMode, hint: say("use a scale set in Uniform orchestration mode"),
	},

	// github.com/Azure/karpenter-provider-azure/issues/192: quota shares its
	// code with other refusals, so the message has to be looked at.
	{origin: arm, codes: []string{"OperationNotAllowed"}, text: []string{"quota"}, kind: Quota, hint: say(hintQuota)},
	{origin: arm, codes: []string{"QuotaExceeded", "PublicIPCountLimitReached"}, kind: Quota, hint: say(hintQuota)},
	// learn.microsoft.com, "Error codes and messages for Azure Spot".
	{
		origin: arm, codes: []string{"SkuNotAvailable"},
		kind: Allocation, hint: say("the VM size is not to be had there; choose another size, zone or region"),
	},
	{
		origin: arm, codes: []string{
			"AllocationFailed", "ZonalAllocationFailed",
			"OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest",
		},
		kind: Allocation, hint: say(hintCapacity),
	},
	{
		origin: arm, codes: []string{"SpotPriceGreaterThanProvidedMaxPrice"},
		kind: Allocation, hint: say("raise the scale set's maximum Spot price, or wait for a lower one"),
	},

	{
		origin: arm, codes: []string{"MissingSubscriptionRegistration"},
		kind: Invalid, hint: say("register the resource provider with the subscription: az provider register"),
	},
	{origin: arm, codes: []string{"PropertyChangeNotAllowed"}, kind: Invalid, hint: say("")},
	{origin: arm, status: 408, kind: Transient, hint: say(hintAgain)},
	{origin: arm, status: serverError, kind: Transient, hint: say(hintAgain)},
	// learn.microsoft.com, "Resilient create and delete for scale sets".
	{
		origin: arm, codes: []string{"InternalExecutionError", "InternalOperationError", "TransientFailure", "ServerTimeout"},
		kind: Transient, hint: say(hintAgain),
	},

	// Azure names a code with each of these; a proxy or a wrong address does
	// not, and must not pass for word that the resource is gone.
	{origin: arm, status: 404, bare: true, kind: Unknown, hint: say(hintProxy)},
	{origin: arm, status: 403, bare: true, kind: Unknown, hint: say(hintProxy)},
	{origin: arm, status: 407, kind: Network, hint: say("check HTTPS_PROXY and the proxy's credentials")},
	{origin: arm, status: 404, kind: NotFound, hint: say("check name, resource_group_name and subscription_id")},
	{origin: arm, status: 403, kind: Forbidden, hint: askRole},
	{origin: arm, status: 409, kind: Conflict, hint: say("")},
	{origin: arm, status: 400, kind: Invalid, hint: say("")},
}
