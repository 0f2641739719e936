package offer_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
)

const region = "westeurope"

func simulated(t *testing.T) *armapi.Resources {
	t.Helper()
	sim := armsim.Start(t, armsim.Config{InProcess: true})
	env := map[string]string{}
	for _, line := range sim.Env() {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
	}
	azure, err := armapi.NewResources(config.Config{
		SubscriptionID: armsim.DefaultSubscriptionID, Credential: "client_secret", TenantID: env["AZURE_TENANT_ID"], ClientID: env["AZURE_CLIENT_ID"],
		Cloud: config.Cloud{AuthorityHost: sim.Endpoint + "/", ResourceManagerEndpoint: sim.Endpoint, ResourceManagerAudience: sim.Audience},
	}, armapi.Options{Transport: &http.Client{Transport: sim.Transport()}, Getenv: func(key string) string { return env[key] }})
	require.NoError(t, err)
	return azure
}

// TestFind goes through a URN part by part; case does not matter.
func TestFind(t *testing.T) {
	t.Parallel()
	azure := simulated(t)
	for urn, want := range map[string]string{
		"Canonical:ubuntu-24_04-lts:server:latest": "",
		"canonical:Ubuntu-24_04-LTS:SERVER:latest": "",
		"Canonica:ubuntu-24_04-lts:server:latest":  `there is no publisher "Canonica" in this region; fix: did you mean Canonical`,
		"Canonical:ubuntu-2404:server:latest":      `there is no offer "ubuntu-2404" in this region; fix: did you mean ubuntu-24_04-lts`,
		"Canonical:ubuntu-24_04-lts:srv:latest":    `there is no SKU "srv" in this region; fix: did you mean server`,
		"Canonical:ubuntu-24_04-lts:server:1.2.3":  `there is no version "1.2.3" in this region; fix: did you mean latest`,
	} {
		parts := strings.Split(urn, ":")
		u := offer.URN{Publisher: parts[0], Offer: parts[1], SKU: parts[2], Version: parts[3]}
		assert.Equal(t, urn, u.String())
		found, err := offer.Find(t.Context(), azure, armsim.DefaultSubscriptionID, region, u)
		if want == "" {
			require.NoError(t, err, urn)
			assert.Equal(t, "x64", found.Properties.Architecture)
			assert.Empty(t, found.Retired())
			continue
		}
		var missing *offer.NotFoundError
		require.ErrorAs(t, err, &missing, urn)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
		assert.LessOrEqual(t, len(missing.Nearest), 4)
	}
}

func TestNothingIsLikeIt(t *testing.T) {
	t.Parallel()
	err := &offer.NotFoundError{URN: offer.URN{Publisher: "Contoso", Offer: "o", SKU: "s", Version: "v"}, Part: "offer", Name: "o"}
	assert.EqualError(t, err, `image Contoso:o:s:v: there is no offer "o" in this region; fix: az vm image list --all --publisher Contoso -o table`)
}

func TestSizes(t *testing.T) {
	t.Parallel()
	sizes, err := offer.Sizes(t.Context(), simulated(t), armsim.DefaultSubscriptionID, region)
	require.NoError(t, err)
	size, ok := sizes["standard_d2s_v5"]
	require.True(t, ok)
	assert.Equal(t, "Standard_D2s_v5", size.Name)
	assert.Equal(t, 2, size.Cores())
	assert.Equal(t, "x64", size.Architecture())
	assert.Empty(t, size.Restriction(nil))
	assert.Equal(t, "9", size.MissingZone([]string{"1", "9"}))
	arm := sizes["standard_d2ps_v5"]
	assert.Equal(t, "Arm64", arm.Architecture())
	assert.Regexp(t, `^did you mean Standard_D2s_v5, `, offer.Nearest("Standard_D2s_v55", sizes))
	none, err := offer.Sizes(t.Context(), simulated(t), armsim.DefaultSubscriptionID, "nowhere")
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestUsages(t *testing.T) {
	t.Parallel()
	usages, err := offer.Usages(t.Context(), simulated(t), armsim.DefaultSubscriptionID, region)
	require.NoError(t, err)
	cores, ok := usages["cores"]
	require.True(t, ok)
	assert.Positive(t, cores.Limit)
}

// TestRestriction: of the whole region, or of zones that are asked for.
func TestRestriction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		restrictions string
		zones        []string
		want         string
	}{
		"none":         {`[]`, []string{"1"}, ""},
		"region":       {`[{"type":"Location","reasonCode":"NotAvailableForSubscription"}]`, nil, "NotAvailableForSubscription"},
		"another zone": {`[{"type":"Zone","reasonCode":"QuotaId","restrictionInfo":{"zones":["3"]}}]`, []string{"1", "2"}, ""},
		"a zone":       {`[{"type":"zone","reasonCode":"QuotaId","restrictionInfo":{"zones":["3"]}}]`, []string{"1", "3"}, "QuotaId in a zone"},
		"without zone": {`[{"type":"Zone","reasonCode":"QuotaId","restrictionInfo":{"zones":["1","2","3"]}}]`, nil, ""},
	} {
		var s offer.Size
		require.NoError(t, json.Unmarshal([]byte(`{"restrictions":`+c.restrictions+`}`), &s), name)
		assert.Equal(t, c.want, s.Restriction(c.zones), name)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	var s offer.Size
	require.NoError(t, json.Unmarshal([]byte(`{"capabilities":[{"name":"vCPUs","value":"8"},{"name":"PremiumIO","value":"True"},{"name":"LowPriorityCapable","value":"False"}]}`), &s))
	assert.Equal(t, 8, s.Cores())
	assert.True(t, s.Can("premiumio"))
	assert.False(t, s.Can("LowPriorityCapable"))
	assert.False(t, s.Can("of nothing"))
	assert.Zero(t, (&offer.Size{}).Cores())
}

func TestRetired(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: "",
		`{"properties":{"imageDeprecationStatus":{"imageState":"Active"}}}`:                                                                         "",
		`{"properties":{"imageDeprecationStatus":{"imageState":"ScheduledForDeprecation","scheduledDeprecationTime":"2027-01-01T00:00:00+00:00"}}}`: "ScheduledForDeprecation 2027-01-01T00:00:00+00:00",
		`{"properties":{"imageDeprecationStatus":{"imageState":"Deprecated"}}}`:                                                                     "Deprecated",
	} {
		var i offer.Image
		require.NoError(t, json.Unmarshal([]byte(text), &i))
		assert.Equal(t, want, i.Retired(), text)
	}
}

// TestTerms: an image without a plan has none.
func TestTerms(t *testing.T) {
	t.Parallel()
	accepted, err := offer.TermsAccepted(t.Context(), simulated(t), armsim.DefaultSubscriptionID, &offer.Image{})
	require.NoError(t, err)
	assert.True(t, accepted)
}
