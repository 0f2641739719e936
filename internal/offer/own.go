package offer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// NotUsableError is that an image that is named by an ID does not exist, or not in the
// region.
type NotUsableError struct{ ID, Problem, Fix string }

// Error names the image, what is wrong, and the fix.
func (e *NotUsableError) Error() string {
	return fmt.Sprintf("image %s %s; fix: %s", e.ID, e.Problem, e.Fix)
}

// FindID looks for a managed image, or one of a gallery, with or without a version. One
// that cannot be used in the region gives a *NotUsableError. Of an ID that it does not
// know it says nothing.
func FindID(ctx context.Context, azure Azure, location, id string) (*Image, error) {
	definition, version := cutVersion(id)
	operation := armops.Match("GET", definition)
	if operation != armops.GetImage && operation != armops.GetGalleryImage {
		return &Image{}, nil
	}
	var i Image
	err := azure.Get(ctx, operation, definition, nil, &i)
	if armerr.IsAbsent(err) {
		return nil, &NotUsableError{id, "does not exist", "az sig image-definition list, or az image list, and setup --image ID"}
	}
	if err != nil || operation == armops.GetImage {
		i.Properties.Architecture = "x64" // all that a managed image can be (azure-sdk-for-go#19665)
		return &i, err
	}
	w := wanted{id: id, version: version, list: "az sig image-version list"}
	return &i, w.among(ctx, azure, armops.ListGalleryVersions, definition+"/versions", location)
}

// FindCommunity looks for an image of a community gallery, by its unique ID, in the same
// way.
func FindCommunity(ctx context.Context, azure Azure, subscription, location, id string) (*Image, error) {
	definition, version := cutVersion(id)
	parts := strings.Split(strings.Trim(definition, "/"), "/")
	if len(parts) != 4 {
		return nil, &NotUsableError{id, "is no ID of a community gallery's image", "/CommunityGalleries/GALLERY/Images/IMAGE: az sig image-definition list-community --public-gallery-name GALLERY --location " + location}
	}
	at := fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Compute/locations/%s/communityGalleries/%s/images/%s", subscription, location, parts[1], parts[3])
	var i Image
	err := azure.Get(ctx, armops.GetCommunityImage, at, nil, &i)
	if armerr.IsAbsent(err) {
		return nil, &NotUsableError{id, "is in no community gallery of " + location, fmt.Sprintf("az sig image-definition list-community --public-gallery-name %s --location %s -o table", parts[1], location)}
	}
	if err != nil {
		return nil, err
	}
	w := wanted{id: id, version: version, list: "az sig image-version list-community"}
	return &i, w.among(ctx, azure, armops.ListCommunityVersion, at+"/versions", "")
}

// cutVersion takes the version off an image's ID; empty: the newest is meant.
func cutVersion(id string) (definition, version string) {
	if at := strings.Index(strings.ToLower(id), "/versions/"); at >= 0 {
		definition, version = id[:at], id[at+len("/versions/"):]
	} else {
		definition = id
	}
	if strings.EqualFold(version, "latest") {
		version = ""
	}
	return definition, version
}

// wanted is a version of an image definition.
type wanted struct{ id, version, list string }

// galleryVersion is what is needed of one. A community gallery lists those of the region.
type galleryVersion struct {
	Name       string `json:"name"`
	Properties struct {
		ExcludeFromLatest bool `json:"excludeFromLatest"`
		Publishing        struct {
			ExcludeFromLatest bool     `json:"excludeFromLatest"`
			Regions           []region `json:"targetRegions"`
		} `json:"publishingProfile"`
	} `json:"properties"`
}

type region struct {
	Name string `json:"name"`
}

func (v *galleryVersion) isIn(location string) bool {
	return location == "" || slices.ContainsFunc(v.Properties.Publishing.Regions, func(r region) bool { return SameLocation(r.Name, location) })
}

// among finds the version in a list, and in the region, unless that is empty.
func (w wanted) among(ctx context.Context, azure Azure, operation, path, location string) error {
	var names []string
	usable, there := false, false
	err := azure.Each(ctx, operation, path, nil, func(raw json.RawMessage) error {
		var v galleryVersion
		err := json.Unmarshal(raw, &v)
		names = append(names, v.Name)
		excluded := v.Properties.ExcludeFromLatest || v.Properties.Publishing.ExcludeFromLatest
		if strings.EqualFold(v.Name, w.version) || w.version == "" && !excluded {
			there, usable = true, usable || v.isIn(location)
		}
		return err
	})
	switch {
	case err != nil || usable:
		return err
	case there:
		return &NotUsableError{w.id, "is not replicated to " + location, "az sig image-version update … --add publishingProfile.targetRegions name=" + location}
	case w.version != "" && len(names) > 0:
		return &NotUsableError{w.id, "has no version " + w.version, "did you mean " + strings.Join(nearest(w.version, names), ", ") + "?"}
	}
	return &NotUsableError{w.id, "has no version that counts as the latest", w.list}
}

// SameLocation compares regions, which Azure also names as people do: West Europe.
func SameLocation(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
}

// Mismatch is why a size cannot start an image; empty: it can.
func (i *Image) Mismatch(size *Size) string {
	p := i.Properties
	if a := size.Architecture(); p.Architecture != "" && !strings.EqualFold(p.Architecture, a) {
		return fmt.Sprintf("is for %s, and %s has %s", p.Architecture, size.Name, a)
	}
	if g := size.Capability("HyperVGenerations"); g != "" && p.Generation != "" && !strings.Contains(strings.ToUpper(g), strings.ToUpper(p.Generation)) {
		return fmt.Sprintf("is of Hyper-V generation %s, and %s takes %s", p.Generation, size.Name, g)
	}
	return ""
}
