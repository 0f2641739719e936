package doctor

import (
	"context"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// imageInfo is what Azure says of an image of the marketplace.
type imageInfo struct {
	Properties struct {
		Deprecation struct {
			State   string `json:"imageState"`
			Retires string `json:"scheduledDeprecationTime"`
		} `json:"imageDeprecationStatus"`
	} `json:"properties"`
}

// checkImage looks for the image that new instances are made of.
func (c *cloud) checkImage(ctx context.Context) ([]Finding, error) {
	image := c.model.Properties.Profile.Storage.Image
	if image.Publisher == "" {
		return c.checkOwnImage(ctx, image.ID)
	}
	urn := strings.Join([]string{image.Publisher, image.Offer, image.SKU, image.Version}, ":")
	versions := fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Compute/locations/%s/publishers/%s/artifacttypes/vmimage/offers/%s/skus/%s/versions",
		c.config.SubscriptionID, c.model.Location, image.Publisher, image.Offer, image.SKU)
	version := image.Version
	var all []struct {
		Name string `json:"name"`
	}
	if err := c.azure.Get(ctx, armops.ListImageVersions, versions, nil, &all); armerr.Is(err, armerr.NotFound) || err == nil && len(all) == 0 {
		return []Finding{fault(0, fmt.Sprintf("there is no image %s in %s", urn, c.model.Location), "az vm image list --all --publisher "+image.Publisher+" --location "+c.model.Location+" -o table")}, nil
	} else if err != nil {
		return nil, err
	}
	if strings.EqualFold(version, "latest") {
		version = all[len(all)-1].Name
	}
	var info imageInfo
	if err := c.azure.Get(ctx, armops.GetImageVersion, versions+"/"+version, nil, &info); armerr.Is(err, armerr.NotFound) {
		return []Finding{fault(0, fmt.Sprintf("the image %s has no version %s", urn, version), `use the version "latest"`)}, nil
	} else if err != nil {
		return nil, err
	}
	if d := info.Properties.Deprecation; d.State != "" && !strings.EqualFold(d.State, "Active") {
		return []Finding{warning(0, strings.TrimSpace(fmt.Sprintf("the image %s is %s %s", urn, d.State, d.Retires)), "setup --image Canonical:ubuntu-24_04-lts:server:latest, or another one that is kept up to date")}, nil
	}
	return nil, nil
}

// checkOwnImage looks for an image of the subscription's own.
func (c *cloud) checkOwnImage(ctx context.Context, id string) ([]Finding, error) {
	operation := armops.Match("GET", id)
	if operation == "" {
		return nil, nil // a community gallery's, or one that this does not know
	}
	err := c.azure.Get(ctx, operation, id, nil, nil)
	if armerr.Is(err, armerr.NotFound) {
		return []Finding{fault(0, "the image "+id+" does not exist", "az sig image-definition list, or az image list, and setup --image ID")}, nil
	}
	return nil, err
}
