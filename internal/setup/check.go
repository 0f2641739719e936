package setup

import (
	"context"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
)

// checked is what was found out before anything is made.
type checked struct {
	reference object // of the image
	plan      object // that the image demands; nil: none
	notes     []string
}

// check looks at sizes and image as Azure would, before anything is made.
func (s *Setup) check(ctx context.Context) (c checked, err error) {
	sizes, err := s.checkSizes(ctx)
	if err != nil {
		return c, err
	}
	image, err := ParseImage(s.Spec.Image)
	if err != nil {
		return c, err
	}
	c.reference = image.reference()
	if image.Publisher == "" {
		return c, s.checkOwnImage(ctx, image, sizes)
	}
	found, err := offer.Find(ctx, s.Azure, s.Spec.Subscription, s.Spec.Location, offer.URN{Publisher: image.Publisher, Offer: image.Offer, SKU: image.SKU, Version: image.Version})
	if err != nil {
		return c, err
	}
	if retired := found.Retired(); retired != "" {
		c.notes = append(c.notes, fmt.Sprintf("image %s is %s; --image %s is kept up to date", s.Spec.Image, retired, DefaultImage))
	}
	if p := found.Properties.Plan; p != nil {
		c.plan = object{"name": p.Name, "publisher": p.Publisher, "product": p.Product}
	}
	return c, joined([]error{s.checkTerms(ctx, found), s.matches(found, sizes)})
}

func (s *Setup) checkTerms(ctx context.Context, image *offer.Image) error {
	accepted, err := offer.TermsAccepted(ctx, s.Azure, s.Spec.Subscription, image)
	if err == nil && !accepted {
		return fmt.Errorf("image %s: the terms of its plan are not accepted; fix: az vm image terms accept --urn %s", s.Spec.Image, s.Spec.Image)
	}
	return err
}

// matches compares an image with the sizes.
func (s *Setup) matches(image *offer.Image, sizes []offer.Size) error {
	for _, size := range sizes {
		if why := image.Mismatch(&size); why != "" {
			return fmt.Errorf("image %s %s; fix: another --size, or another --image", s.Spec.Image, why)
		}
	}
	return nil
}

// checkOwnImage looks for an image that is not of the marketplace.
func (s *Setup) checkOwnImage(ctx context.Context, image Image, sizes []offer.Size) error {
	var found *offer.Image
	var err error
	if image.Community != "" {
		found, err = offer.FindCommunity(ctx, s.Azure, s.Spec.Subscription, s.Spec.Location, image.Community)
	} else {
		found, err = offer.FindID(ctx, s.Azure, s.Spec.Location, image.ID)
	}
	if err != nil {
		return err
	}
	return s.matches(found, sizes)
}

// checkSizes looks for the sizes and what they must be able to do.
func (s *Setup) checkSizes(ctx context.Context) (sizes []offer.Size, err error) {
	offered, err := offer.Sizes(ctx, s.Azure, s.Spec.Subscription, s.Spec.Location)
	if err != nil {
		return nil, err
	}
	if len(offered) == 0 {
		return nil, fmt.Errorf("there are no sizes in the region %q; fix: --location takes a name of: az account list-locations --query '[].name' -o tsv", s.Spec.Location)
	}
	var wrong []error
	for _, name := range s.Spec.Sizes {
		size, ok := offered[strings.ToLower(name)]
		if !ok {
			wrong = append(wrong, fmt.Errorf("size %s is not offered in %s; fix: %s", name, s.Spec.Location, offer.Nearest(name, offered)))
			continue
		}
		sizes = append(sizes, size)
		wrong = append(wrong, s.checkSize(&size))
	}
	return sizes, joined(wrong)
}

func (s *Setup) checkSize(size *offer.Size) error {
	list := "az vm list-skus --location " + s.Spec.Location + " --resource-type virtualMachines --all -o table"
	switch restriction := size.Restriction(s.Spec.Zones); {
	case restriction != "":
		return fmt.Errorf("size %s is restricted for this subscription in %s (%s); fix: another --size, of %s", size.Name, s.Spec.Location, restriction, list)
	case size.MissingZone(s.Spec.Zones) != "":
		return fmt.Errorf("size %s is not offered in zone %s of %s; fix: other --zones, or another --size, of %s", size.Name, size.MissingZone(s.Spec.Zones), s.Spec.Location, list)
	case s.Spec.Ephemeral && !size.Can("EphemeralOSDiskSupported"):
		return fmt.Errorf("size %s takes no ephemeral OS disk; fix: leave --ephemeral out, or --size Standard_D2ads_v5", size.Name)
	case s.Spec.Spot && strings.EqualFold(size.Capability("LowPriorityCapable"), "False"):
		return fmt.Errorf("size %s is not offered as Spot; fix: another --size, or no --spot", size.Name)
	}
	return nil
}

// needed are the resource providers of what is made.
func (s *Setup) needed() []string {
	all := []string{"Microsoft.Compute", "Microsoft.Network"}
	if s.Spec.Identity != "" {
		all = append(all, "Microsoft.ManagedIdentity")
	}
	return all
}

// unregistered are the providers that the subscription has yet to register. Who may not
// look is told by Azure's refusal later.
func (s *Setup) unregistered(ctx context.Context) (items []Item, err error) {
	for _, namespace := range s.needed() {
		id := "/subscriptions/" + s.Spec.Subscription + "/providers/" + namespace
		state, err := s.registration(ctx, id)
		if armerr.Is(err, armerr.Forbidden) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(state, "Registered") {
			items = append(items, Item{Action: Create, Title: "registration of the resource provider " + namespace, ID: id, step: step{id: id, put: armops.RegisterProvider}})
		}
	}
	return items, nil
}

func (s *Setup) registration(ctx context.Context, id string) (string, error) {
	var provider struct {
		State string `json:"registrationState"`
	}
	err := s.Azure.Get(ctx, armops.GetProvider, id, nil, &provider)
	return provider.State, err
}
