// Package offer knows what Azure offers a subscription in a region: VM sizes and the
// images of its marketplace. It only reads.
package offer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Azure is what is read; armapi.Resources has it.
type Azure interface {
	Get(ctx context.Context, operation, id string, query url.Values, out any) error
	Each(ctx context.Context, operation, id string, query url.Values, f func(json.RawMessage) error) error
}

// Size is a VM size in a region, as Azure describes it to a subscription.
type Size struct {
	Name      string `json:"name"`
	Family    string `json:"family"`
	Type      string `json:"resourceType"`
	Locations []struct {
		Zones []string `json:"zones"`
	} `json:"locationInfo"`
	Capabilities []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"capabilities"`
	Restrictions []struct {
		Type   string `json:"type"`
		Reason string `json:"reasonCode"`
		Info   struct {
			Zones []string `json:"zones"`
		} `json:"restrictionInfo"`
	} `json:"restrictions"`
}

// Sizes reads the VM sizes of a region, by their names in lower case. The response has
// several megabytes.
func Sizes(ctx context.Context, azure Azure, subscription, location string) (map[string]Size, error) {
	all := map[string]Size{}
	query := url.Values{"$filter": {fmt.Sprintf("location eq '%s'", location)}}
	err := azure.Each(ctx, armops.ListSizes, "/subscriptions/"+subscription+"/providers/Microsoft.Compute/skus", query, func(raw json.RawMessage) error {
		var s Size
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if strings.EqualFold(s.Type, "virtualMachines") {
			all[strings.ToLower(s.Name)] = s
		}
		return nil
	})
	return all, err
}

// Capability is the text of a capability; empty: there is none of that name.
func (s *Size) Capability(name string) string {
	for _, c := range s.Capabilities {
		if strings.EqualFold(c.Name, name) {
			return c.Value
		}
	}
	return ""
}

// Can reports whether a capability is True.
func (s *Size) Can(name string) bool { return strings.EqualFold(s.Capability(name), "True") }

// Cores is the number of vCPUs; 0: Azure does not say.
func (s *Size) Cores() int {
	n, _ := strconv.Atoi(s.Capability("vCPUs"))
	return n
}

// Architecture is x64 or Arm64.
func (s *Size) Architecture() string {
	if a := s.Capability("CpuArchitectureType"); a != "" {
		return a
	}
	return "x64"
}

// Restriction is why the size cannot be used in some of these zones, or without zones;
// empty: it can.
func (s *Size) Restriction(zones []string) string {
	for _, r := range s.Restrictions {
		if !strings.EqualFold(r.Type, "Zone") {
			return r.Reason
		}
		if slices.ContainsFunc(zones, func(z string) bool { return slices.Contains(r.Info.Zones, z) }) {
			return r.Reason + " in a zone"
		}
	}
	return ""
}

// MissingZone is the first of these zones in which the size is not offered; empty: there
// is none.
func (s *Size) MissingZone(zones []string) string {
	for _, zone := range zones {
		if !slices.ContainsFunc(s.Locations, func(l struct {
			Zones []string `json:"zones"`
		}) bool {
			return slices.Contains(l.Zones, zone)
		}) {
			return zone
		}
	}
	return ""
}

// Nearest names sizes that are offered and most like one that is not, as a fix.
func Nearest(name string, offered map[string]Size) string {
	var names []string
	for _, s := range offered {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return "did you mean " + strings.Join(nearest(name, names), ", ") + "?"
}
