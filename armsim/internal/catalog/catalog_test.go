package catalog

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompareVersions(t *testing.T) {
	versions := []string{"1.0.10", "1.0.9", "1.0", "24.04.202511040", "1.0.9"}
	slices.SortFunc(versions, CompareVersions)
	assert.Equal(t, []string{"1.0", "1.0.9", "1.0.9", "1.0.10", "24.04.202511040"}, versions)
	assert.Equal(t, -1, CompareVersions("1.0.a", "1.0.b"), "no numbers: as texts")
	assert.Zero(t, CompareVersions("1.0.a", "1.0.a"))
}

func TestSizesAreWhole(t *testing.T) {
	c := New("westeurope")
	for _, s := range c.Sizes() {
		assert.NotEmpty(t, s.Architecture, s.Name)
		assert.NotEmpty(t, s.Generations, s.Name)
		assert.Positive(t, s.VCPUs, s.Name)
		assert.Positive(t, s.MemoryGB, s.Name)
		assert.Contains(t, c.Families(), s.Family)
		assert.False(t, s.Architecture == Arm64 && s.Boots("V1"), s.Name)
	}
}

func TestImagesAreWhole(t *testing.T) {
	plans := 0
	for _, i := range New("westeurope").Images() {
		assert.NotEmpty(t, i.Versions, i.URN())
		assert.Contains(t, []string{"Linux", "Windows"}, i.OS, i.URN())
		assert.Contains(t, []string{"V1", "V2"}, i.Generation, i.URN())
		if i.Plan {
			plans++
		}
	}
	assert.Equal(t, 1, plans)
}

func TestChanges(t *testing.T) {
	c := New("westeurope")
	require.NoError(t, c.Change(Changes{
		Sizes:        []Size{{Name: "Standard_L8s_v3", Family: "standardLSv3Family", VCPUs: 8}},
		Images:       []Image{{Publisher: "Contoso", Offer: "runner", SKU: "gen2", Versions: []string{"1.0.10", "1.0.9"}, Plan: true}},
		Without:      []string{"standard_b1s", "Debian:debian-12:12"},
		Restrictions: []Restriction{{Size: "Standard_L8s_v3"}},
		Quotas:       map[string]int{"standardLSv3Family": 8, LowPriorityCores: -1},
	}))
	s, ok := c.Size("STANDARD_L8S_V3")
	assert.True(t, ok && s.Boots("V1") && s.Architecture == X64)
	i, ok := c.Image("contoso", "RUNNER", "gen2")
	assert.True(t, ok)
	assert.Equal(t, []string{"1.0.9", "1.0.10"}, i.Versions)
	_, ok = c.Size("Standard_B1s")
	assert.False(t, ok)
	_, ok = c.Image("Debian", "debian-12", "12")
	assert.False(t, ok)
	r, ok := c.Restriction("Standard_L8s_v3")
	assert.True(t, ok)
	assert.Equal(t, "NotAvailableForSubscription", r.Reason)
	assert.Equal(t, []int{8, 0}, []int{c.Quota("standardLSv3Family"), c.Quota(LowPriorityCores)})
	assert.True(t, c.Plan("Contoso", "runner", "gen2"))
	assert.False(t, c.Accepted("Contoso", "runner", "gen2"))

	before := c.All()
	require.ErrorContains(t, c.Change(Changes{Without: []string{"Standard_D2s_v5"}, Quotas: map[string]int{"x": 1}}), `quota "x"`)
	assert.Equal(t, before, c.All(), "none is made")
	require.NoError(t, c.Change(c.All()), "what there is can be written again")
	assert.Equal(t, before, c.All())
}

func TestLocations(t *testing.T) {
	c := New("Armsim Land")
	l, ok := c.Location("armsimland")
	assert.True(t, ok)
	assert.Equal(t, []string{"1", "2", "3"}, l.Zones)
	l, ok = c.Location("West US")
	assert.True(t, ok)
	assert.Empty(t, l.Zones)
	_, ok = c.Location("nowhere")
	assert.False(t, ok)
	assert.Len(t, New("westeurope").Locations(), len(c.Locations())-1)
}
