package setup

import (
	"errors"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Image is where a scale set's image is from: one of its kinds, in its parts.
type Image struct {
	Publisher, Offer, SKU, Version string // of the marketplace
	ID                             string // of a gallery image, its version, or a managed image
	Community                      string // ID of a community gallery's image or version
}

// aliases are those of the Azure CLI (az vm image list), as far as they are Linux.
var aliases = map[string]string{
	"ubuntu2404":    "Canonical:ubuntu-24_04-lts:server:latest",
	"ubuntu2404pro": "Canonical:ubuntu-24_04-lts:ubuntu-pro:latest",
	"ubuntu2204":    "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest",
	"debian12":      "Debian:debian-12:12-gen2:latest",
	"debian11":      "Debian:debian-11:11-backports-gen2:latest",
}

// ParseImage reads the name of an image: a URN of the marketplace, an alias as Ubuntu2404,
// or the ID of a gallery's, a community gallery's or a managed image. The error says which
// part is wrong, and shows a right one.
func ParseImage(text string) (Image, error) {
	if urn, ok := aliases[strings.ToLower(text)]; ok {
		text = urn
	}
	switch {
	case strings.HasPrefix(strings.ToLower(text), "/communitygalleries/"):
		return parseCommunity(text)
	case strings.HasPrefix(text, "/"):
		return parseImageID(text)
	}
	parts := strings.Split(text, ":")
	if len(parts) == 3 {
		parts = append(parts, "latest")
	}
	if len(parts) != 4 {
		return Image{}, fmt.Errorf("--image %q has %d parts, and a URN has four: publisher, offer, SKU and version; fix: --image %s, or an alias as Ubuntu2404, or the ID of a gallery image", text, len(parts), DefaultImage)
	}
	for n, part := range []string{"publisher", "offer", "SKU", "version"} {
		if strings.TrimSpace(parts[n]) != parts[n] || parts[n] == "" {
			return Image{}, fmt.Errorf("--image %q: the %s is empty or has blanks; fix: --image %s", text, part, DefaultImage)
		}
	}
	return Image{Publisher: parts[0], Offer: parts[1], SKU: parts[2], Version: parts[3]}, nil
}

func parseImageID(id string) (Image, error) {
	switch armops.Match("GET", id) {
	case armops.GetImage, armops.GetGalleryImage, armops.GetGalleryVersion:
		return Image{ID: id}, nil
	}
	return Image{}, fmt.Errorf("--image %q is no ID of an image; fix: az sig image-definition show … --query id -o tsv, or az image show … --query id -o tsv", id)
}

func parseCommunity(id string) (Image, error) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	if len(parts) != 4 && len(parts) != 6 || !strings.EqualFold(parts[2], "images") {
		return Image{}, errors.New("--image of a community gallery is /CommunityGalleries/GALLERY/Images/IMAGE/Versions/VERSION; fix: az sig image-version list-community … --query '[].uniqueId' -o tsv")
	}
	return Image{Community: id}, nil
}

// reference is the imageReference of a model.
func (i Image) reference() object {
	switch {
	case i.ID != "":
		return object{"id": i.ID}
	case i.Community != "":
		return object{"communityGalleryImageId": i.Community}
	}
	return object{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU, "version": i.Version}
}
