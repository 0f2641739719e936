package arm

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
)

// Platform images. Their lists are plain arrays, in one page, and their IDs have
// capitals where others have none (recording 33).

// publisherNotFound has the words of recording 33, where an extension's publisher
// was asked for.
func publisherNotFound(name string) *problem {
	return azhttp.NewProblem(http.StatusNotFound, "NotFound", "Publisher: %s was not found.", name)
}

// artifactNotFound is what Azure says to an offer, SKU or version that there is
// not (azure-cli#22630, azvmimagebuilder#80).
func artifactNotFound() *problem {
	return azhttp.NewProblem(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
}

// namedImages are the images below what the path names.
func (c *call) namedImages() ([]catalog.Image, *problem) {
	published := false
	images := slices.DeleteFunc(c.world.Catalog.Images(), func(i catalog.Image) bool {
		published = published || strings.EqualFold(i.Publisher, c.param("publisher"))
		return !c.names("publisher", i.Publisher) || !c.names("offer", i.Offer) || !c.names("sku", i.SKU)
	})
	switch {
	case c.param("publisher") != "" && !published:
		return nil, publisherNotFound(c.param("publisher"))
	case len(images) == 0:
		return nil, artifactNotFound()
	}
	return images, nil
}

func (c *call) imageID(i catalog.Image, parts ...string) string {
	id := "/Subscriptions/" + c.front.config.SubscriptionID + "/Providers/Microsoft.Compute/Locations/" + c.param("location") + "/Publishers/" + i.Publisher
	if len(parts) == 0 {
		return id
	}
	id += "/ArtifactTypes/VMImage"
	for n, kind := range []string{"Offers", "Skus", "Versions"} {
		if n < len(parts) {
			id += "/" + kind + "/" + parts[n]
		}
	}
	return id
}

func (c *call) imagePart(i catalog.Image, name string, parts ...string) object {
	return object{"location": c.param("location"), "name": name, "id": c.imageID(i, parts...)}
}

// distinct renders each name once, in order.
func distinct(images []catalog.Image, name func(catalog.Image) string, render func(catalog.Image) object) *response {
	seen, list := map[string]bool{}, []any{}
	for _, i := range images {
		if !seen[name(i)] {
			seen[name(i)] = true
			list = append(list, render(i))
		}
	}
	return &response{Status: http.StatusOK, Body: list}
}

func listPublishers(c *call) (*response, *problem) {
	name := func(i catalog.Image) string { return i.Publisher }
	return distinct(c.world.Catalog.Images(), name, func(i catalog.Image) object { return c.imagePart(i, i.Publisher) }), nil
}

func listOffers(c *call) (*response, *problem) {
	images, p := c.namedImages()
	if p != nil {
		return nil, p
	}
	name := func(i catalog.Image) string { return i.Offer }
	return distinct(images, name, func(i catalog.Image) object { return c.imagePart(i, i.Offer, i.Offer) }), nil
}

func listImageSKUs(c *call) (*response, *problem) {
	images, p := c.namedImages()
	if p != nil {
		return nil, p
	}
	return distinct(images, catalog.Image.URN, func(i catalog.Image) object {
		part := c.imagePart(i, i.SKU, i.Offer, i.SKU)
		part["properties"] = object{"automaticOSUpgradeProperties": object{"automaticOSUpgradeSupported": !i.Plan}}
		return part
	}), nil
}

// listImageVersions knows the parameters of the specification but the filter.
func listImageVersions(c *call) (*response, *problem) {
	images, p := c.namedImages()
	if p != nil {
		return nil, p
	}
	if filter := c.query.get("$filter"); filter != "" {
		return nil, notSimulated("the list of versions with", "the filter "+strconv.Quote(filter))
	}
	image, list := images[0], []any{}
	versions := slices.Clone(image.Versions)
	if strings.EqualFold(strings.Join(strings.Fields(c.query.get("$orderby")), " "), "name desc") {
		slices.Reverse(versions)
	}
	if top, err := strconv.Atoi(c.query.get("$top")); err == nil && top >= 0 {
		versions = versions[:min(top, len(versions))]
	}
	for _, version := range versions {
		part := c.imagePart(image, version, image.Offer, image.SKU, version)
		if strings.EqualFold(c.query.get("$expand"), "properties") {
			part["properties"] = imageProperties(image)
		}
		list = append(list, part)
	}
	return &response{Status: http.StatusOK, Body: list}, nil
}

func getImageVersion(c *call) (*response, *problem) {
	images, p := c.namedImages()
	if p != nil {
		return nil, p
	}
	image, version := images[0], c.param("version")
	if strings.EqualFold(version, "latest") {
		version = image.Versions[len(image.Versions)-1] // azure-cli asks so
	}
	if !slices.Contains(image.Versions, version) {
		return nil, artifactNotFound()
	}
	part := c.imagePart(image, version, image.Offer, image.SKU, version)
	part["properties"] = imageProperties(image)
	return &response{Status: http.StatusOK, Body: part}, nil
}

func imageProperties(i catalog.Image) object {
	p := object{
		"hyperVGeneration": i.Generation, "architecture": i.Architecture, "replicaType": "Unmanaged", "disallowed": object{"vmDiskType": "None"},
		"automaticOSUpgradeProperties": object{"automaticOSUpgradeSupported": !i.Plan},
		"imageDeprecationStatus":       deprecation(i),
		"features": []any{
			object{"name": "IsAcceleratedNetworkSupported", "value": "True"}, object{"name": "IsHibernateSupported", "value": "True"},
		},
		"osDiskImage": object{"operatingSystem": i.OS, "sizeInGb": 31, "sizeInBytes": 32213303808}, "dataDiskImages": []any{},
	}
	if i.Plan {
		p["plan"] = object{"publisher": i.Publisher, "name": i.SKU, "product": i.Offer}
	}
	return p
}

// deprecation has the fields of the specification.
func deprecation(i catalog.Image) object {
	status := object{"imageState": i.State}
	if i.State != "Active" {
		status["scheduledDeprecationTime"] = "2025-10-31T00:00:00+00:00"
		status["alternativeOption"] = object{"type": "Offer", "value": "another offer of " + i.Publisher}
	}
	return status
}
