package offer

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// URN names an image of the marketplace.
type URN struct{ Publisher, Offer, SKU, Version string }

// String is the URN as the Azure CLI writes it.
func (u URN) String() string {
	return strings.Join([]string{u.Publisher, u.Offer, u.SKU, u.Version}, ":")
}

// Image is what Azure says of a version of an image.
type Image struct {
	Properties struct {
		Plan *struct {
			Name      string `json:"name"`
			Publisher string `json:"publisher"`
			Product   string `json:"product"`
		} `json:"plan"`
		Architecture string `json:"architecture"`
		Generation   string `json:"hyperVGeneration"`
		Deprecation  struct {
			State   string `json:"imageState"`
			Retires string `json:"scheduledDeprecationTime"`
		} `json:"imageDeprecationStatus"`
	} `json:"properties"`
}

// Retired says that an image is deprecated, or will be; empty: it is not.
func (i *Image) Retired() string {
	if d := i.Properties.Deprecation; d.State != "" && !strings.EqualFold(d.State, "Active") {
		return strings.TrimSpace(d.State + " " + d.Retires)
	}
	return ""
}

// NotFoundError is that a part of a URN does not exist.
type NotFoundError struct {
	URN     URN
	Part    string // publisher, offer, SKU or version
	Name    string
	Nearest []string // that exist, the nearest first
}

// Error names the part, and what there is instead.
func (e *NotFoundError) Error() string {
	fix := "az vm image list --all --publisher " + e.URN.Publisher + " -o table"
	if len(e.Nearest) > 0 {
		fix = "did you mean " + strings.Join(e.Nearest, ", ") + "?"
	}
	return fmt.Sprintf("image %s: there is no %s %q in this region; fix: %s", e.URN, e.Part, e.Name, fix)
}

// Find looks for an image, part by part. A part that does not exist gives a
// *NotFoundError with the nearest that do.
func Find(ctx context.Context, azure Azure, subscription, location string, u URN) (*Image, error) {
	at := fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Compute/locations/%s/publishers", subscription, location)
	for _, level := range []struct{ part, name, list, under string }{
		{"publisher", u.Publisher, armops.ListImagePublishers, "/artifacttypes/vmimage/offers"},
		{"offer", u.Offer, armops.ListImageOffers, "/skus"},
		{"SKU", u.SKU, armops.ListImageSKUs, "/versions"},
	} {
		names, err := namesOf(ctx, azure, level.list, at)
		if err != nil {
			return nil, err
		}
		name, ok := find(names, level.name)
		if !ok {
			return nil, &NotFoundError{u, level.part, level.name, nearest(level.name, names)}
		}
		at += "/" + url.PathEscape(name) + level.under
	}
	versions, err := namesOf(ctx, azure, armops.ListImageVersions, at)
	if err != nil {
		return nil, err
	}
	version := u.Version
	if strings.EqualFold(version, "latest") && len(versions) > 0 {
		version = versions[len(versions)-1]
	}
	if !slices.Contains(versions, version) {
		return nil, &NotFoundError{u, "version", u.Version, append([]string{"latest"}, nearest(u.Version, versions)...)}
	}
	var i Image
	return &i, azure.Get(ctx, armops.GetImageVersion, at+"/"+version, nil, &i)
}

// namesOf reads a list of the marketplace, which is a plain array.
func namesOf(ctx context.Context, azure Azure, operation, at string) (names []string, err error) {
	var all []struct {
		Name string `json:"name"`
	}
	err = azure.Get(ctx, operation, at, nil, &all)
	if armerr.Is(err, armerr.NotFound) {
		return nil, nil
	}
	for _, one := range all {
		names = append(names, one.Name)
	}
	return names, err
}

func find(names []string, name string) (string, bool) {
	n := slices.IndexFunc(names, func(other string) bool { return strings.EqualFold(other, name) })
	if n < 0 {
		return "", false
	}
	return names[n], true
}

// nearest are the three names that are most like one.
func nearest(name string, names []string) []string {
	sorted := slices.Clone(names)
	distance := func(other string) int {
		return levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(other))
	}
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	return sorted[:min(len(sorted), 3)]
}

// TermsAccepted reports whether the terms of a plan have been accepted.
func TermsAccepted(ctx context.Context, azure Azure, subscription string, i *Image) (bool, error) {
	p := i.Properties.Plan
	if p == nil {
		return true, nil
	}
	var terms struct {
		Properties struct {
			Accepted bool `json:"accepted"`
		} `json:"properties"`
	}
	id := fmt.Sprintf("/subscriptions/%s/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/%s/offers/%s/plans/%s/agreements/current", subscription, p.Publisher, p.Product, p.Name)
	err := azure.Get(ctx, armops.GetTerms, id, nil, &terms)
	return terms.Properties.Accepted, err
}
