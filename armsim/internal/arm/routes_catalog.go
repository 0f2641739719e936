package arm

import "slices"

// What there is to build scale sets of: sizes, images, terms, keys.

const (
	locationPath     = subscriptionPath + "/providers/Microsoft.Compute/locations/{location}"
	offersPath       = locationPath + "/publishers/{publisher}/artifacttypes/vmimage/offers"
	versionsPath     = offersPath + "/{offer}/skus/{sku}/versions"
	communityPath    = locationPath + "/communityGalleries/{gallery}"
	sharedPath       = locationPath + "/sharedGalleries/{gallery}"
	galleryPath      = groupPath + "/providers/Microsoft.Compute/galleries"
	definitionPath   = galleryPath + "/{gallery}/images"
	imageVersionPath = definitionPath + "/{image}/versions"
	managedImagePath = groupPath + "/providers/Microsoft.Compute/images"
	sshKeyPath       = groupPath + "/providers/Microsoft.Compute/sshPublicKeys"
	orderingPath     = subscriptionPath + "/providers/Microsoft.MarketplaceOrdering/"
	agreementPath    = orderingPath + "offerTypes/virtualmachine/publishers/{publisher}/offers/{offer}/plans/{plan}/agreements/current"
	oldAgreementPath = orderingPath + "agreements/{publisher}/offers/{offer}/plans/{plan}"

	imageAction     = "Microsoft.Compute/locations/publishers/"
	galleryAction   = "Microsoft.Compute/galleries/"
	keyAction       = "Microsoft.Compute/sshPublicKeys/"
	agreementAction = "Microsoft.MarketplaceOrdering/offertypes/publishers/offers/plans/agreements/"
	oldTermsAction  = "Microsoft.MarketplaceOrdering/agreements/offers/plans/"
)

func routesOfCatalog() []route {
	return slices.Concat(routesOfSizes(), routesOfPlatformImages(), routesOfTerms(), routesOfGalleries(), routesOfSharedGalleries(), routesOfManagedImages(), routesOfKeys())
}

func routesOfSizes() []route {
	return []route{
		{"Subscriptions_ListLocations", get, subscriptionPath + "/locations", "Microsoft.Resources/subscriptions/locations/read", limitNone, listLocations},
		{"ResourceSkus_List", get, subscriptionPath + "/providers/Microsoft.Compute/skus", "Microsoft.Compute/skus/read", limitNone, listSizes},
		{"Usage_List", get, locationPath + "/usages", "Microsoft.Compute/locations/usages/read", limitUsages, listUsages},
		{"VirtualMachineScaleSets_ListSkus", get, setPath + "/skus", setAction + "skus/read", limitScaleSetGet, listScaleSetSizes},
		{"VirtualMachineSizes_List", get, locationPath + "/vmSizes", "Microsoft.Compute/locations/vmSizes/read", limitNone, listRegionalSizes},
		{"VirtualMachines_ListAvailableSizes", get, machinePath + "/vmSizes", ownAction + "vmSizes/read", limitMachineGet, listMachineSizes},
	}
}

func routesOfPlatformImages() []route {
	return []route{
		{"VirtualMachineImages_ListPublishers", get, locationPath + "/publishers", imageAction + "read", limitNone, listPublishers},
		{"VirtualMachineImages_ListOffers", get, offersPath, imageAction + "artifacttypes/offers/read", limitOffers, listOffers},
		{"VirtualMachineImages_ListSkus", get, offersPath + "/{offer}/skus", imageAction + "artifacttypes/offers/skus/read", limitImageSKUs, listImageSKUs},
		{"VirtualMachineImages_List", get, versionsPath, imageAction + "artifacttypes/offers/skus/versions/read", limitImageVersions, listImageVersions},
		{"VirtualMachineImages_Get", get, versionsPath + "/{version}", imageAction + "artifacttypes/offers/skus/versions/read", limitImageGet, getImageVersion},
	}
}

func routesOfTerms() []route {
	return []route{
		{"MarketplaceAgreements_Get", get, agreementPath, agreementAction + "read", limitNone, getTerms},
		{"MarketplaceAgreements_Create", put, agreementPath, agreementAction + "write", limitNone, putTerms},
		{"MarketplaceAgreements_GetAgreement", get, oldAgreementPath, oldTermsAction + "read", limitNone, getTerms},
		{"MarketplaceAgreements_Sign", post, oldAgreementPath + "/sign", oldTermsAction + "sign/action", limitNone, signTerms(true)},
		{"MarketplaceAgreements_Cancel", post, oldAgreementPath + "/cancel", oldTermsAction + "cancel/action", limitNone, signTerms(false)},
	}
}

func routesOfGalleries() []route {
	return []route{
		{"Galleries_ListByResourceGroup", get, galleryPath, galleryAction + "read", limitGalleryGet, galleries.list},
		{"Galleries_Get", get, galleryPath + "/{gallery}", galleryAction + "read", limitGalleryGet, galleries.get},
		{"Galleries_CreateOrUpdate", put, galleryPath + "/{gallery}", galleryAction + "write", limitGalleryPut, galleries.put},
		{"Galleries_Delete", del, galleryPath + "/{gallery}", galleryAction + "delete", limitGalleryPut, galleries.delete},
		{"GalleryImages_ListByGallery", get, definitionPath, galleryAction + "images/read", limitDefinitionGet, definitions.list},
		{"GalleryImages_Get", get, definitionPath + "/{image}", galleryAction + "images/read", limitDefinitionGet, definitions.get},
		{"GalleryImages_CreateOrUpdate", put, definitionPath + "/{image}", galleryAction + "images/write", limitDefinitionPut, definitions.put},
		{"GalleryImages_Delete", del, definitionPath + "/{image}", galleryAction + "images/delete", limitDefinitionPut, definitions.delete},
		{"GalleryImageVersions_ListByGalleryImage", get, imageVersionPath, galleryAction + "images/versions/read", limitVersionList, imageVersions.list},
		{"GalleryImageVersions_Get", get, imageVersionPath + "/{version}", galleryAction + "images/versions/read", limitVersionGet, imageVersions.get},
		{"GalleryImageVersions_CreateOrUpdate", put, imageVersionPath + "/{version}", galleryAction + "images/versions/write", limitVersionPut, imageVersions.put},
		{"GalleryImageVersions_Delete", del, imageVersionPath + "/{version}", galleryAction + "images/versions/delete", limitVersionPut, imageVersions.delete},
		{"GalleryOperations_Get", get, locationPath + "/capsOperations/{operation}", "Microsoft.Compute/locations/capsOperations/read", limitNone, getOperation},
	}
}

func routesOfSharedGalleries() []route {
	const community, shared = "Microsoft.Compute/locations/communityGalleries/", "Microsoft.Compute/locations/sharedGalleries/"
	return []route{
		{"CommunityGalleries_Get", get, communityPath, community + "read", limitGalleryGet, sharers{community: true}.get},
		{"CommunityGalleryImages_List", get, communityPath + "/images", community + "images/read", limitArtifactList, sharers{community: true}.listImages},
		{"CommunityGalleryImages_Get", get, communityPath + "/images/{image}", community + "images/read", limitArtifactGet, sharers{community: true}.getImage},
		{"CommunityGalleryImageVersions_List", get, communityPath + "/images/{image}/versions", community + "images/versions/read", limitArtifactVersionList, sharers{community: true}.listVersions},
		{"CommunityGalleryImageVersions_Get", get, communityPath + "/images/{image}/versions/{version}", community + "images/versions/read", limitArtifactVersionGet, sharers{community: true}.getVersion},
		{"SharedGalleries_Get", get, sharedPath, shared + "read", limitGalleryGet, sharers{}.get},
		{"SharedGalleryImages_List", get, sharedPath + "/images", shared + "images/read", limitArtifactList, sharers{}.listImages},
		{"SharedGalleryImages_Get", get, sharedPath + "/images/{image}", shared + "images/read", limitArtifactGet, sharers{}.getImage},
		{"SharedGalleryImageVersions_List", get, sharedPath + "/images/{image}/versions", shared + "images/versions/read", limitArtifactVersionList, sharers{}.listVersions},
		{"SharedGalleryImageVersions_Get", get, sharedPath + "/images/{image}/versions/{version}", shared + "images/versions/read", limitArtifactVersionGet, sharers{}.getVersion},
	}
}

func routesOfManagedImages() []route {
	const action = "Microsoft.Compute/images/"
	return []route{
		{"Images_ListByResourceGroup", get, managedImagePath, action + "read", limitNone, managedImages.list},
		{"Images_Get", get, managedImagePath + "/{image}", action + "read", limitNone, managedImages.get},
		{"Images_CreateOrUpdate", put, managedImagePath + "/{image}", action + "write", limitNone, managedImages.put},
		{"Images_Delete", del, managedImagePath + "/{image}", action + "delete", limitNone, managedImages.delete},
	}
}

func routesOfKeys() []route {
	return []route{
		{"SshPublicKeys_ListByResourceGroup", get, sshKeyPath, keyAction + "read", limitKeyGet, sshKeys.list},
		{"SshPublicKeys_Get", get, sshKeyPath + "/{sshPublicKey}", keyAction + "read", limitKeyGet, sshKeys.get},
		{"SshPublicKeys_Create", put, sshKeyPath + "/{sshPublicKey}", keyAction + "write", limitKeyPut, sshKeys.put},
		{"SshPublicKeys_Update", patch, sshKeyPath + "/{sshPublicKey}", keyAction + "write", limitKeyPut, patchKey},
		{"SshPublicKeys_Delete", del, sshKeyPath + "/{sshPublicKey}", keyAction + "delete", limitKeyPut, sshKeys.delete},
		{"SshPublicKeys_GenerateKeyPair", post, sshKeyPath + "/{sshPublicKey}/generateKeyPair", keyAction + "generateKeyPair/action", limitKeyGenerate, generateKeyPair},
	}
}
