package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Image is a platform image: what a publisher, an offer and a SKU name.
type Image struct {
	Publisher    string   `json:"publisher"`
	Offer        string   `json:"offer"`
	SKU          string   `json:"sku"`
	Versions     []string `json:"versions"`
	OS           string   `json:"os,omitempty"`           // Linux or Windows; empty: Linux
	Architecture string   `json:"architecture,omitempty"` // empty: x64
	Generation   string   `json:"generation,omitempty"`   // V1 or V2 of Hyper-V; empty: V2
	State        string   `json:"state,omitempty"`        // Active, ScheduledForDeprecation or Deprecated; empty: Active
	Plan         bool     `json:"plan,omitempty"`         // it is sold under a plan, named as its SKU
}

// URN is the image's name without a version, as in publisher:offer:sku.
func (i Image) URN() string { return i.Publisher + ":" + i.Offer + ":" + i.SKU }

func (i Image) complete() Image {
	i.OS = cmp.Or(i.OS, "Linux")
	i.Architecture = cmp.Or(i.Architecture, X64)
	i.Generation = cmp.Or(i.Generation, "V2")
	i.State = cmp.Or(i.State, "Active")
	i.Versions = slices.SortedFunc(slices.Values(i.Versions), CompareVersions)
	return i
}

// CompareVersions puts versions in the order of their numbers.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for n := range min(len(as), len(bs)) {
		x, errX := strconv.ParseUint(as[n], 10, 64)
		y, errY := strconv.ParseUint(bs[n], 10, 64)
		if errX != nil || errY != nil {
			return strings.Compare(a, b)
		}
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// newImages are a few images under the names that the Marketplace has for them;
// the versions are made up. The names of the Windows images with containers after
// 2019 are believed.
func newImages() []Image {
	images := []Image{
		{Publisher: "Canonical", Offer: "ubuntu-24_04-lts", SKU: "server", Versions: []string{"24.04.202509010", "24.04.202510020", "24.04.202511040"}},
		{Publisher: "Canonical", Offer: "ubuntu-24_04-lts", SKU: "server-arm64", Architecture: Arm64, Versions: []string{"24.04.202510020", "24.04.202511040"}},
		{Publisher: "Canonical", Offer: "ubuntu-24_04-lts", SKU: "minimal", Versions: []string{"24.04.202510020", "24.04.202511040"}},
		{Publisher: "Canonical", Offer: "0001-com-ubuntu-server-jammy", SKU: "22_04-lts", Generation: "V1", Versions: []string{"22.04.202510010"}},
		{Publisher: "Canonical", Offer: "0001-com-ubuntu-server-jammy", SKU: "22_04-lts-gen2", Versions: []string{"22.04.202510010"}},
		{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "18.04-LTS", Generation: "V1", State: "Deprecated", Versions: []string{"18.04.202306070", "18.04.202401161"}},
		{Publisher: "Debian", Offer: "debian-12", SKU: "12", Generation: "V1", Versions: []string{"0.20250801.2191"}},
		{Publisher: "Debian", Offer: "debian-12", SKU: "12-gen2", Versions: []string{"0.20250801.2191"}},
		{Publisher: "Debian", Offer: "debian-12", SKU: "12-arm64", Architecture: Arm64, Versions: []string{"0.20250801.2191"}},
		{Publisher: "RedHat", Offer: "RHEL", SKU: "9-lvm-gen2", Versions: []string{"9.6.2025080711"}},
		{Publisher: "almalinux", Offer: "almalinux-x86_64", SKU: "9-gen2", Plan: true, Versions: []string{"9.6.202505220"}},
	}
	for sku, generation := range map[string]string{
		"2019-Datacenter": "V1", "2019-Datacenter-with-Containers": "V1", "2022-datacenter-g2": "V2", "2022-datacenter-azure-edition": "V2",
		"2022-datacenter-with-containers-g2": "V2", "2025-Datacenter": "V2", "2025-datacenter-g2": "V2", "2025-datacenter-with-containers-g2": "V2",
	} {
		images = append(images, Image{
			Publisher: "MicrosoftWindowsServer", Offer: "WindowsServer", SKU: sku, OS: "Windows", Generation: generation,
			Versions: []string{sku[2:4] + "348.4052.250811", sku[2:4] + "348.4171.250903"},
		})
	}
	return images
}

// SharedImage is an image definition of a gallery that others share: a community
// gallery, or one that is shared with the subscription.
type SharedImage struct {
	Gallery      string   `json:"gallery"` // its public name, or its unique ID
	Community    bool     `json:"community,omitempty"`
	Name         string   `json:"name"`
	Versions     []string `json:"versions"`
	OS           string   `json:"os,omitempty"`           // Linux or Windows; empty: Linux
	State        string   `json:"state,omitempty"`        // Generalized or Specialized; empty: Generalized
	Architecture string   `json:"architecture,omitempty"` // empty: x64
	Generation   string   `json:"generation,omitempty"`   // V1 or V2; empty: V2
}

// UniqueID is how a scale set's model names the definition.
func (s SharedImage) UniqueID() string {
	if s.Community {
		return "/CommunityGalleries/" + s.Gallery + "/Images/" + s.Name
	}
	return "/SharedGalleries/" + s.Gallery + "/Images/" + s.Name
}

func (s SharedImage) complete() SharedImage {
	s.OS = cmp.Or(s.OS, "Linux")
	s.State = cmp.Or(s.State, "Generalized")
	s.Architecture = cmp.Or(s.Architecture, X64)
	s.Generation = cmp.Or(s.Generation, "V2")
	s.Versions = slices.SortedFunc(slices.Values(s.Versions), CompareVersions)
	return s
}
