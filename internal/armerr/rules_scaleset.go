package armerr

// stateRules are about what the scale set and its instances do at present.
var stateRules = []rule{
	{origin: arm, codes: []string{"OperationPreempted"}, kind: Preempted, hint: fixedHint(""), source: "kubernetes/autoscaler#9505"},
	{origin: arm, text: []string{"marked for deletion"}, kind: Deleting, hint: fixedHint(""), source: "microsoft/onefuzz#511"},
	{origin: arm, codes: []string{"ResourceGroupBeingDeleted"}, kind: Deleting, hint: fixedHint(""), source: sourceRecorded},
	{origin: arm, codes: []string{"InstanceIdsListInstanceIdNotActiveVM"}, kind: InstanceGone, hint: fixedHint(""), source: "recorded by Azure/azure-xplat-cli"},
	{
		origin: arm, status: 400, codes: []string{"InvalidParameter"}, target: "instanceIds", kind: InstanceGone,
		hint: fixedHint(""), source: "recorded by Azure/azure-xplat-cli",
	},
	{
		// With a reason given, the cause is the scale set's state, not its mode.
		origin: arm, text: []string{"is not allowed on virtual machine scale set", " since "}, kind: Conflict,
		hint: fixedHint(""), source: "microsoft/onefuzz#511",
	},
	{
		origin: arm, text: []string{"is not allowed on virtual machine scale set"}, kind: NotAllowedForMode,
		hint: fixedHint("use a scale set in Uniform orchestration mode"), source: "hashicorp/nomad-autoscaler#1096",
	},
	{
		origin: arm, codes: []string{"AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation"}, kind: Conflict,
		hint: fixedHint("wait for the other operation to end"), source: sourceRecorded,
	},
}

// sizeRules are about room for so many instances of that size.
var sizeRules = []rule{
	{
		// Quota shares its code with other refusals, so the message decides.
		origin: arm, codes: []string{"OperationNotAllowed"}, text: []string{"quota"}, kind: Quota,
		hint: fixedHint(hintQuota), source: "Azure/karpenter-provider-azure#192",
	},
	{origin: arm, codes: []string{"QuotaExceeded", "PublicIPCountLimitReached"}, kind: Quota, hint: fixedHint(hintQuota), source: sourceRecorded},
	{
		origin: arm, codes: []string{"SkuNotAvailable"}, text: []string{"for subscription"}, kind: Allocation, source: sourceCommonErrors,
		hint: fixedHint("the VM size is not available there to this subscription; choose another size, zone or region, or request access to it"),
	},
	{
		origin: arm, codes: []string{"SkuNotAvailable"}, kind: Allocation,
		hint: fixedHint("the VM size is not available there; choose another size, zone or region"), source: sourceSpot,
	},
	{
		origin: arm, codes: []string{"OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest"}, text: []string{"constraints applied"},
		kind: Allocation, source: "jenkins-infra/helpdesk#3584",
		hint: fixedHint("Azure has too few machines there that meet all that the message lists; try later, drop one of them from the model, or choose another VM size"),
	},
	{
		origin: arm, codes: []string{
			"AllocationFailed", "ZonalAllocationFailed", "OverconstrainedResumeFromHibernatedStateAllocationRequest",
			"OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest",
		},
		kind: Allocation, hint: fixedHint(hintCapacity), source: sourceSpot,
	},
	{
		origin: arm, codes: []string{"SpotPriceGreaterThanProvidedMaxPrice"}, kind: Allocation,
		hint: fixedHint("raise the scale set's maximum Spot price, or wait for a lower one"), source: sourceSpot,
	},
}

// modelRules are about a property of the model, and about what happens inside of
// an instance when it starts.
var modelRules = []rule{
	{
		origin: arm, codes: []string{"NotSupported"}, text: []string{"ephemeral"}, kind: Invalid, source: "cloudfoundry/bosh-azure-cpi-release#674",
		hint: fixedHint("choose a VM size whose cache or temporary disk holds the image, or another placement or a managed OS disk in the model"),
	},
	{
		origin: arm, codes: []string{"InvalidParameter"}, target: "computerNamePrefix", kind: Invalid, source: "hashicorp/terraform-provider-azurerm#871",
		hint: fixedHint("create the scale set with a computer name prefix of at most 9 characters that are not all digits"),
	},
	{
		origin: arm, codes: []string{"InvalidParameter"}, text: []string{"requested vm size"}, kind: Invalid, source: sourceVMErrors,
		hint: fixedHint("the region does not have the VM size; choose one of az vm list-skus"),
	},
	{
		origin: arm, codes: []string{"PropertyChangeNotAllowed"}, kind: Invalid, source: sourceRecorded,
		hint: fixedHint("the property that the message names cannot be changed; create the scale set again"),
	},
	{
		origin: arm, codes: []string{"VMExtensionProvisioningError", "VMExtensionProvisioningTimeout", "VMExtensionHandlerNonTransientError"}, source: sourceRecorded,
		hint: fixedHint("an extension of the model failed in the instance; see its log there, correct it, or remove it: az vmss extension delete"),
	},
	{
		origin: arm, codes: []string{"ArtifactNotFound", "ArtifactVersionNotFound"}, kind: Linked, source: sourceVMErrors,
		hint: fixedHint("no such extension; correct publisher, type and version of the model's extension"),
	},
	{
		origin: arm, codes: []string{"VMAgentStatusCommunicationError"}, source: sourceRecorded,
		hint: fixedHint("the instance's agent is silent; see that the image starts, has the agent, and reaches Azure's storage through the subnet"),
	},
	{
		origin: arm, codes: []string{"OSProvisioningTimedOut", "OSProvisioningClientError", "OSProvisioningInternalError"}, source: sourceVMErrors,
		hint: fixedHint("the image did not finish its first start; generalize it before it is captured, and see its boot diagnostics"),
	},
}
