package arm

const (
	limitUsages              bucketed = "usages"
	limitOffers              bucketed = "image offers"
	limitImageSKUs           bucketed = "image skus"
	limitImageVersions       bucketed = "image versions"
	limitImageGet            bucketed = "image get"
	limitGalleryGet          bucketed = "gallery get"
	limitGalleryPut          bucketed = "gallery put"
	limitDefinitionGet       bucketed = "gallery image get"
	limitDefinitionPut       bucketed = "gallery image put"
	limitVersionGet          bucketed = "gallery image version get"
	limitVersionPut          bucketed = "gallery image version put"
	limitVersionList         bucketed = "gallery image version list"
	limitArtifactGet         bucketed = "shared image get"
	limitArtifactList        bucketed = "shared image list"
	limitArtifactVersionGet  bucketed = "shared image version get"
	limitArtifactVersionList bucketed = "shared image version list"
	limitKeyGet              bucketed = "ssh key get"
	limitKeyPut              bucketed = "ssh key put"
	limitKeyGenerate         bucketed = "ssh key generate"
)

// catalogLimits are further ones of Compute's, with names and figures of
// recordings 32, 33 and 34. Those that have two windows are recorded as full
// ones; that they refill evenly is believed, as that a DELETE draws from what a
// PUT does.
func catalogLimits() map[bucketed][]limit {
	return map[bucketed][]limit{
		limitUsages:              {{"GetSubscriptionInfoSubscriptionMaximum", 120, 360, ofSubscription}},
		limitOffers:              windows("ListVMImageOffersFromLocation", 200, 1000),
		limitImageSKUs:           windows("ListVMImageSkusFromLocation", 10000, 30000),
		limitImageVersions:       windows("ListVMImagesVersionsFromLocation", 16000, 44000),
		limitImageGet:            windows("GetVMImageFromLocation", 13000, 74000),
		limitGalleryGet:          windows("GetGallery", 350, 2500),
		limitGalleryPut:          windows("CreateUpdateGallery", 50, 300),
		limitDefinitionGet:       windows("GetGalleryImage", 600, 3000),
		limitDefinitionPut:       windows("CreateUpdateGalleryImage", 150, 750),
		limitVersionGet:          windows("GetGalleryImageVersion", 2000, 10000),
		limitVersionPut:          windows("CreateUpdateGalleryImageVersion", 375, 1200),
		limitVersionList:         windows("ListGalleryImageVersionsInGalleryImage", 1500, 10000),
		limitArtifactGet:         windows("GetGalleryArtifact", 600, 3000),
		limitArtifactList:        windows("ListGalleryArtifact", 200, 200),
		limitArtifactVersionGet:  windows("GetGalleryArtifactVersion", 2000, 10000),
		limitArtifactVersionList: windows("ListGalleryArtifactVersion", 800, 4000),
		limitKeyGet:              {{"LowCostGetSubscriptionMaximum", 8000, 24000, ofSubscription}},
		limitKeyPut:              {{"PutDeleteSshPublicKeysSubscriptionMaximum", 40, 120, ofSubscription}},
		limitKeyGenerate:         {{"SshKeyGenSubscriptionMaximum", 4, 12, ofSubscription}},
	}
}

// windows is a pair of limits of the older kind, over 3 and over 30 minutes.
func windows(name string, three, thirty float64) []limit {
	return []limit{
		{name + "3Min", three / 3, three, ofSubscription},
		{name + "30Min", thirty / 30, thirty, ofSubscription},
	}
}

// limitsOf are Compute's limits of a kind of call.
func limitsOf(b bucketed) []limit {
	if limits, ok := computeLimits[b]; ok {
		return limits
	}
	return catalogLimits()[b]
}
