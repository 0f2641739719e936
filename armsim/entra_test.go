package armsim_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// form asks for a token; the given fields replace those of a good request.
func (s *sim) form(t tb, tenant string, fields map[string]string) reply {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.Principal.ClientID}, "client_secret": {s.Principal.Secret},
		"scope": {s.Audience + "/.default"},
	}
	for key, value := range fields {
		form.Set(key, value)
	}
	return s.send(t, "POST", "/"+tenant+"/oauth2/v2.0/token", form.Encode(), header{"Content-Type": "application/x-www-form-urlencoded"})
}

func TestTokenRequests(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	const tenant = armsim.DefaultTenantID
	for name, c := range map[string]struct {
		tenant string
		fields map[string]string
		status int
		err    string
		aadsts string
	}{
		"good":                 {tenant, nil, 200, "", ""},
		"public audience":      {tenant, map[string]string{"scope": "https://management.azure.com//.default"}, 200, "", ""},
		"wrong secret":         {tenant, map[string]string{"client_secret": "x"}, 401, "invalid_client", "AADSTS7000215"},
		"no secret":            {tenant, map[string]string{"client_secret": ""}, 401, "invalid_client", "AADSTS7000215"},
		"unknown client":       {tenant, map[string]string{"client_id": "x"}, 400, "unauthorized_client", "AADSTS700016"},
		"unknown tenant":       {"11111111-0000-4000-8000-000000000000", nil, 400, "invalid_tenant", "AADSTS90002"},
		"unknown resource":     {tenant, map[string]string{"scope": "https://example.com/.default"}, 400, "invalid_resource", "AADSTS500011"},
		"scope not default":    {tenant, map[string]string{"scope": s.Audience}, 400, "invalid_resource", "AADSTS500011"},
		"another grant":        {tenant, map[string]string{"grant_type": "password"}, 400, "unsupported_grant_type", "AADSTS70003"},
		"unsigned assertion":   {tenant, map[string]string{"client_assertion": "x.y.z"}, 401, "invalid_client", "AADSTS700027"},
		"unregistered keypair": {tenant, map[string]string{"client_assertion": s.bearer}, 401, "invalid_client", "AADSTS700027"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.form(t, c.tenant, c.fields)
			require.Equal(t, c.status, r.status, r.raw)
			if c.err == "" {
				assert.NotEmpty(t, r.text("access_token"))
				return
			}
			assert.Equal(t, c.err, r.text("error"))
			assert.True(t, strings.HasPrefix(r.text("error_description"), c.aadsts+": "), r.raw)
			assert.Len(t, get(r.body, "error_codes"), 1)
		})
	}
	for _, e := range s.Journal() {
		assert.Nil(t, e.Body, "the journal holds a token request's body")
	}
}

func TestTokensEnd(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{TokenLifetime: time.Hour})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour - 2*settled)
	require.Equal(t, http.StatusOK, s.get(t, set).status)
	s.Advance(2 * settled)
	r := s.get(t, set)
	assert.Equal(t, http.StatusUnauthorized, r.status)
	assert.Equal(t, "ExpiredAuthenticationToken", r.code())
	assert.NotEmpty(t, r.header.Get("WWW-Authenticate"))
	s.bearer = s.form(t, armsim.DefaultTenantID, nil).text("access_token")
	assert.Equal(t, http.StatusOK, s.get(t, set).status)
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	s, other := virtual(t, armsim.Config{}), virtual(t, armsim.Config{})
	good := s.bearer
	none := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"appid": armsim.DefaultClientID, "exp": 1e12})
	unsigned, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	for name, c := range map[string]struct{ header, code string }{
		"none":        {"", "AuthenticationFailed"},
		"basic":       {"Basic eDp5", "AuthenticationFailed"},
		"empty":       {"Bearer ", "InvalidAuthenticationToken"},
		"garbage":     {"Bearer x.y.z", "InvalidAuthenticationToken"},
		"unsigned":    {"Bearer " + unsigned, "InvalidAuthenticationToken"},
		"another key": {"Bearer " + other.bearer, "InvalidAuthenticationToken"},
		"cut":         {"Bearer " + good[:len(good)-8], "InvalidAuthenticationToken"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(t, "GET", s.ResourcePath(""), nil, header{"Authorization": c.header})
			assert.Equal(t, http.StatusUnauthorized, r.status)
			assert.Equal(t, c.code, r.code())
		})
	}
}

// TestDiscovery follows OpenID discovery to the keys, as a client would, and
// verifies a token with what it finds there.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for _, prefix := range []string{armsim.DefaultTenantID + "/v2.0", armsim.DefaultTenantID, "common/v2.0"} {
		d := s.get(t, "/"+prefix+"/.well-known/openid-configuration")
		require.Equal(t, http.StatusOK, d.status, d.raw)
		keys := s.get(t, d.text("jwks_uri"))
		_, err := jwt.Parse(s.bearer, func(token *jwt.Token) (any, error) {
			assert.Equal(t, get(keys.body, "keys.0.kid"), token.Header["kid"])
			return publicKey(t, get(keys.body, "keys.0")), nil
		}, jwt.WithAudience(strings.TrimSuffix(s.Audience, "/")))
		assert.NoError(t, err)
		assert.Equal(t, s.Endpoint+"/", d.text("token_endpoint")[:len(s.Endpoint)+1])
	}
	assert.Equal(t, http.StatusBadRequest, s.get(t, "/11111111-0000-4000-8000-000000000000/v2.0/.well-known/openid-configuration").status)
	instance := s.get(t, "/common/discovery/instance")
	assert.Equal(t, http.StatusOK, s.get(t, instance.text("tenant_discovery_endpoint")).status)
}

func publicKey(t *testing.T, key any) *rsa.PublicKey {
	t.Helper()
	number := func(name string) *big.Int {
		raw, err := base64.RawURLEncoding.DecodeString(get(key, name).(string))
		require.NoError(t, err)
		return new(big.Int).SetBytes(raw)
	}
	return &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}
}

func TestMetadataForms(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for v, path := range map[string]string{"2015-01-01": "", "2019-05-01": "0.", "2020-06-01": "0.", "2022-09-01": ""} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.Endpoint+"/metadata/endpoints?api-version="+v, nil)
		require.NoError(t, err) // and no token: the endpoint is open
		response, err := s.client.Do(r)
		require.NoError(t, err)
		body := decode(t, response)
		assert.Equal(t, s.Endpoint, get(body, path+"authentication.loginEndpoint"), v)
		assert.Equal(t, s.Audience, get(body, path+"authentication.audiences.0"), v)
		assert.Equal(t, s.Endpoint, get(body, path+"resourceManager"), v)
	}
	assert.Equal(t, http.StatusNotImplemented, s.get(t, "/other/endpoints").status)
}

// TestCredentials logs in with Azure's own library.
func TestCredentials(t *testing.T) {
	t.Parallel()
	certificate, key := newCertificate(t)
	unknown, unknownKey := newCertificate(t)
	federated := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(federated, []byte("an identity provider's token"), 0o600))
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{{
		ClientID: armsim.DefaultClientID, Secret: "s3cret", CertificatePEM: pemOf(certificate), FederatedToken: "an identity provider's token",
	}}})
	o := policy.ClientOptions{Transport: s.client, Retry: policy.RetryOptions{MaxRetries: -1}, Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: s.Endpoint + "/"}}
	const tenant, client = armsim.DefaultTenantID, armsim.DefaultClientID
	for name, c := range map[string]struct {
		make func() (azcore.TokenCredential, error)
		err  string
	}{
		"secret": {func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, client, "s3cret", &azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}, ""},
		"wrong secret": {func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, client, "x", &azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}, "AADSTS7000215"},
		"certificate": {func() (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(tenant, client, certs(certificate), key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}, ""},
		"unknown certificate": {func() (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(tenant, client, certs(unknown), unknownKey, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}, "AADSTS700027"},
		"workload identity": {func() (azcore.TokenCredential, error) {
			return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
				ClientOptions: o, DisableInstanceDiscovery: true, ClientID: client, TenantID: tenant, TokenFilePath: federated})
		}, ""},
	} {
		t.Run(name, func(t *testing.T) { s.tryCredential(t, c.make, c.err) })
	}
}

func (s *sim) tryCredential(t *testing.T, make func() (azcore.TokenCredential, error), want string) {
	t.Helper()
	credential, err := make()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.Audience + "/.default"}})
	if want != "" {
		require.ErrorContains(t, err, want)
		return
	}
	require.NoError(t, err)
	r := s.send(t, "GET", s.ResourcePath(""), nil, header{"Authorization": "Bearer " + token.Token})
	assert.Equal(t, http.StatusOK, r.status, r.raw)
}
