package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
)

// sharers serves the galleries of others: community ones, or those that are
// shared with the subscription (recording 33). They have no resource IDs.
type sharers struct{ community bool }

const disclaimer = "https://aka.ms/community-gallery-disclaimer"

// images are the image definitions below what the path names; there is one at
// least.
func (s sharers) images(c *call) ([]catalog.SharedImage, *problem) {
	images := slices.DeleteFunc(c.world.Catalog.SharedImages(), func(i catalog.SharedImage) bool {
		return i.Community != s.community || !c.names("gallery", i.Gallery) || !c.names("image", i.Name)
	})
	if len(images) == 0 {
		return nil, s.notFound(c)
	}
	return images, nil
}

// notFound has the words of other Compute 404s; for galleries they are believed.
func (s sharers) notFound(c *call) *problem {
	kind := "Shared"
	if s.community {
		kind = "Community"
	}
	name := strings.TrimRight(strings.Join([]string{c.param("gallery"), c.param("image"), c.param("version")}, "/"), "/")
	return azhttp.NewProblem(http.StatusNotFound, "NotFound", "The %s gallery artifact '%s' was not found in location '%s'.", kind, name, c.param("location"))
}

func (s sharers) part(c *call, name, uniqueID string, properties object) object {
	if s.community {
		properties["disclaimer"] = disclaimer
	}
	return object{"location": c.param("location"), "name": name, "identifier": object{"uniqueId": uniqueID}, "properties": properties}
}

func (s sharers) get(c *call) (*response, *problem) {
	images, p := s.images(c)
	if p != nil {
		return nil, p
	}
	gallery := images[0].Gallery
	unique, _, _ := strings.Cut(images[0].UniqueID(), "/Images/")
	if !s.community {
		return &response{Status: http.StatusOK, Body: s.part(c, gallery, unique, object{})}, nil
	}
	metadata := object{
		"publisherUri": "https://armsim.invalid", "publisherContact": "publisher@armsim.invalid", "eula": "https://armsim.invalid/eula", "publicNames": []any{gallery},
	}
	body := s.part(c, gallery, unique, object{"communityMetadata": metadata})
	body["communityMetadata"] = metadata // in both places, as recorded
	return &response{Status: http.StatusOK, Body: body}, nil
}

func (s sharers) image(c *call, i catalog.SharedImage) object {
	identifier := object{"publisher": "", "offer": "", "sku": ""}
	if !s.community {
		identifier = object{"publisher": "armsim", "offer": i.Gallery, "sku": i.Name}
	}
	return s.part(c, i.Name, i.UniqueID(), object{
		"osType": i.OS, "osState": i.State, "recommended": object{}, "hyperVGeneration": i.Generation, "architecture": i.Architecture, "identifier": identifier,
	})
}

func (s sharers) listImages(c *call) (*response, *problem) {
	images, p := s.images(c)
	if p != nil {
		return nil, p
	}
	return page(c.pager, images, func(i catalog.SharedImage) string { return strings.ToLower(i.UniqueID()) }, func(i catalog.SharedImage) object {
		return s.image(c, i)
	})
}

func (s sharers) getImage(c *call) (*response, *problem) {
	images, p := s.images(c)
	if p != nil {
		return nil, p
	}
	return &response{Status: http.StatusOK, Body: s.image(c, images[0])}, nil
}

func (s sharers) version(c *call, i catalog.SharedImage, version string) object {
	return s.part(c, version, i.UniqueID()+"/Versions/"+version, object{
		"publishedDate": "2025-06-01T08:00:00.0000000+00:00", "excludeFromLatest": false,
		"storageProfile": object{"osDiskImage": object{"diskSizeGB": 30, "hostCaching": "ReadWrite"}},
	})
}

func (s sharers) listVersions(c *call) (*response, *problem) {
	images, p := s.images(c)
	if p != nil {
		return nil, p
	}
	versions := slices.Sorted(slices.Values(images[0].Versions)) // in the order of their keys
	return page(c.pager, versions, func(v string) string { return v }, func(v string) object { return s.version(c, images[0], v) })
}

func (s sharers) getVersion(c *call) (*response, *problem) {
	images, p := s.images(c)
	if p != nil {
		return nil, p
	}
	if !slices.Contains(images[0].Versions, c.param("version")) {
		return nil, s.notFound(c)
	}
	return &response{Status: http.StatusOK, Body: s.version(c, images[0], c.param("version"))}, nil
}
