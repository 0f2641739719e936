package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Catalog is what is on offer now. Names are found in any case.
type Catalog struct {
	locations    []Location
	sizes        map[string]Size // by name in lower case, as the following
	images       map[string]Image
	shared       map[string]SharedImage
	restrictions map[string]Restriction
	quotas       map[string]int // by name as usages have it
	terms        map[string]bool
}

// Restriction keeps a size from the subscription: everywhere, or in zones.
type Restriction struct {
	Size   string   `json:"size"`
	Zones  []string `json:"zones,omitempty"`  // empty: the whole location
	Reason string   `json:"reason,omitempty"` // empty: NotAvailableForSubscription
}

// Changes are made to what is on offer. The zero value changes nothing.
type Changes struct {
	Sizes         []Size         `json:"sizes,omitempty"`         // further ones, or others under names that there are
	Images        []Image        `json:"images,omitempty"`        // as Sizes
	SharedImages  []SharedImage  `json:"sharedImages,omitempty"`  // as Sizes
	Without       []string       `json:"without,omitempty"`       // sizes, images as publisher:offer:sku, and unique IDs of shared images: no longer on offer
	Restrictions  []Restriction  `json:"restrictions,omitempty"`  // of sizes, one for each
	Unrestricted  []string       `json:"unrestricted,omitempty"`  // sizes whose restriction ends
	Quotas        map[string]int `json:"quotas,omitempty"`        // limits by the names of usages, as standardDSv5Family; 0 and less end one
	AcceptedTerms []string       `json:"acceptedTerms,omitempty"` // of plans, as publisher:offer:plan
}

// New is a catalogue with what is there by default.
func New(location string) *Catalog {
	c := &Catalog{
		locations: newLocations(CanonicalLocation(location)), sizes: map[string]Size{}, images: map[string]Image{},
		shared: map[string]SharedImage{}, restrictions: map[string]Restriction{}, quotas: map[string]int{}, terms: map[string]bool{},
	}
	c.add(Changes{Sizes: newSizes(), Images: newImages()})
	return c
}

// Change makes changes. The error names the first that is impossible; then none
// is made.
func (c *Catalog) Change(changes Changes) error {
	if err := c.check(changes); err != nil {
		return fmt.Errorf("change catalogue: %w", err)
	}
	for _, name := range changes.Without {
		delete(c.sizes, fold(name))
		delete(c.images, fold(name))
		delete(c.shared, fold(name))
	}
	c.add(changes)
	return nil
}

func (c *Catalog) add(changes Changes) {
	for _, s := range changes.Sizes {
		c.sizes[fold(s.Name)] = s.complete()
	}
	for _, i := range changes.Images {
		c.images[fold(i.URN())] = i.complete()
	}
	for _, s := range changes.SharedImages {
		c.shared[fold(s.UniqueID())] = s.complete()
	}
	for _, name := range changes.Unrestricted {
		delete(c.restrictions, fold(name))
	}
	for _, r := range changes.Restrictions {
		c.restrictions[fold(r.Size)] = r
	}
	maps.Copy(c.quotas, changes.Quotas)
	for _, plan := range changes.AcceptedTerms {
		c.terms[fold(plan)] = true
	}
}

func fold(s string) string { return strings.ToLower(s) }

func (c *Catalog) check(changes Changes) error {
	for _, s := range changes.Sizes {
		if s.Name == "" || s.Family == "" || s.VCPUs < 1 {
			return fmt.Errorf("size %q: it needs a name, a family and vCPUs", s.Name)
		}
	}
	for _, i := range changes.Images {
		if i.Publisher == "" || i.Offer == "" || i.SKU == "" || len(i.Versions) == 0 {
			return fmt.Errorf("image %q: it needs publisher, offer, sku and versions", i.URN())
		}
	}
	for _, s := range changes.SharedImages {
		if s.Gallery == "" || s.Name == "" || len(s.Versions) == 0 {
			return fmt.Errorf("shared image %q: it needs gallery, name and versions", s.Name)
		}
	}
	for _, r := range changes.Restrictions {
		_, known := c.Size(r.Size)
		if !known && !slices.ContainsFunc(changes.Sizes, func(s Size) bool { return strings.EqualFold(s.Name, r.Size) }) {
			return fmt.Errorf("restriction of %q: there is no such size", r.Size)
		}
	}
	return c.checkQuotas(changes)
}

func (c *Catalog) checkQuotas(changes Changes) error {
	families := c.Families()
	for _, s := range changes.Sizes {
		families = append(families, s.Family)
	}
	for _, name := range slices.Sorted(maps.Keys(changes.Quotas)) {
		if name != LowPriorityCores && !slices.Contains(families, name) {
			return fmt.Errorf("quota %q: there is nothing of that name; known: %s, %s", name, LowPriorityCores, strings.Join(families, ", "))
		}
	}
	return nil
}

// LowPriorityCores is the usage of all vCPUs of Spot instances.
const LowPriorityCores = "lowPriorityCores"

// Locations are all regions, in the order of their names.
func (c *Catalog) Locations() []Location { return c.locations }

// Location finds a region by name or display name.
func (c *Catalog) Location(name string) (Location, bool) {
	for _, one := range c.locations {
		if one.Name == CanonicalLocation(name) {
			return one, true
		}
	}
	return Location{}, false
}

// Sizes are all sizes, in the order of their names in lower case.
func (c *Catalog) Sizes() []Size { return inOrder(c.sizes) }

// Size finds a size.
func (c *Catalog) Size(name string) (Size, bool) {
	s, ok := c.sizes[fold(name)]
	return s, ok
}

// Families are all families of sizes, in order.
func (c *Catalog) Families() []string {
	var all []string
	for _, s := range c.sizes {
		all = append(all, s.Family)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Restriction is what keeps a size from the subscription, if anything.
func (c *Catalog) Restriction(size string) (Restriction, bool) {
	r, ok := c.restrictions[fold(size)]
	if r.Reason == "" {
		r.Reason = "NotAvailableForSubscription"
	}
	return r, ok
}

// Quota is the limit of a usage; 0: none is set.
func (c *Catalog) Quota(name string) int { return max(0, c.quotas[name]) }

// Images are all platform images, in the order of their names in lower case.
func (c *Catalog) Images() []Image { return inOrder(c.images) }

// Image finds a platform image.
func (c *Catalog) Image(publisher, offer, sku string) (Image, bool) {
	i, ok := c.images[fold(publisher+":"+offer+":"+sku)]
	return i, ok
}

// SharedImages are all of them, in the order of their unique IDs in lower case.
func (c *Catalog) SharedImages() []SharedImage { return inOrder(c.shared) }

// SharedImage finds one by unique ID.
func (c *Catalog) SharedImage(uniqueID string) (SharedImage, bool) {
	s, ok := c.shared[fold(uniqueID)]
	return s, ok
}

// Plan reports whether anything is sold under a plan.
func (c *Catalog) Plan(publisher, offer, plan string) bool {
	i, ok := c.Image(publisher, offer, plan)
	return ok && i.Plan
}

// Accepted reports whether the terms of a plan are accepted.
func (c *Catalog) Accepted(publisher, offer, plan string) bool {
	return c.terms[fold(publisher+":"+offer+":"+plan)]
}

// Accept accepts the terms of a plan, or takes that back.
func (c *Catalog) Accept(publisher, offer, plan string, accepted bool) {
	c.terms[fold(publisher+":"+offer+":"+plan)] = accepted
}

// All is what is on offer, as the changes that would make it of nothing.
func (c *Catalog) All() Changes {
	accepted := maps.Clone(c.terms)
	maps.DeleteFunc(accepted, func(_ string, is bool) bool { return !is })
	return Changes{
		Sizes: c.Sizes(), Images: c.Images(), SharedImages: c.SharedImages(), Restrictions: inOrder(c.restrictions),
		Quotas: maps.Clone(c.quotas), AcceptedTerms: slices.Sorted(maps.Keys(accepted)),
	}
}

func inOrder[T any](all map[string]T) []T {
	values := make([]T, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		values = append(values, all[name])
	}
	return values
}
