package binary_test

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// answerMistakes are answers that the simulator does not give: what stands at
// the endpoint is a server that says the same to everything.
func answerMistakes(t *testing.T, s *armsim.Server) []badInput {
	expired := `{"error":{"code":"ExpiredAuthenticationToken","message":"The access token expiry UTC time is earlier than current UTC time."}}`
	tenant := `{"error":{"code":"InvalidAuthenticationTokenTenant","message":"The access token is from the wrong issuer."}}`
	stack := `{"error":{"code":"NoRegisteredProviderFound","message":"No registered resource provider found for location 'region1' and API version '2026-04-01' ` +
		`for type 'virtualMachineScaleSets'. The supported api-versions are '2017-12-01, 2020-06-01'. The supported locations are 'region1'."}}`
	portal := "<html>\n<body>Please log in to the guest network</body></html>"
	return []badInput{
		{"clock", answering(t, s, http.StatusUnauthorized, expired), "ExpiredAuthenticationToken", "fix: check this machine's clock"},
		{"subscription of another tenant", answering(t, s, http.StatusUnauthorized, tenant), "InvalidAuthenticationTokenTenant", "check tenant_id and subscription_id"},
		{"Azure Stack Hub", answering(t, s, http.StatusBadRequest, stack), "the newest that it lists is 2020-06-01", "fix: none: the plugin cannot be used with this cloud"},
		{"captive portal", answering(t, s, http.StatusOK, portal), "response cannot be decoded", "fix: the response does not come from Azure; check cloud"},
		{"proxy forbids", answering(t, s, http.StatusForbidden, portal), "forbidden", "fix: the response does not come from Azure; check cloud"},
		{"not Azure at all", answering(t, s, http.StatusNotFound, portal), "not found", "fix: the response does not come from Azure; check cloud"},
		{"proxy refuses the host", proxied(t, http.StatusForbidden), "Forbidden", "name the host in NO_PROXY"},
		{"proxy wants a password", proxied(t, http.StatusProxyAuthRequired), "Proxy Authentication Required", "fix: check the user and password in HTTPS_PROXY"},
		{"identity endpoint behind a proxy", []change{nobody, key("credential", "managed_identity"), variable("HTTP_PROXY", refusingProxy(t, http.StatusForbidden))},
			"ManagedIdentityCredential", "169.254.169.254 to NO_PROXY"},
		{"token of another cloud", []change{foreignAuthority(t, s)}, "InvalidAuthenticationToken", "cloud"},
	}
}

func answering(t *testing.T, s *armsim.Server, status int, body string) []change {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that went away is its own affair
	}))
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return []change{
		cloudKey("resource_manager_endpoint", server.URL), trusting(t, s, ca),
	}
}

// proxied reaches for Azure's public cloud through a proxy that refuses all.
func proxied(t *testing.T, status int) []change {
	return []change{key("cloud", "AzurePublic"), without("AZURE_AUTHORITY_HOST"), variable("HTTPS_PROXY", refusingProxy(t, status))}
}

func refusingProxy(t *testing.T, status int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>the proxy's page</html>") // a client that went away is its own affair
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// silence takes connections and never says a word, as a firewall that drops
// packets looks from here.
func silence(t *testing.T) []badInput {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	at := "https://" + l.Addr().String() // the kernel takes the connections
	const fix = "fix: check that this machine reaches Azure"
	return []badInput{
		{"Azure is silent", []change{cloudKey("resource_manager_endpoint", at)}, "request timed out", fix},
		{"Entra ID is silent", []change{cloudKey("authority_host", at)}, "context deadline exceeded", fix},
	}
}

// foreignAuthority signs in at another simulator, as if at another cloud.
func foreignAuthority(t *testing.T, s *armsim.Server) change {
	other := armsim.Start(t, armsim.Config{NoMachines: true})
	return func(in *input) {
		for key, value := range launch.EnvironmentOf(other) {
			if strings.HasPrefix(key, "AZURE_CLIENT_") || key == "AZURE_AUTHORITY_HOST" {
				in.env[key] = value
			}
		}
		cloudKey("authority_host", other.Endpoint)(in)
		cloudKey("resource_manager_audience", "https://management.azure.com/")(in)
		trusting(t, s, other.CAPEM)(in)
	}
}

// trusting adds a certificate authority to the simulator's.
func trusting(t *testing.T, s *armsim.Server, ca []byte) change {
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, append(append([]byte{}, s.CAPEM...), ca...), 0o600))
	return variable("SSL_CERT_FILE", file)
}
