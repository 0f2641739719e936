package armapi

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// oldCloud is a transport that stands for a cloud with certain versions of
// Microsoft.Compute. What it lists may not work.
type oldCloud struct {
	listed, works []string
	code          string

	mu     sync.Mutex
	asked  []string
	bodies []string
}

func (o *oldCloud) Do(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	version := r.URL.Query().Get("api-version")
	o.asked = append(o.asked, version)
	one := reply{status: 200, body: `{"id":"x","etag":"\"7\"","sku":{"capacity":3},"value":[]}`}
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		o.bodies = append(o.bodies, string(body))
	}
	if !slices.Contains(o.works, version) {
		words := "No registered resource provider found for location 'region1' and API version '%s' for type 'virtualMachineScaleSets'. " +
			"The supported api-versions are '%s'. The supported locations are 'region1'."
		if o.code == "InvalidApiVersionParameter" {
			words = "The api-version '%s' is invalid. The supported versions are '%s'."
		}
		one = reply{status: 400, body: fmt.Sprintf(`{"error":{"code":"%s","message":"%s"}}`, o.code, fmt.Sprintf(words, version, strings.Join(o.listed, ", ")))}
	}
	s := script{replies: []reply{one}}
	return s.Do(r)
}

func (o *oldCloud) client(t *testing.T, version string) *Client {
	t.Helper()
	c := cfg
	c.APIVersion = version
	client, err := New(c, Options{Transport: o, Credential: azcore.TokenCredential(&fake.TokenCredential{})})
	require.NoError(t, err)
	return client
}

// TestVersionIsNegotiated down to the oldest that works, for reads and writes, and
// remembered.
func TestVersionIsNegotiated(t *testing.T) {
	for _, code := range []string{"NoRegisteredProviderFound", "InvalidApiVersionParameter"} {
		for newest, listed := range map[string][]string{
			"2025-04-01": {"2025-04-01", "2024-07-01", "2027-01-01-preview", "2028-01-01"},
			"2024-07-01": {"2017-12-01", "2023-09-01", "2024-07-01", "2024-11-01-preview"},
			"2023-09-01": {"2023-09-01", "2023-07-01"},
		} {
			o := &oldCloud{listed: listed, works: []string{newest}, code: code}
			c := o.client(t, "")
			set, err := c.ScaleSet(t.Context())
			require.NoError(t, err, newest)
			assert.Equal(t, `"7"`, set.ETag)
			_, err = c.SetCapacity(t.Context(), 5, `"7"`)
			require.NoError(t, err)
			_, err = uniform{c}.List(t.Context(), vmss.ListOptions{})
			require.NoError(t, err)
			assert.Equal(t, []string{"2026-04-01", newest, newest, newest}, o.asked, "one is lost, and none after it")
		}
	}
}

// TestVersionOfAWrite: what was refused is sent again with its body.
func TestVersionOfAWrite(t *testing.T) {
	o := &oldCloud{listed: []string{"2024-07-01", "2024-03-01"}, works: []string{"2024-03-01"}, code: "NoRegisteredProviderFound"}
	_, err := o.client(t, "").SetCapacity(t.Context(), 5, `"7"`)
	require.NoError(t, err)
	assert.Equal(t, []string{"2026-04-01", "2024-07-01", "2024-03-01"}, o.asked)
	for _, body := range o.bodies {
		assert.JSONEq(t, `{"sku":{"capacity":5}}`, body)
	}
	assert.Len(t, o.bodies, 3)
}

// TestNoVersionWorks: Azure Stack Hub's newest profile has 2020-06-01.
func TestNoVersionWorks(t *testing.T) {
	o := &oldCloud{listed: []string{"2017-12-01", "2020-06-01"}, code: "NoRegisteredProviderFound"}
	_, err := o.client(t, "").ScaleSet(t.Context())
	require.EqualError(t, err, `read scale set "ci": status 400: microsoft.compute refuses api-version 2026-04-01, and the newest that it lists is 2020-06-01; `+
		`fix: none: the plugin cannot be used with this cloud, as it needs the ETag of a scale set, which came with Microsoft.Compute 2023-09-01`)
	assert.Equal(t, armerr.APIVersion, armerr.KindOf(err))
	assert.False(t, armerr.MayHaveTakenEffect(err))
	assert.Len(t, o.asked, 1)

	o = &oldCloud{listed: []string{"2024-07-01", "2024-03-01"}, code: "NoRegisteredProviderFound"}
	_, err = o.client(t, "").ScaleSet(t.Context())
	require.ErrorContains(t, err, "no version that it lists works")
	assert.Equal(t, []string{"2026-04-01", "2024-07-01", "2024-03-01"}, o.asked)
}

// TestConfiguredVersion is sent as it is, and where it is refused the fix says what
// to do about it. The lists of a scale set's network have a version of their own.
func TestConfiguredVersion(t *testing.T) {
	o := &oldCloud{works: []string{"2024-07-01", "2018-10-01"}, code: "NoRegisteredProviderFound"}
	c := o.client(t, "2024-07-01")
	_, err := c.ScaleSet(t.Context())
	require.NoError(t, err)
	_, err = uniform{c}.Interfaces(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"2024-07-01", "2018-10-01"}, o.asked)

	o = &oldCloud{listed: []string{"2024-03-01"}, works: []string{"2024-03-01"}, code: "NoRegisteredProviderFound"}
	_, err = o.client(t, "2024-07-01").ScaleSet(t.Context())
	require.ErrorContains(t, err, "fix: set api_version")
	assert.Equal(t, []string{"2024-07-01"}, o.asked)
	assert.Equal(t, "2023-09-01", config.OldestAPIVersion)
}

// TestVersionOfTheNetwork is agreed on as well, by itself.
func TestVersionOfTheNetwork(t *testing.T) {
	o := &oldCloud{listed: []string{"2017-10-01"}, works: []string{"2017-10-01", "2026-04-01"}, code: "InvalidApiVersionParameter"}
	c := o.client(t, "")
	for range 2 {
		_, err := uniform{c}.Interfaces(t.Context())
		require.NoError(t, err)
	}
	_, err := c.ScaleSet(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"2018-10-01", "2017-10-01", "2017-10-01", "2026-04-01"}, o.asked)
}
