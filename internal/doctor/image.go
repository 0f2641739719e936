package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
)

// checkImage looks for the image that new instances are made of.
func (c *cloud) checkImage(ctx context.Context) ([]Finding, error) {
	image := c.model.Properties.Profile.Storage.Image
	if image.Publisher == "" {
		return c.checkOwnImage(ctx, image.ID)
	}
	urn := offer.URN{Publisher: image.Publisher, Offer: image.Offer, SKU: image.SKU, Version: image.Version}
	found, err := offer.Find(ctx, c.azure, c.config.SubscriptionID, c.model.Location, urn)
	if missing, ok := errors.AsType[*offer.NotFoundError](err); ok {
		text, fix, _ := strings.Cut(missing.Error(), "; fix: ")
		return []Finding{fault(0, text, fix)}, nil
	}
	if err != nil {
		return nil, err
	}
	if retired := found.Retired(); retired != "" {
		return []Finding{warning(0, fmt.Sprintf("the image %s is %s", urn, retired), "setup --image Canonical:ubuntu-24_04-lts:server:latest, or another one that is kept up to date")}, nil
	}
	accepted, err := offer.TermsAccepted(ctx, c.azure, c.config.SubscriptionID, found)
	if err == nil && !accepted {
		return []Finding{fault(0, fmt.Sprintf("the terms of the image %s are not accepted", urn), "az vm image terms accept --urn "+urn.String())}, nil
	}
	return nil, err
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
