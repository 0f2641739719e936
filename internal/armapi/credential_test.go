package armapi

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const guid = "11111111-2222-3333-4444-555555555555"

func secretConfig(path string) config.Config {
	c := cfg
	c.Credential, c.TenantID, c.ClientID, c.ClientSecretFile = "client_secret", guid, guid, path
	return c
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	junk := filepath.Join(dir, "junk")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	require.NoError(t, os.WriteFile(junk, []byte("hunter2"), 0o600))
	for path, text := range map[string]string{
		filepath.Join(dir, "none"): "does not exist; fix: create it or correct the path",
		dir:                        "is a directory",
		empty:                      "is empty",
	} {
		_, err := New(secretConfig(path), Options{})
		require.ErrorContains(t, err, "client_secret_file \""+path+"\" "+text)
	}
	c := secretConfig("")
	c.Credential, c.ClientCertificateFile = "client_certificate", junk
	_, err := New(c, Options{})
	require.ErrorContains(t, err, "client_certificate_file")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestEveryCredentialIsCreatedOrAnError(t *testing.T) {
	for _, name := range []string{"default", "managed_identity", "workload_identity", "azure_cli", "environment", "client_secret"} {
		for _, c := range []config.Cloud{
			{Name: "AzureChina"}, {Name: "AzureUSGovernment"},
			{AuthorityHost: "https://login.example/", ResourceManagerEndpoint: "https://arm.example", ResourceManagerAudience: "https://arm.example"},
		} {
			one := secretConfig("")
			one.Credential, one.Cloud = name, c
			_, err := New(one, Options{Getenv: func(string) string { return "hunter2" }})
			if err != nil {
				assert.Contains(t, err.Error(), `set up credential "`+name+`"`)
				assert.Contains(t, err.Error(), "; fix: ")
			}
		}
	}
	one := cfg
	one.Credential = "x"
	_, err := New(one, Options{})
	require.Error(t, err)
}

// unreachable is an error that azidentity does not retry.
type unreachable struct{ error }

func (unreachable) NonRetriable() {}

// entra is a transport that stands for Entra ID: discovery, and a refusal.
type entra struct {
	discovery, token reply
	secrets          []string
}

func (e *entra) Do(r *http.Request) (*http.Response, error) {
	one := e.token
	if strings.Contains(r.URL.Path, "openid-configuration") || strings.Contains(r.URL.Path, "discovery/instance") {
		one = e.discovery
	} else if err := r.ParseForm(); err == nil {
		e.secrets = append(e.secrets, r.PostForm.Get("client_secret"))
	}
	s := script{replies: []reply{one}}
	return s.Do(r)
}

func TestSignInErrors(t *testing.T) {
	const found = `{"token_endpoint":"https://login.example/t/token","authorization_endpoint":"https://login.example/t/a","issuer":"https://login.example/t"}`
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte("hunter2\r\n"), 0o600))
	for _, c := range []struct {
		transport entra
		code      string
		kind      armerr.Kind
	}{
		{entra{
			discovery: reply{status: 200, body: strings.ReplaceAll(found, "/t", "/"+guid)},
			token:     reply{status: 401, body: `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x"}`},
		}, "AADSTS7000215 (401)", armerr.Unauthenticated},
		{entra{
			discovery: reply{status: 400, body: `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found. Trace ID: x"}`},
		}, "AADSTS90002", armerr.Unauthenticated},
		{entra{discovery: reply{err: unreachable{errors.New("dial tcp: lookup login.example: no such host")}}}, "no such host", armerr.Network},
	} {
		one := secretConfig(path)
		one.Cloud = config.Cloud{AuthorityHost: "https://login.example/", ResourceManagerEndpoint: "https://arm.example", ResourceManagerAudience: "https://arm.example"}
		client, err := New(one, Options{Transport: &c.transport})
		require.NoError(t, err)
		_, err = client.ScaleSet(t.Context())
		require.ErrorContains(t, err, c.code)
		assert.Equal(t, c.kind, armerr.KindOf(err), err)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.NotContains(t, err.Error(), "\n")
		for _, s := range c.transport.secrets {
			assert.Equal(t, "hunter2", s)
		}
	}
}

// identityEndpoint is a transport that stands for a machine's identity endpoint.
// It knows several identities.
type identityEndpoint struct{ asked []*http.Request }

func (i *identityEndpoint) Do(r *http.Request) (*http.Response, error) {
	i.asked = append(i.asked, r)
	one := reply{status: 400, body: `{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"}`}
	switch {
	case r.URL.Hostname() != "169.254.169.254":
		one = reply{status: 404, body: `{"error":{"code":"ResourceNotFound","message":"signed in"}}`}
	case r.URL.Query().Get("client_id") == guid:
		one = reply{status: 200, body: `{"access_token":"hunter2","expires_on":"4000000000","resource":"x","token_type":"Bearer"}`}
	}
	s := script{replies: []reply{one}}
	return s.Do(r)
}

// TestOneOfSeveralIdentities: client_id is sent, also where credential is left
// out, and without it the fix names it.
func TestOneOfSeveralIdentities(t *testing.T) {
	for _, credential := range []string{"default", "managed_identity"} {
		c := cfg
		c.Credential, c.ClientID = credential, guid
		at := &identityEndpoint{}
		client, err := New(c, Options{Transport: at, Getenv: func(string) string { return "" }})
		require.NoError(t, err)
		_, err = client.ScaleSet(t.Context())
		require.ErrorContains(t, err, "signed in", credential)

		c.ClientID = ""
		client, err = New(c, Options{Transport: &identityEndpoint{}, Getenv: func(string) string { return "" }})
		require.NoError(t, err)
		_, err = client.ScaleSet(t.Context())
		require.ErrorContains(t, err, "fix: the machine has several identities: set client_id", credential)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

// TestAnotherApplicationInTheEnvironment must not take the named identity's place.
func TestAnotherApplicationInTheEnvironment(t *testing.T) {
	t.Setenv("AZURE_CLIENT_ID", "99999999-2222-3333-4444-555555555555")
	t.Setenv("AZURE_TENANT_ID", guid)
	t.Setenv("AZURE_CLIENT_SECRET", "hunter2")
	c := cfg
	c.Credential, c.ClientID = "default", guid
	at := &identityEndpoint{}
	client, err := New(c, Options{Transport: at})
	require.NoError(t, err)
	_, err = client.ScaleSet(t.Context())
	require.ErrorContains(t, err, "signed in")
	for _, r := range at.asked {
		assert.NotContains(t, r.URL.Host, "login.")
	}
}
