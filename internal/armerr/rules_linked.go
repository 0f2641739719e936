package armerr

// linkedRules are for what an identity, a policy or a lock does not allow.
var linkedRules = []rule{
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, text: []string{"not authorized to access linked subscription"}, about: []object{gallery},
		kind: Forbidden, source: sourceRecorded,
		hint: fixedHint("the gallery is in a subscription of another tenant; copy the image version into a gallery of the scale set's own tenant, " +
			"or use one that is shared as a community gallery"),
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, text: []string{"not authorized to access linked subscription"}, kind: Forbidden,
		hint:   subjectHint("%s is in a subscription of another tenant; link the scale set's model to one in its own tenant"),
		source: sourceRecorded,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, text: []string{"linked subscription", "was not found"}, kind: Linked,
		hint:   subjectHint("correct the resource ID of %s in the scale set's model: its subscription does not exist, or the identity cannot see it"),
		source: sourceRecorded,
	},
	// A missing action on something linked, by what is linked.
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, about: []object{subnet, networkPart}, kind: Forbidden,
		hint: linkedRoleHint("Network Contributor"), source: sourceBuiltInRoles,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, about: []object{gallery, image}, kind: Forbidden,
		hint: linkedRoleHint("Reader"), source: sourceBuiltInRoles,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, about: []object{encryption}, kind: Forbidden,
		hint: linkedRoleHint("Reader"), source: sourceBuiltInRoles,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, about: []object{assignedIdentity}, kind: Forbidden,
		hint: linkedRoleHint("Managed Identity Operator"), source: sourceBuiltInRoles,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed"}, about: []object{placement}, kind: Forbidden,
		hint: linkedRoleHint("Virtual Machine Contributor"), source: sourceBuiltInRoles,
	},
	{
		origin: arm, codes: []string{"LinkedAuthorizationFailed", "LinkedAccessCheckFailed"}, kind: Forbidden,
		hint: linkedRoleHint(""), source: `learn.microsoft.com, "Virtual WAN roles and permissions" (LinkedAccessCheckFailed)`,
	},
	{
		origin: arm, codes: []string{"AuthorizationFailed"}, about: linked, kind: Forbidden,
		hint: linkedRoleHint(""), source: sourceRecorded,
	},
	{origin: arm, codes: []string{"AuthorizationFailed"}, kind: Forbidden, hint: roleHint, source: sourceRecorded},
	{
		origin: arm, codes: []string{"RequestDisallowedByPolicy"}, kind: Forbidden,
		hint:   fixedHint("an Azure Policy of the subscription forbids this; ask its owner for an exemption"),
		source: `learn.microsoft.com, "Resolve error for request disallowed by policy"`,
	},
	{
		origin: arm, codes: []string{"RequestDisallowedByAzure"}, kind: Forbidden,
		hint:   fixedHint("the subscription may not use this region; create the scale set in one that its policy allows"),
		source: `learn.microsoft.com, "Resolve error for request disallowed by Azure"`,
	},
	{
		origin: arm, codes: []string{"ScopeLocked"}, about: linked, kind: Forbidden,
		hint: subjectHint("remove the lock on %s, or on a scope above it"), source: sourceRecorded,
	},
	{
		origin: arm, codes: []string{"ScopeLocked"}, kind: Forbidden,
		hint: fixedHint("remove the lock on the scale set, its resource group or its subscription"), source: sourceRecorded,
	},
	{
		origin: arm, codes: []string{"LinkedInvalidPropertyId"}, kind: Linked, source: sourceRecorded,
		hint: fixedHint("the scale set's model links to something by a malformed resource ID; correct the property that the message names"),
	},
}

const (
	hintGone  = "the image is not offered any more; change the image in the scale set's model: az vmss update --set virtualMachineProfile.storageProfile.imageReference.version=latest"
	hintTerms = "accept the terms of the image's offer for the subscription: az vm image terms accept --urn <publisher>:<offer>:<sku>:<version>"
)

// imageRules are about the image, its gallery and its offer, and about keys.
var imageRules = []rule{
	{
		origin: arm, codes: []string{"PlatformImageNotFound"}, kind: Linked, source: "clong/DetectionLab#906",
		hint: fixedHint("the image does not exist in this region or is not offered any more; change it in the scale set's model to one of az vm image list"),
	},
	{
		origin: arm, codes: []string{"ImageVersionDeprecated", "ImageDeprecated"}, kind: Linked,
		hint: fixedHint(hintGone), source: `learn.microsoft.com, "Find and use Azure Marketplace VM images"`,
	},
	{
		origin: arm, codes: []string{"GalleryImageNotFound"}, kind: Linked, source: "hashicorp/terraform-provider-azurerm#25012",
		hint: subjectHint("replicate %s to the scale set's region (az sig image-version update --target-regions), or change the image in the scale set's model"),
	},
	{
		origin: arm, codes: []string{"InvalidParameter"}, target: "imageReference", kind: Linked, source: sourceRecorded,
		hint: fixedHint("no such image; correct publisher, offer, SKU and version in the scale set's model to one of az vm image list, or the image's ID"),
	},
	{
		origin: arm, status: 404, about: []object{gallery}, kind: Linked, source: "hashicorp/terraform-provider-azurerm#25012",
		hint: subjectHint("%s does not exist; correct the image in the scale set's model, or make the version again"),
	},
	{
		origin: arm, status: 404, about: []object{image}, kind: Linked, source: sourceVMErrors,
		hint: subjectHint("%s does not exist; correct the image in the scale set's model, or make it again"),
	},
	{
		origin: arm, codes: []string{"ImageNotFound", "ImageBlobNotFound", "DiskBlobNotFound"}, kind: Linked,
		hint: fixedHint("what the image was made from does not exist; make the image again, or change it in the scale set's model"), source: sourceVMErrors,
	},
	{
		origin: arm, codes: []string{"DiskImageNotReady"}, kind: Linked,
		hint: fixedHint("the image is still being made or replicated; wait for it"), source: sourceVMErrors,
	},
	{
		origin: arm, codes: []string{"OperationNotAllowed"}, text: []string{"until image has been successfully created"}, kind: Linked,
		hint: fixedHint("the image is still being made or has failed; wait for it, or make it again"), source: sourceVMErrors,
	},
	{
		origin: arm, codes: []string{"SubscriptionNotAuthorizedForImage"}, kind: Linked,
		hint: fixedHint("the image's publisher does not offer it to this subscription; choose another image"), source: sourceVMErrors,
	},
	{
		origin: arm, codes: []string{"BadRequest"}, text: []string{"managed images are not supported"}, kind: Linked, source: sourceRecorded,
		hint: fixedHint("put the image into an Azure Compute Gallery, or set the model's securityProfile.securityType to Standard"),
	},
	{
		origin: arm, codes: []string{"ResourcePurchaseValidationFailed", "MarketplacePurchaseEligibilityFailed"}, text: []string{"legal terms"},
		kind: Linked, hint: fixedHint(hintTerms), source: "hashicorp/terraform-provider-azurerm#1283, MicrosoftDocs/azure-docs#25359",
	},
	{
		origin: arm, codes: []string{"ResourcePurchaseValidationFailed"}, text: []string{"not found"}, kind: Linked,
		hint: fixedHint("no such offer; correct the plan in the scale set's model"), source: sourceRecorded,
	},
	{
		origin: arm, codes: []string{"ResourcePurchaseValidationFailed", "MarketplacePurchaseEligibilityFailed"}, kind: Linked, source: sourceRecorded,
		hint: fixedHint("the subscription cannot buy the image's offer; have its billing owner see to it, or choose another image"),
	},
	{
		origin: arm, codes: []string{"VMMarketplaceInvalidInput"}, kind: Linked, source: sourceVMErrors,
		hint: fixedHint("make the plan in the scale set's model that of the image: az vm image show --query plan, or for a gallery image its purchasePlan"),
	},
	{
		origin: arm, codes: []string{"KeyVaultAccessForbidden", "DiskEncryptionKeySecretUnwrapFailed"}, kind: Linked,
		hint: fixedHint("give the identity of the disk encryption set get, wrapKey and unwrapKey on the key, see that the key is enabled and not expired, " +
			"and let trusted services through the vault's firewall"),
		source: "hashicorp/terraform-provider-azurerm#9177; " + sourceVMErrors,
	},
	{
		origin: arm, codes: []string{"CertificateImproperlyFormatted"}, kind: Linked,
		hint: fixedHint("the secret in the key vault is no PFX certificate; correct it, or the model's osProfile.secrets"), source: sourceVMErrors,
	},
	{
		origin: arm, status: 404, about: []object{encryption}, kind: Linked, source: sourceRecorded,
		hint: subjectHint("%s does not exist; correct the model's encryption settings or secrets"),
	},
	{
		origin: arm, status: 404, about: []object{assignedIdentity}, kind: Linked, source: sourceRecorded,
		hint: subjectHint("%s does not exist; remove it from the scale set: az vmss identity remove"),
	},
}

// networkRules are about the network, and about placement.
var networkRules = []rule{
	{
		origin: arm, codes: []string{"SubnetIsFull", "InsufficientSubnetSize"}, kind: Quota, source: "Azure/karpenter-provider-azure#734",
		hint: fixedHint("the subnet has too few free addresses (Azure keeps 5 of each); free some, enlarge it, or link the scale set's model to a larger one, and keep max_instances below its size"),
	},
	{
		origin: arm, codes: []string{"InvalidResourceReference"}, about: []object{subnet}, kind: Linked, source: "MicrosoftDocs/azure-docs#81734",
		hint: subjectHint("%s does not exist, or is in another region; create it again, or correct the network profile of the scale set's model"),
	},
	{
		origin: arm, codes: []string{"InvalidResourceReference"}, about: []object{networkPart}, kind: Linked, source: "MicrosoftDocs/azure-docs#81734",
		hint: subjectHint("%s does not exist, or is in another region; correct the network profile of the scale set's model"),
	},
	{
		origin: arm, codes: []string{"InvalidResourceReference"}, kind: Linked, source: "MicrosoftDocs/azure-docs#81734",
		hint: subjectHint("correct the link to %s in the scale set's model: it does not exist, or is in another region"),
	},
	{
		origin: arm, codes: []string{"NotFound", "ResourceNotFound"}, about: []object{subnet, networkPart}, kind: Linked, source: sourceRecorded,
		hint: subjectHint("%s does not exist; create it again, or correct the network profile of the scale set's model"),
	},
	{
		origin: arm, codes: []string{"NotFound", "ResourceNotFound"}, about: []object{placement}, kind: Linked, source: sourceRecorded,
		hint: subjectHint("%s does not exist; create it again, or make the scale set again without it"),
	},
}
