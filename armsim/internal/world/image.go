package world

import (
	"cmp"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Generation is the Hyper-V generation of the instance's image; V1 where it is not of the
// catalogue.
func (i *Instance) Generation() string {
	ref := jsonmap.At(i.Profile, "storageProfile.imageReference")
	image, ok := i.world().Catalog.Image(jsonmap.Text(ref, "publisher"), jsonmap.Text(ref, "offer"), jsonmap.Text(ref, "sku"))
	if !ok || image.Generation == "" {
		return "V1"
	}
	return image.Generation
}

// resolveImage writes into a new instance's profile which version of a platform
// image it is of: "latest" is what was the newest at its creation.
func (w *World) resolveImage(profile object) {
	ref, _ := jsonmap.At(profile, "storageProfile.imageReference").(object)
	image, ok := w.Catalog.Image(jsonmap.Text(ref, "publisher"), jsonmap.Text(ref, "offer"), jsonmap.Text(ref, "sku"))
	if !ok {
		return
	}
	version := cmp.Or(jsonmap.Text(ref, "version"), "latest")
	if strings.EqualFold(version, "latest") {
		version = image.Versions[len(image.Versions)-1]
	}
	ref["exactVersion"] = version
}
