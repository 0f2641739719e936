package arm

import (
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Galleries of the subscription with their image definitions and versions, and
// managed images. What Azure fills in is that of recording 33; of a version's
// source nothing is looked at.
var (
	galleries = keptType{
		kind: "Microsoft.Compute/galleries", params: []string{"gallery"}, works: true, caps: true, fill: fillGallery,
	}
	definitions = keptType{
		kind: "Microsoft.Compute/galleries/images", params: []string{"gallery", "image"}, works: true, caps: true, fill: fillDefinition,
	}
	imageVersions = keptType{
		kind: "Microsoft.Compute/galleries/images/versions", params: []string{"gallery", "image", "version"}, works: true, caps: true, fill: fillVersion,
	}
	managedImages = keptType{
		kind: "Microsoft.Compute/images", params: []string{"image"}, works: true, fill: fillManagedImage,
	}
)

func fillGallery(c *call, model object) *problem {
	unique := c.front.config.SubscriptionID + "-" + strings.ToUpper(c.param("gallery"))
	jsonmap.Ensure(model, "properties.identifier")["uniqueName"] = unique
	return nil
}

func fillDefinition(_ *call, model object) *problem {
	p := jsonmap.Ensure(model, "properties")
	for _, path := range []string{"osType", "osState", "identifier.publisher", "identifier.offer", "identifier.sku"} {
		if jsonmap.Text(p, path) == "" {
			return required("galleryImage.properties." + path)
		}
	}
	if state := jsonmap.Text(p, "osState"); state != "Generalized" && state != "Specialized" {
		return invalidParameter("galleryImage.properties.osState", "The value '%s' of parameter 'osState' is invalid.", state)
	}
	jsonmap.SetDefault(p, "hyperVGeneration", "V1")
	jsonmap.SetDefault(p, "architecture", catalog.X64)
	return nil
}

// required is Compute's error for what is missing.
func required(parameter string) *problem {
	return invalidParameter(parameter, "Required parameter '%s' is missing (null).", parameter)
}

var versionNumber = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

func fillVersion(c *call, model object) *problem {
	if !versionNumber.MatchString(c.param("version")) {
		return invalidParameter("galleryImageVersionName", "The name '%s' of an image version is invalid: it must be Major(int).Minor(int).Patch(int), as 1.0.0.", c.param("version"))
	}
	p := jsonmap.Ensure(model, "properties")
	if jsonmap.At(p, "storageProfile") == nil {
		return required("galleryImageVersion.properties.storageProfile")
	}
	publishing := jsonmap.Ensure(p, "publishingProfile")
	jsonmap.SetDefault(publishing, "replicaCount", float64(1))
	jsonmap.SetDefault(publishing, "excludeFromLatest", false)
	jsonmap.SetDefault(publishing, "storageAccountType", "Standard_LRS")
	jsonmap.SetDefault(publishing, "publishedDate", stamp(c.front.now()))
	jsonmap.SetDefault(publishing, "targetRegions", []any{object{"name": jsonmap.Text(model, "location")}})
	for _, region := range jsonmap.List(publishing, "targetRegions") {
		if r, ok := region.(object); ok {
			c.fillRegion(r)
		}
	}
	safety := jsonmap.Ensure(p, "safetyProfile")
	jsonmap.SetDefault(safety, "reportedForPolicyViolation", false)
	jsonmap.SetDefault(safety, "allowDeletionOfReplicatedLocations", false)
	jsonmap.SetDefault(jsonmap.Ensure(p, "storageProfile"), "osDiskImage", object{"sizeInGB": 30, "hostCaching": "ReadWrite", "source": object{}})
	return nil
}

// fillRegion has the region under its display name.
func (c *call) fillRegion(region object) {
	if known, ok := c.world.Catalog.Location(jsonmap.Text(region, "name")); ok {
		region["name"] = known.Display
	}
	jsonmap.SetDefault(region, "regionalReplicaCount", float64(1))
	jsonmap.SetDefault(region, "storageAccountType", "Standard_LRS")
}

// fillManagedImage has the fields of the specification.
func fillManagedImage(_ *call, model object) *problem {
	p := jsonmap.Ensure(model, "properties")
	if jsonmap.At(p, "storageProfile.osDisk") == nil && jsonmap.At(p, "sourceVirtualMachine.id") == nil {
		return required("storageProfile.osDisk")
	}
	jsonmap.SetDefault(p, "hyperVGeneration", "V1")
	disk := jsonmap.Ensure(p, "storageProfile.osDisk")
	jsonmap.SetDefault(disk, "osType", "Linux")
	jsonmap.SetDefault(disk, "osState", "Generalized")
	jsonmap.SetDefault(jsonmap.Ensure(p, "storageProfile"), "dataDisks", []any{})
	return nil
}

// imageVersion is the newest of a definition's versions that is ready, in the
// region, and no exception from "latest"; nil: there is none. With a name it is
// that one.
func (c *call) imageVersion(g *world.Group, definition, name, region string) *world.Kept {
	versions := g.KeptBelow(definition + "/versions")
	versions = slices.DeleteFunc(versions, func(k *world.Kept) bool {
		named := strings.EqualFold(k.Name, name)
		return k.State() != world.StateSucceeded || !c.replicated(k, region) ||
			name != "" && !named || name == "" && jsonmap.Bool(k.Model, "properties.publishingProfile.excludeFromLatest")
	})
	if len(versions) == 0 {
		return nil
	}
	return slices.MaxFunc(versions, func(a, b *world.Kept) int { return catalog.CompareVersions(a.Name, b.Name) })
}

func (c *call) replicated(k *world.Kept, region string) bool {
	return slices.ContainsFunc(jsonmap.List(k.Model, "properties.publishingProfile.targetRegions"), func(r any) bool {
		return catalog.CanonicalLocation(jsonmap.Text(r, "name")) == catalog.CanonicalLocation(region)
	})
}
