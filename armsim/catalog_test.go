package armsim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// inSubscription is the target of a read in the subscription.
func inSubscription(rest string) string {
	return "/subscriptions/" + armsim.DefaultSubscriptionID + rest
}

// skus is the list of sizes of a location, by name.
func skus(t *testing.T, s *sim, filter string) map[string]object {
	t.Helper()
	r := s.get(t, inSubscription("/providers/Microsoft.Compute/skus?api-version="+version+"&$filter="+url.QueryEscape(filter)))
	require.Equal(t, http.StatusOK, r.status, r.raw)
	all := map[string]object{}
	for _, one := range r.values() {
		if sku := one.(object); sku["resourceType"] == "virtualMachines" {
			all[sku["name"].(string)] = sku
		}
	}
	return all
}

func capability(sku object, name string) string {
	for _, one := range sku["capabilities"].([]any) {
		if c := one.(object); c["name"] == name {
			return c["value"].(string)
		}
	}
	return ""
}

func TestSizesHaveTheirCapabilitiesAsTexts(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	all := skus(t, s, "location eq 'WestEurope'")
	assert.Greater(t, len(all), 25)
	for name, want := range map[string]map[string]string{
		"Standard_D2s_v5":   {"vCPUs": "2", "MemoryGB": "8", "EphemeralOSDiskSupported": "False", "PremiumIO": "True", "LowPriorityCapable": "True", "CpuArchitectureType": "x64"},
		"Standard_D4ds_v5":  {"EphemeralOSDiskSupported": "True", "HibernationSupported": "True", "HyperVGenerations": "V1,V2"},
		"Standard_D2ps_v5":  {"CpuArchitectureType": "Arm64", "HyperVGenerations": "V2"},
		"Standard_D2_v5":    {"PremiumIO": "False"},
		"Standard_B1s":      {"LowPriorityCapable": "False"},
		"Standard_DS1_v2":   {"MemoryGB": "3.5"},
		"Standard_F4s_v2":   {"vCPUs": "4"},
		"Standard_E2s_v5":   {"MemoryGB": "16"},
		"Standard_B2pts_v2": {"CpuArchitectureType": "Arm64"},
	} {
		require.Contains(t, all, name)
		for capable, value := range want {
			assert.Equal(t, value, capability(all[name], capable), "%s %s", name, capable)
		}
	}
	info := all["Standard_D2s_v5"]["locationInfo"].([]any)[0].(object)
	assert.Equal(t, []any{"1", "2", "3"}, info["zones"])
	assert.Equal(t, "standardDSv5Family", all["Standard_D2s_v5"]["family"])
}

func TestSizesOfOtherLocationsAndFilters(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	noZones := skus(t, s, "location eq 'westus'")["Standard_D2s_v5"]
	assert.Empty(t, noZones["locationInfo"].([]any)[0].(object)["zones"])
	assert.Empty(t, skus(t, s, "location eq 'nowhere'"))
	r := s.get(t, inSubscription("/providers/Microsoft.Compute/skus?api-version="+version+"&$filter=name+eq+'x'"))
	assert.Equal(t, http.StatusNotImplemented, r.status)
}

func TestRestrictionsAreListed(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Catalog: armsim.CatalogChanges{Restrictions: []armsim.SizeRestriction{
		{Size: "Standard_D4s_v5"}, {Size: "Standard_D2s_v5", Zones: []string{"2"}, Reason: "QuotaId"},
	}}})
	all := skus(t, s, "location eq 'westeurope'")
	whole := all["Standard_D4s_v5"]["restrictions"].([]any)
	require.Len(t, whole, 2)
	assert.Equal(t, []any{"Location", "NotAvailableForSubscription"}, []any{whole[0].(object)["type"], whole[0].(object)["reasonCode"]})
	zonal := all["Standard_D2s_v5"]["restrictions"].([]any)
	require.Len(t, zonal, 1)
	assert.Equal(t, object{
		"type": "Zone", "reasonCode": "QuotaId", "values": []any{"westeurope"},
		"restrictionInfo": object{"locations": []any{"westeurope"}, "zones": []any{"2"}},
	}, zonal[0])

	require.NoError(t, s.ChangeCatalog(armsim.CatalogChanges{Unrestricted: []string{"standard_d4s_v5"}}))
	assert.Empty(t, skus(t, s, "location eq 'westeurope'")["Standard_D4s_v5"]["restrictions"])
}

func usages(t *testing.T, s *sim, location string) map[string][2]any {
	t.Helper()
	r := s.get(t, inSubscription("/providers/Microsoft.Compute/locations/"+location+"/usages"))
	require.Equal(t, http.StatusOK, r.status, r.raw)
	all := map[string][2]any{}
	for _, one := range r.values() {
		u := one.(object)
		all[u["name"].(object)["value"].(string)] = [2]any{u["currentValue"], u["limit"]}
	}
	return all
}

func TestUsagesAreOfWhatRuns(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{CoreQuota: 12, Catalog: armsim.CatalogChanges{Quotas: map[string]int{"standardDSv5Family": 8, "lowPriorityCores": 4}}})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 3})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "spot", Capacity: 1, Priority: "Spot"})
	all := usages(t, s, "westeurope")
	bucket := s.get(t, inSubscription("/providers/Microsoft.Compute/locations/westeurope/usages")).header.Get("x-ms-ratelimit-remaining-resource")
	assert.Equal(t, "Microsoft.Compute/GetSubscriptionInfoSubscriptionMaximum;358", bucket)
	assert.Equal(t, [2]any{6.0, 12.0}, all["cores"])
	assert.Equal(t, [2]any{2.0, 4.0}, all["lowPriorityCores"])
	assert.Equal(t, [2]any{6.0, 8.0}, all["standardDSv5Family"])
	assert.Equal(t, 4.0, all["virtualMachines"][0])
	assert.Equal(t, 2.0, all["virtualMachineScaleSets"][0])
	assert.Equal(t, 0.0, usages(t, s, "eastus")["cores"][0], "nothing runs elsewhere")

	for name, c := range map[string]struct {
		set      string
		capacity int
		want     string
	}{
		"family": {"ci", 5, "standardDSv5Family Cores quota"},
		"spot":   {"spot", 3, "LowPriorityCores quota"},
	} {
		r := s.send(t, "PATCH", s.ScaleSetPath(c.set), object{"sku": object{"capacity": c.capacity}})
		assert.Equal(t, []any{409, "OperationNotAllowed"}, []any{r.status, r.code()}, name)
		assert.Contains(t, r.message(), c.want)
	}
	assert.Equal(t, http.StatusOK, s.send(t, "PATCH", s.ScaleSetPath("ci"), object{"sku": object{"capacity": 4}}).status)
}

func TestScaleSetSizesAreOfItsArchitecture(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 4})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	var names []string
	for _, one := range s.list(t, set+"/skus") {
		names = append(names, one.(object)["sku"].(object)["name"].(string))
	}
	assert.Contains(t, names, "Standard_D4s_v5")
	assert.NotContains(t, names, "Standard_D2ps_v5")
	assert.True(t, slices.IsSortedFunc(names, func(a, b string) int { return bytes.Compare(bytes.ToLower([]byte(a)), bytes.ToLower([]byte(b))) }))
}

func TestLocations(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Location: "armsimland"})
	r := s.get(t, inSubscription("/locations"))
	require.Equal(t, http.StatusOK, r.status, r.raw)
	zones := map[string]int{}
	for _, one := range r.values() {
		l := one.(object)
		mappings, _ := l["availabilityZoneMappings"].([]any)
		zones[l["name"].(string)] = len(mappings)
	}
	assert.Equal(t, 3, zones["westeurope"])
	assert.Equal(t, 0, zones["westus"])
	assert.Contains(t, zones, "armsimland")
}

func TestCatalogOverTheControlEndpoint(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	post := func(body string) int {
		r, err := http.Post(s.ControlEndpoint+"/catalog", "application/json", bytes.NewReader([]byte(body)))
		require.NoError(t, err)
		defer r.Body.Close()
		return r.StatusCode
	}
	assert.Equal(t, http.StatusOK, post(`{"without": ["Standard_B1s"], "quotas": {"lowPriorityCores": 4}}`))
	assert.Equal(t, http.StatusBadRequest, post(`{"sises": []}`), "unknown field")
	assert.Equal(t, http.StatusBadRequest, post(`{"quotas": {"cores": 4}}`), "it is Config.CoreQuota's")
	assert.NotContains(t, skus(t, s, "location eq 'westeurope'"), "Standard_B1s")

	r, err := http.Get(s.ControlEndpoint + "/catalog")
	require.NoError(t, err)
	defer r.Body.Close()
	var now armsim.CatalogChanges
	require.NoError(t, json.NewDecoder(r.Body).Decode(&now))
	assert.True(t, slices.Equal(s.Catalog().Sizes, now.Sizes))
	assert.Equal(t, map[string]int{"lowPriorityCores": 4}, now.Quotas)
}

func TestImpossibleChangesOfTheCatalog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]armsim.CatalogChanges{
		"size without vCPUs":      {Sizes: []armsim.VMSize{{Name: "x", Family: "y"}}},
		"image without versions":  {Images: []armsim.PlatformImage{{Publisher: "p", Offer: "o", SKU: "s"}}},
		"shared image of nowhere": {SharedImages: []armsim.SharedImage{{Name: "x", Versions: []string{"1.0.0"}}}},
		"unknown size":            {Restrictions: []armsim.SizeRestriction{{Size: "Standard_X"}}},
		"unknown quota":           {Quotas: map[string]int{"x": 1}},
	} {
		_, err := armsim.New(armsim.Config{InProcess: true, Virtual: true, Catalog: c})
		assert.ErrorContains(t, err, "start armsim: change catalogue: ", name)
	}
}
