package armsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
)

// What new scale sets can be made of. A client sees it in Azure's lists, and a
// new scale set is checked against it.
type (
	// CatalogChanges are made to what is on offer. The zero value changes nothing.
	CatalogChanges = catalog.Changes

	// VMSize is a size of virtual machines.
	VMSize = catalog.Size

	// PlatformImage is an image of the Marketplace, with or without a plan.
	PlatformImage = catalog.Image

	// SharedImage is an image definition of a community gallery, or of a gallery
	// that is shared with the subscription.
	SharedImage = catalog.SharedImage

	// SizeRestriction keeps a size from the subscription.
	SizeRestriction = catalog.Restriction
)

// ChangeCatalog makes changes, one after the other. What exists stays as it is.
// The error names the first that is impossible; those before it are made.
func (s *Server) ChangeCatalog(changes ...CatalogChanges) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range changes {
		if err := s.world.Catalog.Change(one); err != nil {
			return err
		}
	}
	return nil
}

// Catalog is what is on offer now, as the changes that would make it of nothing.
func (s *Server) Catalog() CatalogChanges {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Catalog.All()
}

// ReadCatalog reads changes as JSON. Unknown fields are refused.
func ReadCatalog(r io.Reader) (changes CatalogChanges, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, 4<<20))
	if err != nil {
		return changes, fmt.Errorf("read catalogue: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&changes); err != nil {
		return changes, fmt.Errorf("read catalogue: %w", err)
	}
	return changes, nil
}
