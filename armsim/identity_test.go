package armsim_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const metadataToken = "/metadata/identity/oauth2/token"

// identities are two that a user assigned.
func identities() []armsim.Identity {
	return []armsim.Identity{
		{ClientID: "11111111-1111-4111-8111-111111111111", ObjectID: "o1", ResourceID: "/r/one"},
		{ClientID: "22222222-2222-4222-8222-222222222222", ObjectID: "o2", ResourceID: "/r/two", Actions: []string{"Microsoft.Resources/*"}},
	}
}

// metadata asks the instance metadata service.
func (s *sim) metadata(t *testing.T, query url.Values) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.MetadataEndpoint+metadataToken+"?"+query.Encode(), nil)
	require.NoError(t, err)
	r.Header.Set("Metadata", "true")
	return s.exchange(t, r)
}

func TestManyIdentities(t *testing.T) {
	t.Parallel()
	const several, unknown = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request", "Identity not found"
	two := identities()
	system := append(identities(), armsim.Identity{ClientID: "system", SystemAssigned: true})
	for name, c := range map[string]struct {
		identities []armsim.Identity
		key, value string
		want       string // client ID, or the error
	}{
		"one, none named":     {two[:1], "", "", two[0].ClientID},
		"several, none named": {two, "", "", several},
		"the system's":        {system, "", "", "system"},
		"client":              {two, "client_id", two[1].ClientID, two[1].ClientID},
		"object":              {two, "object_id", "O1", two[0].ClientID},
		"principal":           {two, "principal_id", "o2", two[1].ClientID},
		"resource":            {two, "msi_res_id", "/R/two", two[1].ClientID},
		"resource, old name":  {two, "mi_res_id", "/r/one", two[0].ClientID},
		"unknown":             {two[:1], "client_id", "33333333", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Identities: c.identities})
			query := url.Values{"api-version": {"2018-02-01"}, "resource": {s.Audience}}
			if c.key != "" {
				query.Set(c.key, c.value)
			}
			r := s.metadata(t, query)
			if c.want == several || c.want == unknown {
				assert.Equal(t, []any{400, "invalid_request", c.want}, []any{r.status, r.body["error"], r.body["error_description"]})
				return
			}
			require.Equal(t, http.StatusOK, r.status, r.raw)
			assert.Equal(t, c.want, r.text("client_id"))
			assert.Equal(t, "36000000", r.text("expires_in"), "in seconds, and as text")
			s.bearer = r.text("access_token")
			assert.Equal(t, http.StatusOK, s.get(t, s.ResourcePath("")).status)
		})
	}
}

func TestMetadataRequests(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Identities: identities()[:1]})
	assert.Contains(t, s.metadata(t, url.Values{"resource": {s.Audience}}).raw, "api-version")
	assert.Contains(t, s.metadata(t, url.Values{"api-version": {"2018-02-01"}}).raw, "resource")
	assert.Contains(t, s.metadata(t, url.Values{"api-version": {"2018-02-01"}, "resource": {"https://example.com"}}).raw, "AADSTS500011")
	response, err := http.Get(s.MetadataEndpoint + metadataToken)
	require.NoError(t, err)
	assert.Equal(t, "Required metadata header not specified", get(decode(t, response), "error_description"))
	assert.Contains(t, s.Env(), "ARMSIM_METADATA="+s.MetadataEndpoint)
	assert.Empty(t, virtual(t, armsim.Config{}).MetadataEndpoint)

	s.add(t, armsim.Fault{Operation: "Token", Times: 1, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 410}}})
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {s.Audience}}
	assert.Equal(t, http.StatusGone, s.metadata(t, query).status)
	assert.Equal(t, "fault 1", s.last().Fault)
	assert.Equal(t, http.StatusOK, s.metadata(t, query).status)
}

// TestTheMetadataProxy: where HTTP_PROXY names it, Azure's address is found; no
// other is.
func TestTheMetadataProxy(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Identities: identities()})
	proxy, err := url.Parse(s.MetadataEndpoint)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	defer client.CloseIdleConnections()
	for target, want := range map[string]int{
		"http://169.254.169.254" + metadataToken: http.StatusBadRequest,
		"http://169.254.169.254/else":            http.StatusNotFound,
		"http://example.invalid" + metadataToken: http.StatusBadGateway,
	} {
		response, err := client.Get(target)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, response.StatusCode, target)
	}
}

// TestManagedIdentityCredential logs in with Azure's own library.
func TestManagedIdentityCredential(t *testing.T) {
	t.Parallel()
	// The library's cache is the process's: the client ID is this run's own.
	mine := slices.Concat(identities(), []armsim.Identity{{ClientID: fmt.Sprintf("44444444-4444-4444-8444-%012x", rand.Int64N(1<<47))}})
	s := virtual(t, armsim.Config{InProcess: true, Identities: mine})
	o := azidentity.ManagedIdentityCredentialOptions{ClientOptions: policy.ClientOptions{Transport: s.client, Retry: policy.RetryOptions{MaxRetries: -1, TryTimeout: time.Minute}}}
	for id, want := range map[string]string{"": "Multiple user assigned identities exist", "55555555": "the requested identity isn't assigned to this resource", mine[2].ClientID: ""} {
		s.tryCredential(t, func() (azcore.TokenCredential, error) {
			one := o
			if id != "" {
				one.ID = azidentity.ClientID(id)
			}
			return azidentity.NewManagedIdentityCredential(&one)
		}, want)
	}
}
