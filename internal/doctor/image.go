package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
)

// checkImage looks for the image that new instances are made of, and whether the sizes can
// start it.
func (c *cloud) checkImage(ctx context.Context) ([]Finding, error) {
	image := c.model.Properties.Profile.Storage.Image
	switch {
	case image.Community != "":
		found, err := offer.FindCommunity(ctx, c.azure, c.config.SubscriptionID, c.model.Location, image.Community)
		return c.judgeImage(ctx, image.Community, found, err)
	case image.ID != "":
		found, err := offer.FindID(ctx, c.azure, c.model.Location, image.ID)
		return c.judgeImage(ctx, image.ID, found, err)
	case image.Publisher == "":
		return nil, nil // a shared gallery's, or one that this does not know
	}
	urn := offer.URN{Publisher: image.Publisher, Offer: image.Offer, SKU: image.SKU, Version: image.Version}
	found, err := offer.Find(ctx, c.azure, c.config.SubscriptionID, c.model.Location, urn)
	all, err := c.judgeImage(ctx, urn.String(), found, err)
	if err != nil || len(all) > 0 {
		return all, err
	}
	accepted, err := offer.TermsAccepted(ctx, c.azure, c.config.SubscriptionID, found)
	if err == nil && !accepted {
		return []Finding{fault(0, fmt.Sprintf("the terms of the image %s are not accepted", urn), "az vm image terms accept --urn "+urn.String())}, nil
	}
	return nil, err
}

// judgeImage is what is wrong with an image, or with its absence.
func (c *cloud) judgeImage(ctx context.Context, name string, found *offer.Image, err error) (all []Finding, _ error) {
	_, noPart := errors.AsType[*offer.NotFoundError](err)
	_, noImage := errors.AsType[*offer.NotUsableError](err)
	if noPart || noImage {
		text, fix, _ := strings.Cut(err.Error(), "; fix: ")
		return []Finding{fault(0, text, fix)}, nil
	}
	if err != nil {
		return nil, err
	}
	if retired := found.Retired(); retired != "" {
		all = append(all, warning(0, fmt.Sprintf("the image %s is %s", name, retired), "setup --image Canonical:ubuntu-24_04-lts:server:latest, or another one that is kept up to date"))
	}
	offered, err := c.offered(ctx)
	for _, size := range c.model.sizes() {
		info, known := offered[strings.ToLower(size)]
		if why := found.Mismatch(&info); known && why != "" {
			all = append(all, fault(0, fmt.Sprintf("the image %s %s: no instance can be created", name, why), "az vmss update --ids "+c.setID()+" --vm-sku SIZE, or setup with another --image"))
		}
	}
	return all, err
}
