package catalog

import (
	"slices"
	"strings"
)

// Size is a VM size.
type Size struct {
	Name         string  `json:"name"`   // as Standard_D2s_v5
	Family       string  `json:"family"` // as usages name it, as standardDSv5Family
	VCPUs        int     `json:"vCPUs"`
	MemoryGB     float64 `json:"memoryGB"`
	Architecture string  `json:"architecture,omitempty"` // x64 or Arm64; empty: x64
	Generations  string  `json:"generations,omitempty"`  // of Hyper-V, as "V1,V2"; empty: these two, of Arm64 V2
	TempGB       int     `json:"tempGB,omitempty"`       // of the temporary disk
	Ephemeral    bool    `json:"ephemeral,omitempty"`    // it can have an ephemeral OS disk
	Premium      bool    `json:"premium,omitempty"`      // it can have premium storage
	Hibernation  bool    `json:"hibernation,omitempty"`
	NoSpot       bool    `json:"noSpot,omitempty"`
}

// The architectures of processors and images.
const (
	X64   = "x64"
	Arm64 = "Arm64"
)

// features of a size, as letters: e ephemeral OS disk, p premium storage, h
// hibernation, a Arm64, n no Spot, 1 and 2 the only Hyper-V generation.
func newSize(name, family string, vCPUs int, memory float64, temp int, features string) Size {
	has := func(letter string) bool { return strings.Contains(features, letter) }
	s := Size{
		Name: "Standard_" + name, Family: family, VCPUs: vCPUs, MemoryGB: memory, TempGB: temp,
		Ephemeral: has("e"), Premium: has("p"), Hibernation: has("h"), NoSpot: has("n"),
	}
	if has("a") {
		s.Architecture = Arm64
	}
	for _, generation := range []string{"1", "2"} {
		if has(generation) {
			s.Generations = "V" + generation
		}
	}
	return s.complete()
}

func (s Size) complete() Size {
	if s.Architecture == "" {
		s.Architecture = X64
	}
	if s.Generations == "" && s.Architecture == Arm64 {
		s.Generations = "V2"
	}
	if s.Generations == "" {
		s.Generations = "V1,V2"
	}
	return s
}

// Boots reports whether the size starts images of this Hyper-V generation.
func (s Size) Boots(generation string) bool {
	return slices.Contains(strings.Split(s.Generations, ","), generation)
}

// newSizes are common sizes. Their figures and features are believed: they were
// not compared with Microsoft's pages on size series. The families are spelt as in
// recording 32 and, of Dasv5, in karpenter-provider-azure#192; the rest is believed.
func newSizes() []Size {
	return []Size{
		newSize("B1ls", "standardBSFamily", 1, 0.5, 4, "pn"),
		newSize("B1s", "standardBSFamily", 1, 1, 4, "pn"),
		newSize("B2s", "standardBSFamily", 2, 4, 8, "pn"),
		newSize("B2ms", "standardBSFamily", 2, 8, 16, "pn"),
		newSize("B2pts_v2", "standardBpsv2Family", 2, 1, 0, "pa"),
		newSize("D2_v2", "standardDv2Family", 2, 7, 100, "1"),
		newSize("DS1_v2", "standardDSv2Family", 1, 3.5, 7, "ep"),
		newSize("DS2_v2", "standardDSv2Family", 2, 7, 14, "ep"),
		newSize("D2s_v3", "standardDSv3Family", 2, 8, 16, "eph"),
		newSize("D4s_v3", "standardDSv3Family", 4, 16, 32, "eph"),
		newSize("D2_v5", "standardDv5Family", 2, 8, 0, ""),
		newSize("D2s_v5", "standardDSv5Family", 2, 8, 0, "ph"),
		newSize("D4s_v5", "standardDSv5Family", 4, 16, 0, "ph"),
		newSize("D8s_v5", "standardDSv5Family", 8, 32, 0, "ph"),
		newSize("D16s_v5", "standardDSv5Family", 16, 64, 0, "ph"),
		newSize("D2ds_v5", "standardDDSv5Family", 2, 8, 75, "eph"),
		newSize("D4ds_v5", "standardDDSv5Family", 4, 16, 150, "eph"),
		newSize("D8ds_v5", "standardDDSv5Family", 8, 32, 300, "eph"),
		newSize("D2as_v5", "standardDASv5Family", 2, 8, 0, "ph"),
		newSize("D4as_v5", "standardDASv5Family", 4, 16, 0, "ph"),
		newSize("D4ads_v5", "standardDADSv5Family", 4, 16, 150, "eph"),
		newSize("D2ps_v5", "standardDPSv5Family", 2, 8, 0, "pa"),
		newSize("D4ps_v5", "standardDPSv5Family", 4, 16, 0, "pa"),
		newSize("D4pds_v5", "standardDPDSv5Family", 4, 16, 150, "epa"),
		newSize("D2s_v6", "standardDsv6Family", 2, 8, 0, "p2"),
		newSize("E2s_v5", "standardESv5Family", 2, 16, 0, "ph"),
		newSize("E4s_v5", "standardESv5Family", 4, 32, 0, "ph"),
		newSize("E4ds_v5", "standardEDSv5Family", 4, 32, 150, "eph"),
		newSize("F2s_v2", "standardFSv2Family", 2, 4, 16, "ep"),
		newSize("F4s_v2", "standardFSv2Family", 4, 8, 32, "ep"),
		newSize("F8s_v2", "standardFSv2Family", 8, 16, 64, "ep"),
	}
}
