package arm

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// source is what an image turned out to be; what is not known is empty.
type source struct {
	os, architecture, generation string
	specialized                  bool // it has its users already
	managed                      bool // a managed image, not one of a gallery
	sold                         bool // under a plan
}

// checkPlan is Resource Manager's own check, before the provider's: whether what
// is to be bought exists (recording 38), and its terms are accepted (reported:
// terraform-provider-azurerm#1283).
func (o *order) checkPlan() *problem {
	plan, given := o.model["plan"].(object)
	if !given {
		return nil
	}
	publisher, offer, name := jsonmap.Text(plan, "publisher"), jsonmap.Text(plan, "product"), jsonmap.Text(plan, "name")
	switch {
	case !o.catalog.Plan(publisher, offer, name):
		return byGateway(azhttp.NewProblem(http.StatusBadRequest, "ResourcePurchaseValidationFailed",
			"User failed validation to purchase resources. Error message: 'Offer with PublisherId: %s and OfferId: %s not found. If this offer has been created recently, please allow upto 30 minutes for this offer to be available for Purchase. If error persists, contact support.'",
			publisher, offer))
	case !o.catalog.Accepted(publisher, offer, name):
		p := azhttp.NewProblem(http.StatusBadRequest, "MarketplacePurchaseEligibilityFailed", "Marketplace purchase eligibilty check returned errors. See inner errors for details. ")
		p.Details = []problem{*azhttp.NewProblem(0, "BadRequest",
			"Offer with PublisherId: '%s', OfferId: '%s' cannot be purchased due to validation errors. You have not accepted the legal terms on this subscription: '%s' for this plan. Before the subscription can be used, you need to accept the legal terms of the image. Offer details: publisher='%s' offer = '%s', sku = '%s'.",
			publisher, offer, o.call.front.config.SubscriptionID, publisher, offer, name)}
		return byGateway(p)
	}
	return nil
}

// checkImage finds the image and checks what depends on it.
func (o *order) checkImage() *problem {
	image, p := o.image()
	if p != nil {
		return p
	}
	_, planned := o.model["plan"].(object)
	switch {
	case image.sold && !planned:
		return azhttp.NewProblem(http.StatusBadRequest, "VMMarketplaceInvalidInput",
			"Creating a virtual machine from Marketplace image or a custom image sourced from a Marketplace image requires Plan information in the request. VM: '%s'.", o.id)
	case image.managed && o.checkTrustedLaunch() != nil:
		return o.checkTrustedLaunch()
	case !image.specialized && jsonmap.Text(o.profile, "osProfile.adminUsername") == "":
		return required("osProfile.adminUsername")
	}
	if p := o.checkBoots(image); p != nil {
		return p
	}
	return checkComputerName(jsonmap.Text(o.profile, "osProfile.computerNamePrefix"), strings.EqualFold(image.os, "Windows") || isWindows(o.profile))
}

// checkNewImage refuses another image that an update names where it cannot be one of the
// model's (recording 38). Azure does not look at more of it then, nor does this.
func (c *call) checkNewImage(set *world.ScaleSet, model object) *problem {
	profile, _ := jsonmap.At(model, "properties.virtualMachineProfile").(object)
	id := jsonmap.Text(profile, "storageProfile.imageReference.id")
	if id == "" || id == jsonmap.Text(set.Profile(), "storageProfile.imageReference.id") {
		return nil
	}
	o := c.orderOf(set.ID, model)
	if image, p := o.image(); p == nil && image.managed {
		return o.checkTrustedLaunch()
	}
	return nil
}

func (o *order) checkTrustedLaunch() *problem {
	if strings.EqualFold(jsonmap.Text(o.profile, "securityProfile.securityType"), "TrustedLaunch") {
		return azhttp.NewProblem(http.StatusBadRequest, "BadRequest", "Managed Images are not supported for virtual machines with security type TrustedLaunch.") // recording 38
	}
	return nil
}

// checkBoots has reported words for the generation (redhat-developer/mapt#489);
// those for the architecture are believed.
func (o *order) checkBoots(image source) *problem {
	size, known := o.size()
	switch {
	case !known:
		return nil
	case image.architecture != "" && image.architecture != size.Architecture:
		return azhttp.NewProblem(http.StatusBadRequest, "BadRequest",
			"Cannot create a VM of size '%s' because this VM size only supports a CPU Architecture of '%s', but an image or disk with CPU Architecture '%s' was given. Please check that the CPU Architecture of the image or disk is compatible with that of the VM size.",
			size.Name, size.Architecture, image.architecture)
	case image.generation != "" && !size.Boots(image.generation):
		generation := strings.TrimPrefix(image.generation, "V")
		return azhttp.NewProblem(http.StatusBadRequest, "BadRequest",
			"The selected VM size '%s' cannot boot Hypervisor Generation '%s'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size. If this was an Update operation please select a Hypervisor Generation '%s' VM Size. For more information, see https://aka.ms/azuregen2vm",
			size.Name, generation, generation)
	}
	return nil
}

// fillController sets how disks are attached to what boots an image of generation 2
// (documented; recording 21). That the sizes of version 6 know NVMe alone is documented, too.
func (o *order) fillController(profile object) {
	image, p := o.image()
	if p != nil || image.generation != "V2" {
		return
	}
	kind := "SCSI"
	if strings.HasSuffix(strings.ToLower(o.sizeName), "_v6") {
		kind = "NVMe"
	}
	jsonmap.SetDefault(jsonmap.Ensure(profile, "storageProfile"), "diskControllerType", kind)
}

// checkComputerName has the words of azure-xplat-cli#2761 for Windows; those for Linux,
// and the targets, are believed. Six characters are added to it.
func checkComputerName(prefix string, windows bool) *problem {
	switch {
	case windows && (len(prefix) > 9 || prefix != "" && strings.Trim(prefix, "0123456789") == ""):
		return invalidParameter("computerNamePrefix", "Windows computer name prefix cannot be more than 9 characters long, be entirely numeric, or contain the following characters: %s", "` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . ' \" , < > / ?.")
	case !windows && len(prefix) > 58:
		return invalidParameter("computerNamePrefix", "Linux host name prefix cannot exceed 58 characters in length or contain the following characters: %s", "` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?.")
	}
	return nil
}

// image finds what the image reference names.
func (o *order) image() (source, *problem) {
	ref, _ := jsonmap.At(o.profile, "storageProfile.imageReference").(object)
	disk, _ := jsonmap.At(o.profile, "storageProfile.osDisk").(object)
	switch {
	case len(ref) == 0: // an image in a storage account, which nobody can look into, or a machine's own disk
		return source{os: jsonmap.Text(disk, "osType"), specialized: o.machine}, nil
	case jsonmap.Text(ref, "communityGalleryImageId") != "":
		return o.sharedImage(jsonmap.Text(ref, "communityGalleryImageId"))
	case jsonmap.Text(ref, "sharedGalleryImageId") != "":
		return o.sharedImage(jsonmap.Text(ref, "sharedGalleryImageId"))
	case jsonmap.Text(ref, "id") != "":
		return o.ownImage(jsonmap.Text(ref, "id"))
	}
	return o.platformImage(ref)
}

// platformImage refuses with the words of recording 38, where a version is missing
// with reported ones (clong/DetectionLab#906). That Azure refuses a deprecated
// image is documented; code and words are believed.
func (o *order) platformImage(ref object) (source, *problem) {
	publisher, offer, sku := jsonmap.Text(ref, "publisher"), jsonmap.Text(ref, "offer"), jsonmap.Text(ref, "sku")
	version := cmp.Or(jsonmap.Text(ref, "version"), "latest")
	image, ok := o.catalog.Image(publisher, offer, sku)
	switch {
	case !ok:
		return source{}, invalidParameter("imageReference",
			"The following list of images referenced from the deployment template are not found: Publisher: %s, Offer: %s, Sku: %s, Version: %s. Please refer to https://docs.microsoft.com/en-us/azure/virtual-machines/windows/cli-ps-findimage for instructions on finding available images.",
			publisher, offer, sku, version)
	case !strings.EqualFold(version, "latest") && !slices.Contains(image.Versions, version):
		return source{}, azhttp.NewProblem(http.StatusNotFound, "PlatformImageNotFound",
			"The platform image '%s:%s' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile", image.URN(), version).At("imageReference")
	case image.State == "Deprecated":
		return source{}, azhttp.NewProblem(http.StatusBadRequest, "ImageVersionDeprecated",
			"VM Image from publisher: %s, with - Offer: %s, Sku: %s, Version: %s is deprecated.", publisher, offer, sku, version).At("imageReference")
	}
	return source{os: image.OS, architecture: image.Architecture, generation: image.Generation, sold: image.Plan}, nil
}

// sharedImage finds one by unique ID, with or without a version.
func (o *order) sharedImage(uniqueID string) (source, *problem) {
	definition, version := uniqueID, ""
	if at := strings.Index(strings.ToLower(uniqueID), "/versions/"); at >= 0 {
		definition, version = uniqueID[:at], uniqueID[at+len("/versions/"):]
	}
	image, ok := o.catalog.SharedImage(definition)
	if !ok || version != "" && !strings.EqualFold(version, "latest") && !slices.Contains(image.Versions, version) {
		return source{}, galleryImageNotFound(uniqueID, o.location())
	}
	return source{os: image.OS, architecture: image.Architecture, generation: image.Generation, specialized: image.State == "Specialized"}, nil
}

// galleryImageNotFound is reported (terraform-provider-azurerm#25012).
func galleryImageNotFound(id, location string) *problem {
	return azhttp.NewProblem(http.StatusNotFound, "GalleryImageNotFound",
		"The gallery image %s is not available in %s region. Please contact image owner to replicate to this region, or change your requested region.", id, location).At("imageReference")
}

// ownImage finds a managed image or one of a gallery by resource ID. Those of
// other subscriptions are not known, nor are images of other kinds.
func (o *order) ownImage(id string) (source, *problem) {
	if o.call.deploys(id) {
		return source{specialized: true}, nil // nobody knows yet
	}
	root := "/subscriptions/" + o.call.front.config.SubscriptionID + "/resourceGroups/"
	if len(id) < len(root) || !strings.EqualFold(id[:len(root)], root) {
		return source{}, galleryImageNotFound(id, o.location())
	}
	name, path, _ := strings.Cut(id[len(root):], "/")
	g, path := o.call.world.Group(name), "/"+path
	if g == nil {
		return source{}, groupNotFound(name)
	}
	version := ""
	if at := strings.Index(strings.ToLower(path), "/versions/"); at >= 0 {
		path, version = path[:at], path[at+len("/versions/"):]
	}
	image := g.Kept(path)
	switch {
	case image == nil:
		return source{}, resourceNotFound(strings.TrimPrefix(path, "/providers/"), name)
	case image.Type == managedImages.kind:
		return source{
			os: jsonmap.Text(image.Model, "properties.storageProfile.osDisk.osType"), generation: jsonmap.Text(image.Model, "properties.hyperVGeneration"),
			architecture: catalog.X64, managed: true, // all that it can be (azure-sdk-for-go#19665)
		}, nil
	case image.Type != definitions.kind:
		return source{}, invalidParameter("imageReference.id", "The resource '%s' is no image.", id)
	case o.call.imageVersion(g, path, version, o.location()) == nil:
		return source{}, galleryImageNotFound(id, o.location())
	}
	p := image.Model["properties"]
	return source{
		os: jsonmap.Text(p, "osType"), architecture: jsonmap.Text(p, "architecture"), generation: jsonmap.Text(p, "hyperVGeneration"),
		specialized: jsonmap.Text(p, "osState") == "Specialized", sold: jsonmap.At(p, "purchasePlan.name") != nil,
	}, nil
}
