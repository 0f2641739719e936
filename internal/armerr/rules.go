package armerr

import "slices"

// rules is searched from the top, and the first match counts. Without a match the
// kind is Unknown.
var rules = slices.Concat(armRules, entraRules, localRules)

const (
	hintQuota     = "request more vCPUs or addresses for the subscription in this region, or choose another VM size"
	hintCapacity  = "Azure has too few of these machines there at present; try later, or another VM size, zone or region"
	hintProxy     = "the response does not come from Azure; check cloud, and any proxy between this machine and Azure"
	hintTransient = "a failure on Azure's side, which usually passes within minutes"
)

var armRules = []rule{
	// learn.microsoft.com, "Troubleshoot API throttling errors": compute sends
	// 429 with the code that quota errors have, too, so the status comes first.
	{origin: arm, status: 429, kind: Throttled, hint: throttleHint},
	{
		origin: arm, codes: []string{"TooManyRequests", "TooManyRequestsReceived", "SubscriptionRequestsThrottled", "ResourceRequestsThrottled"},
		kind: Throttled, hint: throttleHint,
	},
	{origin: arm, status: 412, kind: Precondition, hint: fixedHint("")},

	// learn.microsoft.com, "Troubleshoot common Azure deployment errors".
	{
		origin: arm, codes: []string{"SubscriptionNotFound", "InvalidSubscriptionId"},
		kind: SubscriptionNotFound, hint: fixedHint("check subscription_id, and that the identity may see it"),
	},
	{
		// That a parent does not exist says nothing about the resource itself.
		origin: arm, codes: []string{"ResourceGroupNotFound", "ParentResourceNotFound"},
		kind: GroupNotFound, hint: fixedHint("check name, resource_group_name and subscription_id"),
	},
	{
		origin: arm, codes: []string{"InvalidAuthenticationTokenTenant"},
		kind: Unauthenticated, hint: fixedHint("the subscription belongs to another tenant; check tenant_id and subscription_id"),
	},
	{
		origin: arm, codes: []string{"ExpiredAuthenticationToken"},
		kind: Unauthenticated, hint: fixedHint("check this machine's clock"),
	},
	{origin: arm, status: 401, kind: Unauthenticated, hint: fixedHint("check credential, tenant_id and cloud")},

	// A missing join action on a subnet and the like is "linked".
	{origin: arm, codes: []string{"AuthorizationFailed", "LinkedAuthorizationFailed"}, kind: Forbidden, hint: roleHint},
	{
		origin: arm, codes: []string{"RequestDisallowedByPolicy"},
		kind: Forbidden, hint: fixedHint("an Azure Policy of the subscription forbids this; ask its owner for an exemption"),
	},
	{
		origin: arm, codes: []string{"ScopeLocked"},
		kind: Forbidden, hint: fixedHint("remove the lock on the scale set, its resource group or its subscription"),
	},
	{
		origin: arm, codes: []string{"ReadOnlyDisabledSubscription", "DisabledSubscription"},
		kind: Forbidden, hint: fixedHint("the subscription is disabled; enable it in the Azure portal"),
	},

	// github.com/kubernetes/autoscaler/issues/9505.
	{origin: arm, codes: []string{"OperationPreempted"}, kind: Preempted, hint: fixedHint("")},
	// github.com/microsoft/onefuzz/issues/511.
	{origin: arm, text: []string{"marked for deletion"}, kind: Deleting, hint: fixedHint("")},
	{origin: arm, codes: []string{"ResourceGroupBeingDeleted"}, kind: Deleting, hint: fixedHint("")},
	// Recorded by github.com/Azure/azure-xplat-cli.
	{origin: arm, codes: []string{"InstanceIdsListInstanceIdNotActiveVM"}, kind: InstanceGone, hint: fixedHint("")},
	{origin: arm, status: 400, codes: []string{"InvalidParameter"}, target: "instanceIds", kind: InstanceGone, hint: fixedHint("")},
	// github.com/hashicorp/nomad-autoscaler/issues/1096. With a reason given,
	// the cause is the scale set's state, not its mode.
	{origin: arm, text: []string{"is not allowed on virtual machine scale set", " since "}, kind: Conflict, hint: fixedHint("")},
	{
		origin: arm, text: []string{"is not allowed on virtual machine scale set"},
		kind: NotAllowedForMode, hint: fixedHint("use a scale set in Uniform orchestration mode"),
	},

	// github.com/Azure/karpenter-provider-azure/issues/192: quota shares its
	// code with other refusals, so the message decides.
	{origin: arm, codes: []string{"OperationNotAllowed"}, text: []string{"quota"}, kind: Quota, hint: fixedHint(hintQuota)},
	{origin: arm, codes: []string{"QuotaExceeded", "PublicIPCountLimitReached"}, kind: Quota, hint: fixedHint(hintQuota)},
	// learn.microsoft.com, "Error codes and messages for Azure Spot".
	{
		origin: arm, codes: []string{"SkuNotAvailable"},
		kind: Allocation, hint: fixedHint("the VM size is not available there; choose another size, zone or region"),
	},
	{
		origin: arm, codes: []string{
			"AllocationFailed", "ZonalAllocationFailed",
			"OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest",
		},
		kind: Allocation, hint: fixedHint(hintCapacity),
	},
	{
		origin: arm, codes: []string{"SpotPriceGreaterThanProvidedMaxPrice"},
		kind: Allocation, hint: fixedHint("raise the scale set's maximum Spot price, or wait for a lower one"),
	},

	{
		origin: arm, codes: []string{"MissingSubscriptionRegistration"},
		kind: Invalid, hint: fixedHint("register the resource provider with the subscription: az provider register"),
	},
	{origin: arm, codes: []string{"PropertyChangeNotAllowed"}, kind: Invalid, hint: fixedHint("")},
	{origin: arm, status: 408, kind: Transient, hint: fixedHint(hintTransient)},
	{origin: arm, status: serverError, kind: Transient, hint: fixedHint(hintTransient)},
	// learn.microsoft.com, "Resilient create and delete for scale sets".
	{
		origin: arm, codes: []string{"InternalExecutionError", "InternalOperationError", "TransientFailure", "ServerTimeout"},
		kind: Transient, hint: fixedHint(hintTransient),
	},

	// Azure's responses of these kinds have a code. Those of a proxy or a wrong host
	// have none, and must not be taken for a resource that does not exist.
	{origin: arm, status: 404, noCode: true, kind: Unknown, hint: fixedHint(hintProxy)},
	{origin: arm, status: 403, noCode: true, kind: Unknown, hint: fixedHint(hintProxy)},
	{origin: arm, status: 407, kind: Network, hint: fixedHint("check HTTPS_PROXY and the proxy's credentials")},
	{origin: arm, status: 404, kind: NotFound, hint: fixedHint("check name, resource_group_name and subscription_id")},
	{origin: arm, status: 403, kind: Forbidden, hint: roleHint},
	{origin: arm, status: 409, kind: Conflict, hint: fixedHint("")},
	{origin: arm, status: 400, kind: Invalid, hint: fixedHint("")},
}
